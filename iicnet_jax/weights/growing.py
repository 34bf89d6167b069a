"""Weights of a larger network that computes what a smaller one does (Net2Net, ICLR 2016)."""

import numpy as np
from flax import nnx

from iicnet_jax.models.layers import parameter_arrays, set_parameters


def grow(params: nnx.State, growth: int, fresh: nnx.State, larger_growth: int) -> None:
    """Sets the parameters of a network with more coupling blocks at the end, or a larger growth.

    Fresh blocks are the identity. In a dense block that grows, the channels that were there read
    nothing of the new ones, which read everything. All else of the two networks is the same.

    Args:
      params: of the smaller network.
      growth: channels that each convolution of its dense blocks adds.
      fresh: of the larger network, as they are drawn.
      larger_growth: channels that each convolution of its dense blocks adds.
    """
    small, arrays = parameter_arrays(params), parameter_arrays(fresh)
    for name, array in small.items():
        if arrays[name].shape == array.shape:
            arrays[name] = array
        elif array.ndim == 1:  # a bias
            arrays[name] = np.concatenate([array, arrays[name][len(array) :]])
        else:
            arrays[name] = _grown(array, growth, arrays[name], larger_growth)
    set_parameters(fresh, arrays)


def _grown(kernel, growth, fresh, larger_growth):
    """A kernel (height, width, inputs, outputs) of a dense block.

    Its inputs are those of the block, and then what the convolutions before it have added.
    """
    inputs, outputs = kernel.shape[2:]
    convolutions = (fresh.shape[2] - inputs) // (larger_growth - growth)
    inputs -= convolutions * growth
    added = inputs + np.arange(convolutions * larger_growth).reshape(convolutions, larger_growth)
    there = [*range(inputs), *added[:, :growth].flat]
    grown = fresh.copy()
    grown[..., :outputs] = 0
    grown[:, :, there, :outputs] = kernel
    return grown
