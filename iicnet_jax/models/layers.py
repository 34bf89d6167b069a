"""Stacks layers of one structure into one set of arrays; names them one by one in files."""

from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

# Stands in the path of a stacked parameter where its name has the number of a layer.
_EACH = "each"


class Layers(nnx.Module):
    """Layers of one structure and shape, with every parameter of all of them in one array.

    Whatever goes through parameters (gradients, the optimiser, checkpoints) then has as much to
    do for many layers as for one. `each` is a layer whose parameters have the layers along their
    first axis; `execution.scan` takes its state apart.

    Raises:
      ValueError: the layers have not the same structure.
    """

    def __init__(self, layers: Sequence[nnx.Module]):
        graphs, states = zip(*map(nnx.split, layers), strict=True)
        if any(graph != graphs[0] for graph in graphs):
            raise ValueError("the layers of a stack must have the same structure")
        self.each = nnx.merge(graphs[0], _stack(states))
        self._length = len(layers)

    def __len__(self):
        return self._length


@jax.jit
def _stack(states):
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)


def parameter_shapes(state: nnx.State) -> dict[str, tuple[int, ...]]:
    """The shape of every parameter of every layer, by name; also where nothing else is known."""
    return {
        name: variable.shape[1:] if _EACH in path else variable.shape
        for path, variable in nnx.to_flat_state(state)
        for name in _names(path, variable)
    }


def parameter_arrays(state: nnx.State) -> dict[str, np.ndarray]:
    """Every parameter of every layer, by name, such as blocks/layers/0/F/last/bias."""
    arrays = {}
    for path, variable in nnx.to_flat_state(state):
        array = np.asarray(variable)
        parts = array if _EACH in path else [array]
        arrays.update(zip(_names(path, variable), parts, strict=True))
    return arrays


def set_parameters(state: nnx.State, arrays: Mapping[str, np.ndarray]) -> None:
    """Sets all parameters; `arrays` has what `parameter_arrays` returns."""
    for path, variable in nnx.to_flat_state(state):
        parts = [arrays[name] for name in _names(path, variable)]
        variable.set_value(jnp.asarray(np.stack(parts) if _EACH in path else parts[0]))


def _names(path, variable) -> list[str]:
    """Of the parameters in one array."""
    numbers = range(variable.shape[0]) if _EACH in path else [None]
    return ["/".join(str(i if key == _EACH else key) for key in path) for i in numbers]
