"""How a network is computed: what is kept in memory, loops, precision.

The same network may be computed in several ways, with the same result up to rounding. So this is
no argument of a network, and a model on disk does not know of it.
"""

import dataclasses
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from flax import nnx

from iicnet_jax.errors import require_choice

MEMORY = ("none", "remat", "reversible")
LOOPS = ("auto", "scan", "unroll")
# Names of jax.lax.Precision, too.
PRECISIONS = ("float32", "tensorfloat32", "bfloat16")


@dataclasses.dataclass(frozen=True)
class Execution:
    """How a network is computed.

    Args:
      memory: what is kept for the gradient. "none" saves no memory: everything is kept. "remat":
        the input of every coupling block, and of the heads and tails of the relation module.
        "reversible": of the coupling blocks only the last one's output, from which the inputs
        are computed backwards (Gomez et al. 2017, "The Reversible Residual Network").
      loop: layers of one structure are a loop in the compiled program ("scan"), or stand in it
        one by one ("unroll"). "auto" unrolls on CPUs, where convolutions in a loop are ten times
        slower, and loops elsewhere, where it keeps compilation short.
      precision: in which the convolutions multiply. All else is float32.

    Raises:
      ValueError: an option is unknown.
    """

    memory: str = "none"
    loop: str = "auto"
    precision: str = "float32"

    def __post_init__(self):
        require_choice("memory", self.memory, MEMORY)
        require_choice("loop", self.loop, LOOPS)
        require_choice("precision", self.precision, PRECISIONS)

    @property
    def loops(self) -> bool:
        """Whether layers of one structure are a loop in the compiled program."""
        if self.loop == "auto":
            return jax.default_backend() != "cpu"
        return self.loop == "scan"


def set_execution(model: nnx.Module, execution: Execution) -> None:
    """Lets a network be computed so from now on; its graph changes, its parameters do not."""
    for _, module in nnx.iter_modules(model):
        if isinstance(module, nnx.Conv):
            _set_precision(module, execution.precision)
        elif hasattr(module, "execution"):
            module.execution = execution


def _set_precision(conv: nnx.Conv, precision: str) -> None:
    conv.precision = jax.lax.Precision(precision)
    if isinstance(conv.conv_general_dilated, _InBfloat16):
        conv.conv_general_dilated = conv.conv_general_dilated.convolve
    if precision == "bfloat16":
        conv.conv_general_dilated = _InBfloat16(conv.conv_general_dilated)


@dataclasses.dataclass(frozen=True)
class _InBfloat16:
    """A convolution that multiplies in bfloat16, from float32 to float32.

    The type of an `nnx.Conv` would be that of its bias as well, whose gradient, a sum over all
    pixels, bfloat16 cannot hold.
    """

    convolve: Callable

    def __call__(self, x, kernel, *arguments, **options):
        x, kernel = x.astype(jnp.bfloat16), kernel.astype(jnp.bfloat16)
        return self.convolve(x, kernel, *arguments, **options).astype(jnp.float32)


def split_equal(modules: Sequence) -> tuple[nnx.GraphDef, list[nnx.State]]:
    """The graph that all modules (or tuples of modules) have in common, and the state of each."""
    graphs, states = zip(*map(nnx.split, modules), strict=True)
    if any(graph != graphs[0] for graph in graphs):
        raise ValueError("layers that are computed in a loop must have the same structure")
    return graphs[0], list(states)


def scan(step: Callable, carry, items: Sequence, *, loops: bool, reverse: bool = False):
    """`jax.lax.scan` over a sequence of equal pytrees, as a loop or written out.

    Args:
      step: maps (carry, item) to (carry, result).
      carry: what the first step begins with.
      items: for one step each.
      loops: whether the compiled program has a loop, for which the items are stacked.
      reverse: last item first.

    Returns:
      The last carry, and the list of results in the order of the items.
    """
    if loops:
        stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *items)
        carry, results = jax.lax.scan(step, carry, stacked, reverse=reverse)
        return carry, [jax.tree.map(lambda leaf: leaf[i], results) for i in range(len(items))]  # noqa: B023
    results = [None] * len(items)
    order = range(len(items))
    for i in reversed(order) if reverse else order:
        carry, results[i] = step(carry, items[i])
    return carry, results


def for_each(execution: Execution, function: Callable, modules: Sequence, xs=None, shared=None):
    """[function(module, x, shared) for module, x in zip(modules, xs)], computed as told.

    Unless memory is "none", only arguments are kept for the gradient, and one call at a time is
    differentiated.
    """
    graph, states = split_equal(modules)
    xs = [None] * len(states) if xs is None else xs

    def call(state, x, shared):
        return function(nnx.merge(graph, state), x, shared)

    if execution.memory != "none":
        call = jax.checkpoint(call, prevent_cse=not execution.loops)

    def step(_, item):
        return None, call(*item, shared)

    return scan(step, None, list(zip(states, xs, strict=True)), loops=execution.loops)[1]
