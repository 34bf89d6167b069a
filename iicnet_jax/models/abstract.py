"""Builds networks with parameter shapes only, to be filled from a file."""

from collections.abc import Callable
from typing import TypeVar

import jax
from flax import nnx

Made = TypeVar("Made", bound=nnx.Module)


def abstract_network(create: Callable[..., Made], *arguments, **fields) -> Made:
    """The network `create(*arguments, **fields, rngs=...)` with shapes in place of parameters."""
    return nnx.eval_shape(lambda: create(*arguments, **fields, rngs=ConstantRngs()))


class ConstantRngs(nnx.Rngs):
    """One random key for everything, for `nnx.eval_shape`, which draws nothing.

    Counting keys, as nnx.Rngs does, takes most of the time there: while JAX traces, it grows with
    the square of the number of parameters.
    """

    def params(self):
        return jax.random.key(0)
