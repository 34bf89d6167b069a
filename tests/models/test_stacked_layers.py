"""Layers that are stored as one, and their names."""

import jax
import numpy as np
from flax import nnx

from iicnet_jax.models import IICNet
from iicnet_jax.models.abstract import abstract_network
from iicnet_jax.models.layers import (
    Layers,
    parameter_arrays,
    parameter_shapes,
    set_parameters,
)


def shapes(num_images, num_blocks):
    """A network without weights."""
    options = {"num_blocks": num_blocks, "relation_features": 4, "downscaling": "haar"}
    network = abstract_network(IICNet, num_images, **options)
    return nnx.state(network, nnx.Param)


def test_layers_keep_the_values_that_they_were_made_with():
    rngs = nnx.Rngs(0)
    layers = [nnx.Linear(2, 3, rngs=rngs) for _ in range(3)]
    arrays = parameter_arrays(nnx.state(Layers(layers), nnx.Param))
    assert len(arrays) == 6
    for i, layer in enumerate(layers):
        np.testing.assert_array_equal(arrays[f"{i}/kernel"], layer.kernel[...])
        np.testing.assert_array_equal(arrays[f"{i}/bias"], layer.bias[...])


def test_there_are_as_many_arrays_for_many_layers_as_for_one():
    counts = [len(jax.tree.leaves(shapes(*numbers))) for numbers in [(2, 1), (3, 4)]]
    assert counts[0] == counts[1] == 2 * (2 * 10 + 3 * 2) + 3 * 10 + 1


def test_every_layer_has_names_of_its_own():
    names = parameter_shapes(shapes(2, 3))
    assert names["blocks/layers/2/F/growing/3/kernel"] == (3, 3, 12 + 3 * 32, 32)
    assert names["relation/restore_network/merge_convs/1/bias"] == (4,)
    assert names["down/layers/1/weight"] == (24, 24)
    assert len(names) == 2 * 2 * (2 * 10 + 3 * 2) + 3 * 3 * 10 + 1


def test_parameters_that_were_set_by_name_are_there_under_that_name():
    state, random = shapes(2, 3), np.random.default_rng(0)
    arrays = {
        name: random.random(shape, dtype=np.float32)
        for name, shape in parameter_shapes(state).items()
    }
    set_parameters(state, arrays)
    result = parameter_arrays(state)
    assert result.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(result[name], array)
