"""`iicnet demo`: pictures into one embedding file and back, on a page in the browser."""
