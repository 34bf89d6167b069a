"""Networks for the package, trained on a CPU: `compact.py`, and `reduced.py` for video."""
