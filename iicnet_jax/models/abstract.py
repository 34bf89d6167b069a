"""Networks without weights, for those whose weights come from elsewhere."""

from collections.abc import Callable
from typing import TypeVar

import jax
from flax import nnx

Made = TypeVar("Made", bound=nnx.Module)


def without_weights(create: Callable[..., Made], *arguments, **fields) -> Made:
    """The network `create(*arguments, **fields, rngs=...)` with shapes in place of parameters."""
    return nnx.eval_shape(lambda: create(*arguments, **fields, rngs=OneKey()))


class OneKey(nnx.Rngs):
    """One random key for everything, for `nnx.eval_shape`, which draws nothing.

    Counting keys, as nnx.Rngs does, takes most of the time there: while JAX traces, it grows with
    the square of the number of parameters.
    """

    def params(self):
        return jax.random.key(0)
