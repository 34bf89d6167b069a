"""The authors' weight files become models that take RGB images.

The golden networks saw their recorded images as they are: for them these were BGR.
"""

import functools
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from iicnet_jax.core.errors import UserError
from iicnet_jax.models import IICNet
from iicnet_jax.models.abstract import abstract_network
from iicnet_jax.models.downscaling import Haar
from iicnet_jax.models.layers import parameter_arrays
from iicnet_jax.weights.colour_order import swap_colours
from iicnet_jax.weights.import_official import import_official, infer_config
from iicnet_jax.weights.model_dir import read_model
from iicnet_jax.weights.official import load_official
from tests.golden_networks import FILES, golden_of
from tests.torch_files import LAYOUTS, weight_file

# Arguments of IICNet, each a network that the authors' options can make.
NETWORKS = {
    "one, grey": {"num_images": 1, "embedding_channels": 1},
    "two": {"num_images": 2},
    "two, no relation": {"num_images": 2, "relation": False, "num_blocks": 2},
    "two, grey": {"num_images": 2, "embedding_channels": 1, "relation": False},
    "one, squeeze, prop": {"num_images": 1, "downscaling": "squeeze", "split": "prop"},
    "two, haar, ref": {"num_images": 2, "downscaling": "haar"},
    "three, haar, prop": {"num_images": 3, "downscaling": "haar", "split": "prop"},
    "three, squeeze, ref": {"num_images": 3, "downscaling": "squeeze", "relation": False},
    "four, squeeze, ref": {"num_images": 4, "downscaling": "squeeze", "relation": False},
    "two, haar, prop, grey": {
        "num_images": 2,
        "downscaling": "haar",
        "split": "prop",
        "embedding_channels": 1,
        "relation": False,
    },
    "one, squeeze, ref, grey": {
        "num_images": 1,
        "downscaling": "squeeze",
        "embedding_channels": 1,
        "relation": False,
    },
}
# Where parameters do not tell these options.
OPEN = {
    "one, squeeze, prop": ["embedding_channels"],
    "three, haar, prop": ["embedding_channels"],
    "two, haar, prop, grey": ["embedding_channels"],
    "four, squeeze, ref": ["split"],
}
# Where a coupling is split within an image.
SPLIT_COLOURS = ["one, grey", "two, grey", "one, squeeze, ref, grey"]


def complete(fields):
    """All arguments of a small network."""
    small = {"embedding_channels": 3, "relation": True, "downscaling": "none", "split": "ref"}
    small |= {"num_blocks": 1, **fields}
    return small | ({"relation_features": 4} if small["relation"] else {})


def official_shapes(config):
    """The authors' parameters of such a network."""
    count, down = config["num_images"], config["downscaling"]
    shapes = {}

    def convolution(name, inputs, outputs, size):
        shapes[f"{name}.weight"] = (outputs, inputs, size, size)
        shapes[f"{name}.bias"] = (outputs,)

    def dense_block(name, inputs, outputs):
        for i in range(5):
            convolution(f"{name}.conv{i + 1}", inputs + 32 * i, outputs if i == 4 else 32, 3)

    if config["relation"]:
        width = config["relation_features"]
        for part in ("forw_rel", "back_rel"):
            for i in range(count):
                dense_block(f"0.{part}.DB_heads.{i}", 3, width)
                convolution(f"0.{part}.conv_1x1_heads.{i}", width, width, 1)
                convolution(f"0.{part}.conv_merges.{i}", width * count, width, 3)
                convolution(f"0.{part}.conv_1x1_tails.{i}", width, width, 1)
                dense_block(f"0.{part}.DB_tails.{i}", width, 3)
    channels, first = 3 * count, config["embedding_channels"]
    if down == "haar":
        shapes["1.operations.0.haar_weights"] = (4 * channels, 1, 2, 2)
    if down != "none":
        channels, first = 4 * channels, 3 * count if config["split"] == "prop" else 4 * first
        shapes["1.operations.1.weight"] = (channels, channels)
    for i in range(config["num_blocks"]):
        dense_block(f"2.operations.{i}.F", channels - first, first)
        dense_block(f"2.operations.{i}.G", first, channels - first)
        dense_block(f"2.operations.{i}.H", first, channels - first)
    return shapes


def official_parameters(config):
    """Such parameters with random values."""
    random = np.random.RandomState(0)

    def draw(name, shape):
        if name.endswith("haar_weights"):
            return np.tile(Haar.SIGNS.reshape(4, 1, 2, 2), (shape[0] // 4, 1, 1, 1))
        value = random.normal(size=shape)
        value = np.linalg.qr(value)[0] if len(shape) == 2 else 0.05 * value
        return value.astype(np.float32)

    return {name: draw(name, shape) for name, shape in official_shapes(config).items()}


def options_of(name):
    return {option: complete(NETWORKS[name])[option] for option in OPEN.get(name, [])}


@pytest.fixture
def imported(tmp_path):
    """The model and the arguments made from such parameters."""

    def imported(parameters, layout="legacy", **options):
        path = tmp_path / "latest.pth"
        path.write_bytes(weight_file(layout, parameters))
        config = import_official(path, tmp_path / "model", **options)
        return read_model(tmp_path / "model").network, config

    return imported


def round_trip(model, frames, image):
    """What the network embeds and restores, compiled together, and once for equal networks."""
    return _round_trip(*nnx.split(model, nnx.Param), frames, image)


@functools.partial(jax.jit, static_argnums=0)
def _round_trip(graph, params, frames, image):
    network = nnx.merge(graph, params)
    return network.embed(frames), network.restore(image)


# One of each kind; the others differ from these as the networks of `NETWORKS` do.
IMPORTED = ("n1_gray", "n2_no_frequency", "n3_haar_ref", "n3_squeeze_prop")


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=() if path.stem in IMPORTED else pytest.mark.nightly)
        for path in FILES
    ],
)
def test_imported_golden_networks_compute_what_the_authors_do_in_rgb(imported, path):
    golden = golden_of(path)
    parameters = dict(golden.parameters)
    for name in parameters:
        if name.endswith("haar_weights"):
            count = len(parameters[name]) // 4
            parameters[name] = np.tile(Haar.SIGNS.reshape(4, 1, 2, 2), (count, 1, 1, 1))
    down = golden.options["down"]
    is_open = down["use_down"] and down["order"] == "hl"
    model, _ = imported(parameters, embedding_channels=3 if is_open else None)

    quantised, embedding = golden.stage("embedding_quantised"), golden.stage("embedding")
    found = round_trip(model, golden.group("frames")[..., ::-1], quantised[..., ::-1])
    expected = embedding[..., ::-1], golden.group("restored")[..., ::-1]
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=5e-5)


# Computed with every change: each kind of relation module, down-scaling, split and embedding.
COMPUTED = ("one, grey", "two", "two, haar, prop, grey", "three, squeeze, ref")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in COMPUTED else pytest.mark.nightly)
        for name in NETWORKS
    ],
)
def test_swapped_parameters_are_the_same_network_for_rgb(name):
    config = complete(NETWORKS[name])
    parameters = official_parameters(config)
    theirs = abstract_network(IICNet, **config)
    load_official(theirs, parameters)
    if name in SPLIT_COLOURS:
        with pytest.raises(ValueError, match="no whole images of 3 colours"):
            swap_colours(parameters)
        ours = abstract_network(IICNet, **config, colour_order="bgr")
        load_official(ours, parameters)
    else:
        ours = abstract_network(IICNet, **config)
        load_official(ours, swap_colours(parameters))

    random = np.random.RandomState(0)
    frames = jnp.asarray(random.random_sample((1, config["num_images"], 4, 6, 3)), jnp.float32)
    size = theirs.embedding_size(4, 6)
    image = random.random_sample((1, *size, config["embedding_channels"])).astype(np.float32)
    found = round_trip(ours, frames, image)
    expected = round_trip(theirs, frames[..., ::-1], image[..., ::-1])
    for rgb, bgr in zip(found, expected, strict=True):
        np.testing.assert_allclose(rgb, bgr[..., ::-1], rtol=0, atol=1e-5)
        # ... and the order matters to this network.
        assert rgb.shape[-1] == 1 or np.abs(rgb - bgr).max() > 1e-2


def test_swapping_twice_changes_nothing():
    parameters = official_parameters(complete(NETWORKS["three, haar, prop"]))
    twice = swap_colours(swap_colours(parameters))
    for name, value in parameters.items():
        np.testing.assert_array_equal(twice[name], value)


@pytest.mark.parametrize("name", NETWORKS)
def test_names_and_shapes_tell_the_network(name):
    config = complete(NETWORKS[name])
    expected = config | ({"colour_order": "bgr"} if name in SPLIT_COLOURS else {})
    parameters = official_parameters(config)
    assert infer_config(parameters, **options_of(name)) == expected
    # What is known may be said again.
    both = {option: config[option] for option in ("embedding_channels", "split")}
    assert infer_config(parameters, **both) == expected


@pytest.mark.parametrize("name", OPEN)
def test_what_is_left_open_must_be_said(name):
    parameters = official_parameters(complete(NETWORKS[name]))
    with pytest.raises(UserError, match=f"do not tell .*{OPEN[name][0]}=.* or .*give these"):
        infer_config(parameters)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("two", {"embedding_channels": 1}, "embedding_channels=1 does not fit .*_channels=3"),
        ("one, grey", {"embedding_channels": 3}, "embedding_channels=3 does not fit"),
        ("two, haar, ref", {"split": "prop"}, "split='prop' does not fit .*split='ref'"),
        ("three, haar, prop", {"split": "ref"}, "split='ref' does not fit .*split='prop'"),
    ],
)
def test_options_must_agree_with_the_parameters(name, options, message):
    with pytest.raises(UserError, match=message):
        infer_config(official_parameters(complete(NETWORKS[name])), **options)


def test_split_means_nothing_without_downscaling():
    parameters = official_parameters(complete(NETWORKS["two"]))
    assert infer_config(parameters, split="prop")["split"] == "prop"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_both_layouts_and_parallel_training_give_the_same_model(imported, layout, tmp_path):
    config = complete(NETWORKS["two, no relation"])
    parameters = official_parameters(config)
    model, found = imported({f"module.{k}": v for k, v in parameters.items()}, layout)
    assert found == config
    saved = json.loads((tmp_path / "model" / "config.json").read_text())
    assert saved["model"] == config and saved["about"] == {"imported_from": "latest.pth"}
    ours = parameter_arrays(nnx.state(model, nnx.Param))["blocks/layers/1/G/growing/1/kernel"]
    theirs = swap_colours(parameters)["2.operations.1.G.conv2.weight"]
    np.testing.assert_array_equal(ours, np.transpose(theirs, (2, 3, 1, 0)))


def damaged(change, name="two, haar, ref"):
    parameters = official_parameters(complete(NETWORKS[name]))
    change(parameters)
    return parameters


BLOCK = "2.operations.0"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p.clear() or p.update(a=np.ones(1)), "there is no kernel '2.operations"),
        (lambda p: p.pop(f"{BLOCK}.H.conv1.bias"), r"it has 13[0-9] parameters, and a network"),
        (lambda p: p.update(extra=np.ones(1)), "parameters, and a network of 2 images and 1"),
        (lambda p: p.update({"0.forw_rel.norm": p.pop(f"{BLOCK}.H.conv1.bias")}), "is no param"),
        (lambda p: p.pop("1.operations.1.weight"), "without the invertible 1x1 convolution"),
        (lambda p: p.update({"1.operations.0.haar_weights": np.ones((24, 1, 2, 2))}), "kernels"),
        (lambda p: p.update({"1.operations.0.haar_weights": np.ones(())}), "not the kernels"),
        (lambda p: p.update({"1.operations.1.weight": np.ones(3)}), "no whole images"),
        (lambda p: p.update({f"{BLOCK}.F.conv1.weight": np.ones(3)}), "there is no kernel"),
        (lambda p: p.update({f"{BLOCK}.F.conv1.weight": np.ones((32, 9, 3, 3))}), "no number of"),
        (lambda p: p.update({f"{BLOCK}.G.conv3.weight": np.ones((1, 1))}), "no whole images"),
        (lambda p: p.update({f"{BLOCK}.G.conv3.bias": np.ones(31)}), "has the shape"),
        (lambda p: p[f"{BLOCK}.F.conv1.bias"].fill(np.nan), "F.conv1.bias' has values that are"),
        (lambda p: p.update({f"{BLOCK}.F.conv1.bias": np.full(32, 1e300)}), "are not finite"),
    ],
)
def test_other_networks_are_refused(imported, change, message, tmp_path):
    with pytest.raises(UserError, match=message) as caught:
        imported(damaged(change))
    assert str(caught.value).startswith(f"{tmp_path / 'latest.pth'} cannot be imported: ")
    assert not (tmp_path / "model").exists()


def test_couplings_of_other_lengths_are_refused():
    parameters = official_parameters(complete(NETWORKS["two"]))
    parameters[f"{BLOCK}.F.conv5.weight"] = np.ones((2, 131, 3, 3))
    parameters[f"{BLOCK}.F.conv1.weight"] = np.ones((32, 4, 3, 3))
    with pytest.raises(UserError, match="splits 6 channels after 2 is none of the authors'"):
        infer_config(parameters)
