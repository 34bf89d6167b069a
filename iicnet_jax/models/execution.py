"""How a network is computed: rematerialisation, loops or unrolled layers, precision.

The same network may be computed in several ways, with the same result up to rounding. So this is
no argument of a network, and a model on disk does not know of it.
"""

import dataclasses
from collections.abc import Callable, Sequence

import einops
import jax
import jax.numpy as jnp
from flax import nnx

from iicnet_jax.core.errors import require_choice
from iicnet_jax.models.layers import Layers

MEMORY_SAVING = ("none", "remat", "reversible")
LOOPS = ("auto", "scan", "unroll")
# Names of jax.lax.Precision, too.
PRECISIONS = ("float32", "tensorfloat32", "bfloat16")


@dataclasses.dataclass(frozen=True)
class Execution:
    """How a network is computed.

    Args:
      memory_saving: what is kept for the gradient. "none" saves no memory: everything is kept.
        "remat": the input of every coupling block, and of the heads and tails of the relation
        module.
        "reversible": of the coupling blocks only the last one's output, from which the inputs
        are computed backwards (Gomez et al. 2017, "The Reversible Residual Network").
      loop: layers of one structure are a loop in the compiled program ("scan"), or stand in it
        one by one ("unroll"). "auto" unrolls on CPUs, where convolutions in a loop are ten times
        slower, and loops elsewhere, where it keeps compilation short.
      precision: in which the convolutions multiply. All else is float32.

    Raises:
      ValueError: an option is unknown.
    """

    memory_saving: str = "none"
    loop: str = "auto"
    precision: str = "float32"

    def __post_init__(self):
        require_choice("memory_saving", self.memory_saving, MEMORY_SAVING)
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


def scan(step: Callable, carry, items, *, loops: bool, reverse: bool = False):
    """`jax.lax.scan` over the first axis of all arrays, as a loop or written out.

    Args:
      step: maps (carry, item) to (carry, result).
      carry: what the first step begins with.
      items: a pytree of arrays, with an item for each step along the first axis.
      loops: whether the compiled program has a loop.
      reverse: last item first.

    Returns:
      The last carry, and the results, stacked in the order of the items.
    """
    if loops:
        return jax.lax.scan(step, carry, items, reverse=reverse)
    parts = _unstack(items)
    results = [None] * len(parts)
    order = range(len(parts))
    for i in reversed(order) if reverse else order:
        carry, results[i] = step(carry, parts[i])
    return carry, jax.tree.map(lambda *leaves: jnp.stack(leaves), *results)


def for_each(
    execution: Execution, function: Callable, layers: Sequence[Layers], xs=None, shared=None
):
    """function(modules, x, shared) for the modules and the x of every number, computed as told.

    Unless `memory_saving` is "none", only arguments are kept for the gradient, and one call at a
    time is differentiated.

    Args:
      execution: tells how.
      function: maps one module of each of the layers, an x, and `shared` to an array.
      layers: equally many of all kinds.
      xs: for one call each along the first axis.
      shared: for all calls.

    Returns:
      The results, concatenated along their last axis.
    """
    graph, states = nnx.split(tuple(kind.each for kind in layers))

    def call(state, x, shared):
        return function(nnx.merge(graph, state), x, shared)

    if execution.memory_saving != "none":
        call = jax.checkpoint(call, prevent_cse=not execution.loops)

    def step(_, item):
        state, x = item
        return None, call(state, x, shared)

    _, results = scan(step, None, (states, xs), loops=execution.loops)
    return einops.rearrange(results, "n ... c -> ... (n c)")


def _unstack(items) -> list:
    """The items along the first axis of all arrays.

    As parts of a split, whose gradient is one concatenation; that of indexing would be a sum of
    as many arrays of full size as there are items.
    """
    leaves, structure = jax.tree.flatten(items)
    parts = [jax.lax.split(leaf, [1] * len(leaf)) for leaf in leaves]
    squeezed = [[jax.lax.squeeze(part, [0]) for part in of_leaf] for of_leaf in parts]
    return [jax.tree.unflatten(structure, item) for item in zip(*squeezed, strict=True)]
