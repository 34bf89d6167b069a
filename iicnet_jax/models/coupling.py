"""The affine coupling block, the invertible building block of the network."""

import jax
import jax.numpy as jnp
from flax import nnx

from iicnet_jax.models import dense_block
from iicnet_jax.models.bijection import Bijection
from iicnet_jax.models.dense_block import GROWTH, DenseBlock


class AffineCoupling(Bijection):
    """[x1 | x2] -> [y1 | y2] with y1 = x1 + F(x2), y2 = x2 exp(s(y1)) + G(y1).

    The log-scale s(y1) = 2 sigmoid(H(y1)) - 1 lies in (-1, 1). F, G, H are dense blocks, so a
    fresh coupling is the identity. x1 holds the first `split` of the `channels`.

    Raises:
      ValueError: `split` leaves one of the two parts empty.
    """

    # Forward, x2 reaches y2 through F into y1, and then through G and H; the inverse likewise.
    REACH = 2 * dense_block.REACH

    def __init__(self, channels: int, split: int, *, growth: int = GROWTH, rngs: nnx.Rngs):
        if not 0 < split < channels:
            raise ValueError(
                f"a coupling of {channels} channels cannot be split after {split}: both parts "
                "need at least one channel (more images, down-scaling, or split='prop')"
            )
        self.split = split
        self.F = DenseBlock(channels - split, split, growth=growth, rngs=rngs)
        self.G = DenseBlock(split, channels - split, growth=growth, rngs=rngs)
        self.H = DenseBlock(split, channels - split, growth=growth, rngs=rngs)

    def shift(self, x2):
        """F(x2)."""
        return self.F(x2)

    def affine(self, y1):
        """s(y1) and G(y1)."""
        # 2 sigmoid(h) - 1 = tanh(h / 2)
        return jnp.tanh(self.H(y1) / 2), self.G(y1)

    def forward(self, x):
        x1, x2 = self._parts(x)
        y1 = x1 + self.shift(x2)
        s, g = self.affine(y1)
        return _join(y1, x2 * jnp.exp(s) + g)

    def inverse(self, y):
        y1, y2 = self._parts(y)
        s, g = self.affine(y1)
        x2 = (y2 - g) * jnp.exp(-s)
        return _join(y1 - self.shift(x2), x2)

    def undo_forward(self, y, dy):
        """Back through y = forward(x), from y and the gradient of the loss by y.

        Every dense block is evaluated once and differentiated once.

        Returns:
          x, and the gradients by x and by the state of this layer.
        """
        (y1, y2), (dy1, dy2) = self._parts(y), self._parts(dy)
        (s, g), pull = self._vjp(AffineCoupling.affine, y1)
        scaled = y2 - g
        x2 = scaled * jnp.exp(-s)
        affine_state, from_affine = pull((dy2 * scaled, dy2))
        dx1 = dy1 + from_affine
        f, pull = self._vjp(AffineCoupling.shift, x2)
        shift_state, from_shift = pull(dx1)
        dx2 = dy2 * jnp.exp(s) + from_shift
        return _join(y1 - f, x2), _join(dx1, dx2), _add(affine_state, shift_state)

    def undo_inverse(self, x, dx):
        """Back through x = inverse(y), from x and the gradient of the loss by x.

        Every dense block is evaluated once and differentiated once.

        Returns:
          y, and the gradients by y and by the state of this layer.
        """
        (x1, x2), (dx1, dx2) = self._parts(x), self._parts(dx)
        f, pull = self._vjp(AffineCoupling.shift, x2)
        y1 = x1 + f
        shift_state, from_shift = pull(-dx1)
        dx2 = dx2 + from_shift
        (s, g), pull = self._vjp(AffineCoupling.affine, y1)
        dy2 = dx2 * jnp.exp(-s)
        affine_state, from_affine = pull((-dx2 * x2, -dy2))
        y2 = x2 * jnp.exp(s) + g
        return _join(y1, y2), _join(dx1 + from_affine, dy2), _add(affine_state, shift_state)

    def _parts(self, x):
        return jnp.split(x, [self.split], axis=-1)

    def _vjp(self, method, x):
        """The value of a method, and its derivative backwards by state and argument."""
        graph, state = nnx.split(self)
        return jax.vjp(lambda state, x: method(nnx.merge(graph, state), x), state, x)


def _join(first, second):
    return jnp.concatenate([first, second], axis=-1)


def _add(first, second):
    """Of two gradients, which do not depend on the same parameters."""
    return jax.tree.map(jnp.add, first, second)
