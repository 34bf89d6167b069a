"""Kept for video_file.py."""

from iicnet_jax.errors import reading as blaming

__all__ = ["blaming"]
