"""Chains of coupling blocks: scanned, and reversible, with constant activation memory."""

import functools
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from flax import nnx

from iicnet_jax.models.bijection import Bijection
from iicnet_jax.models.execution import Execution, scan
from iicnet_jax.models.layers import Layers


class Stack(Bijection):
    """A chain of invertible layers of one structure and shape, computed as `execution` says.

    Raises:
      ValueError: the layers have not the same structure.
    """

    def __init__(self, layers: Sequence[Bijection]):
        self.layers = Layers(layers)
        self.execution = Execution()

    def forward(self, x):
        return self._apply("forward", x)

    def inverse(self, y):
        return self._apply("inverse", y)

    def _apply(self, direction, x):
        graph, states = nnx.split(self.layers.each)
        functions: dict[str, Callable] = {
            "none": _plain,
            "remat": functools.partial(_plain, remat=True),
            "reversible": _reversible,
        }
        return functions[self.execution.memory_saving](
            graph, direction, self.execution.loops, states, x
        )


def _plain(graph, direction, loops, states, x, *, remat=False):
    """The layers' maps, one after the other.

    Keeps all that the gradients need, or, with `remat`, the input of every layer.
    """

    def step(x, state):
        return getattr(nnx.merge(graph, state), direction)(x), None

    if remat:  # a loop's body needs no barrier against merging what is computed twice
        step = jax.checkpoint(step, prevent_cse=not loops)
    return scan(step, x, states, loops=loops, reverse=direction == "inverse")[0]


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1, 2))
def _reversible(graph, direction, loops, states, x):
    """Keeps the output of the last layer only."""
    return _plain(graph, direction, loops, states, x)


def _reversible_forward(graph, direction, loops, states, x):
    y = _plain(graph, direction, loops, states, x)
    return y, (states, y)


def _reversible_backward(graph, direction, loops, kept, gradient):
    """Walks back: the input of every layer, from its output, and the gradients there."""
    states, y = kept
    # Depends on the gradient, so that XLA does not lay out the layers' gradients, which begin as
    # zeros, before what comes after these layers has been differentiated.
    zero = 0 * gradient[0, 0, 0, 0]
    zeros = jax.tree.map(lambda state: jnp.full_like(state, zero), states)

    def step(carry, item):
        y, gradient, gradients = carry
        number, state = item
        undo = getattr(nnx.merge(graph, state), f"undo_{direction}")
        x, gradient, of_layer = undo(y, gradient)
        gradients = jax.tree.map(lambda all_, one: all_.at[number].set(one), gradients, of_layer)
        return (x, gradient, gradients), None

    numbers = jnp.arange(len(jax.tree.leaves(states)[0]))
    (_, gradient, gradients), _ = scan(
        step,
        (y, gradient, zeros),
        (numbers, states),
        loops=loops,
        reverse=direction == "forward",
    )
    return gradients, gradient


_reversible.defvjp(_reversible_forward, _reversible_backward)
