"""Reversible image conversion with invertible networks (IICNet) in JAX."""

__version__ = "0.1.0"
