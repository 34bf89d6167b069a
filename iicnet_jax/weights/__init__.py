"""Weights on disk: our own model directories and the names of the authors' parameters."""
