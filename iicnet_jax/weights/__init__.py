"""Weights on disk: model directories, and the authors' weight files."""
