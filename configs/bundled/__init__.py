"""Networks for the package, trained on a CPU; `reduced.py` says how they are reduced."""
