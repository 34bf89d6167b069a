"""Losses, optimiser, train step, checkpoints and the training loop."""
