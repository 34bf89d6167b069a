"""The authors' parameter names against our network (the values: see test_golden.py)."""

import json
import pathlib

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from iicnet_jax.models import IICNet
from iicnet_jax.models.layers import parameter_arrays
from iicnet_jax.weights.official import load_official, parameter_name

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"


def network():
    options = {"downscaling": "haar", "split": "prop", "relation": False, "num_blocks": 1}
    return IICNet(1, **options, rngs=nnx.Rngs(0))


def official_shapes():
    """The authors' names and shapes of `network`."""
    channels = {"F": (9, 3), "G": (3, 9), "H": (3, 9)}
    shapes = {"1.operations.0.haar_weights": (12, 1, 2, 2), "1.operations.1.weight": (12, 12)}
    for branch, (inputs, outputs) in channels.items():
        for i in range(1, 6):
            size = (32 if i < 5 else outputs, inputs + 32 * (i - 1), 3, 3)
            shapes[f"2.operations.0.{branch}.conv{i}.weight"] = size
            shapes[f"2.operations.0.{branch}.conv{i}.bias"] = size[:1]
    return shapes


def arrays_of(model):
    return parameter_arrays(nnx.state(model, nnx.Param))


@pytest.fixture
def model(random_network):
    return random_network(network)


@pytest.fixture
def parameters():
    random = np.random.RandomState(0)
    shapes = official_shapes()
    return {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        (
            "0.forw_rel.DB_heads.2.conv1.weight",
            "relation/embed_network/heads/2/growing/0/kernel",
        ),
        ("0.back_rel.DB_tails.0.conv5.bias", "relation/restore_network/tails/0/last/bias"),
        ("0.forw_rel.conv_1x1_heads.1.weight", "relation/embed_network/head_convs/1/kernel"),
        ("0.forw_rel.conv_merges.1.bias", "relation/embed_network/merge_convs/1/bias"),
        ("0.back_rel.conv_1x1_tails.1.bias", "relation/restore_network/tail_convs/1/bias"),
        ("1.operations.1.weight", "down/layers/1/weight"),
        ("2.operations.7.H.conv4.weight", "blocks/layers/7/H/growing/3/kernel"),
        ("2.operations.7.G.conv5.weight", "blocks/layers/7/G/last/kernel"),
    ],
)
def test_official_names_have_their_place_in_our_network(name, ours):
    assert parameter_name(name) == ours


def test_haar_kernels_are_no_parameters():
    assert parameter_name("1.operations.0.haar_weights") is None


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("n*.npz")), ids=lambda file: file.stem)
def test_no_two_official_names_share_a_place(file):
    names = json.loads(str(np.load(file)["param_shapes"]))
    ours = [name for name in map(parameter_name, names) if name is not None]
    assert len(set(ours)) == len(ours) > 0


@pytest.mark.parametrize(
    "name",
    [
        "3.operations.0.F.conv1.weight",
        "0.side_rel.DB_heads.0.conv1.weight",
        "0.forw_rel.norm.0.weight",
        "2.operations.0.E.conv1.weight",
        "module.2.operations.0.F.conv1.weight",
    ],
)
def test_names_of_other_networks_are_errors(name):
    with pytest.raises(ValueError, match=f"'{name}' is no parameter"):
        parameter_name(name)


def test_kernels_are_transposed_to_height_width_input_output(model, parameters):
    load_official(model, parameters)
    ours = arrays_of(model)["blocks/layers/0/G/growing/1/kernel"]
    theirs = parameters["2.operations.0.G.conv2.weight"]
    assert ours.shape == (3, 3, 35, 32)
    assert ours[0, 2, 34, 31] == theirs[31, 34, 0, 2]


def test_biases_and_matrices_are_taken_as_they_are(model, parameters):
    load_official(model, parameters)
    ours = arrays_of(model)
    for name, theirs in [
        ("down/layers/1/weight", "1.operations.1.weight"),
        ("blocks/layers/0/F/last/bias", "2.operations.0.F.conv5.bias"),
    ]:
        np.testing.assert_array_equal(ours[name], parameters[theirs])


def test_loaded_parameters_stay_jax_arrays_in_float32(model, parameters):
    load_official(model, parameters)
    for path, value in nnx.to_flat_state(nnx.state(model, nnx.Param)):
        assert isinstance(value[...], jnp.ndarray) and value[...].dtype == jnp.float32, path


def test_parameters_without_a_place_are_named(model, parameters):
    parameters["2.operations.1.F.conv1.bias"] = np.zeros(32, np.float32)
    with pytest.raises(ValueError, match=r"'2\.operations\.1\.F\.conv1\.bias' has no place"):
        load_official(model, parameters)


def test_shapes_that_do_not_fit_are_named(model, parameters):
    parameters["2.operations.0.F.conv5.bias"] = np.zeros(4, np.float32)
    with pytest.raises(ValueError, match=r"'.*conv5\.bias' has the shape \(4,\), not \(3,\)"):
        load_official(model, parameters)


def test_missing_parameters_are_named(model, parameters):
    del parameters["2.operations.0.F.conv5.bias"]
    with pytest.raises(ValueError, match=r"1 parameters are missing.*blocks/layers/0/F/last"):
        load_official(model, parameters)
