"""Metrics, inference on whole images, the evaluation protocol, and pictures of the results."""
