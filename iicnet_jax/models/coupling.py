"""The invertible building block: affine coupling of two parts of the channels."""

import jax.numpy as jnp
from flax import nnx

from iicnet_jax.models import dense_block
from iicnet_jax.models.bijection import Bijection
from iicnet_jax.models.dense_block import DenseBlock


class AffineCoupling(Bijection):
    """[x1 | x2] -> [y1 | y2] with y1 = x1 + F(x2), y2 = x2 exp(s(y1)) + G(y1).

    The log-scale s(y1) = 2 sigmoid(H(y1)) - 1 lies in (-1, 1). F, G, H are dense blocks, so a
    fresh coupling is the identity. x1 holds the first `split` of the `channels`.

    Raises:
      ValueError: `split` leaves one of the two parts empty.
    """

    # Forward, x2 reaches y2 through F into y1, and then through G and H; the inverse likewise.
    REACH = 2 * dense_block.REACH

    def __init__(self, channels: int, split: int, *, rngs: nnx.Rngs):
        if not 0 < split < channels:
            raise ValueError(
                f"a coupling of {channels} channels cannot be split after {split}: both parts "
                "need at least one channel (more images, down-scaling, or split='prop')"
            )
        self.split = split
        self.F = DenseBlock(channels - split, split, rngs=rngs)
        self.G = DenseBlock(split, channels - split, rngs=rngs)
        self.H = DenseBlock(split, channels - split, rngs=rngs)

    def log_scale(self, y1):
        # 2 sigmoid(h) - 1 = tanh(h / 2)
        return jnp.tanh(self.H(y1) / 2)

    def forward(self, x):
        x1, x2 = jnp.split(x, [self.split], axis=-1)
        y1 = x1 + self.F(x2)
        y2 = x2 * jnp.exp(self.log_scale(y1)) + self.G(y1)
        return jnp.concatenate([y1, y2], axis=-1)

    def inverse(self, y):
        y1, y2 = jnp.split(y, [self.split], axis=-1)
        x2 = (y2 - self.G(y1)) * jnp.exp(-self.log_scale(y1))
        x1 = y1 - self.F(x2)
        return jnp.concatenate([x1, x2], axis=-1)
