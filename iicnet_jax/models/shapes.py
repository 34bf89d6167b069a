"""Networks without weights, for those whose weights come from elsewhere."""

import jax
from flax import nnx


class OneKey(nnx.Rngs):
    """One random key for everything, for `nnx.eval_shape`, which draws nothing.

    Counting keys, as nnx.Rngs does, takes most of the time there: while JAX traces, it grows with
    the square of the number of parameters.
    """

    def params(self):
        return jax.random.key(0)
