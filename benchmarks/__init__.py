"""Speed and memory, measured: each module prints a table and writes a JSON file."""
