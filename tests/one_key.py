"""Initial weights where they do not matter."""

import jax
from flax import nnx


class OneKey(nnx.Rngs):
    """One random key for everything: counting keys, as nnx.Rngs does, takes most of the time."""

    def params(self):
        return jax.random.key(0)
