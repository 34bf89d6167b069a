"""Losses, optimiser, train step, checkpoints, metric writers."""
