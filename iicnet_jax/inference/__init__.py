"""Trained networks applied to images of any size: tiles, devices, compiled functions."""
