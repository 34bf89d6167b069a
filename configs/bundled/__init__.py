"""Networks for the package, trained on a CPU; `compact.py` says how."""
