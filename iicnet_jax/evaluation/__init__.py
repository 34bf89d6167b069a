"""What is measured of results, and how it is shown: metrics, protocol, tables, pictures."""
