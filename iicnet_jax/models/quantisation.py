"""Quantisation of the embedding to 8 bits: rounding, noise, straight-through gradient.

All functions map values around [0, 1] to [0, 1] and keep the shape.
"""

import jax
import jax.numpy as jnp

LEVELS = 255.0


def round_to_levels(y):
    """The embedding as an 8-bit file stores it: round(255 y), clipped, over 255."""
    return jnp.clip(jnp.round(y * LEVELS), 0, LEVELS) / LEVELS


def add_noise(y, noise):
    """The differentiable stand-in for rounding used in training.

    Computes clip(255 y + noise, 0, 255) / 255; its gradient is zero where the clip is active.
    `noise`: uniform in [-0.5, 0.5], in grey levels, of the shape of y.
    """
    return jnp.clip(y * LEVELS + noise, 0, LEVELS) / LEVELS


def straight_through(y):
    """Rounds like `round_to_levels`, but passes gradients on as if it were the identity."""
    return y + jax.lax.stop_gradient(round_to_levels(y) - y)


def uniform_noise(key, shape):
    """Noise for `add_noise`, in grey levels."""
    return jax.random.uniform(key, shape, minval=-0.5, maxval=0.5)
