"""The networks that come with the package; `reduced.py` says how they are reduced."""
