"""One run: its configuration checked, the network built, trained, evaluated, exported."""
