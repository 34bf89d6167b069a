"""A network on disk."""

import hashlib
import json

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from safetensors.numpy import load_file, save_file

from iicnet_jax.core.errors import UserError
from iicnet_jax.models import IICNet
from iicnet_jax.models.baselines import IRN
from iicnet_jax.models.layers import parameter_arrays, set_parameters
from iicnet_jax.weights.model_dir import load_config, read_model, save_model

FIELDS = {
    "num_images": 3,
    "relation": False,
    "downscaling": "squeeze",
    "split": "prop",
    "num_blocks": 1,
}


@pytest.fixture
def saved(tmp_path, random_network):
    model = random_network(lambda: IICNet(**FIELDS, rngs=nnx.Rngs(0)))
    save_model(tmp_path / "model", nnx.state(model, nnx.Param), FIELDS, {"step": 3})
    return model, tmp_path / "model"


def test_a_saved_network_computes_the_same(saved):
    model, folder = saved
    image = jnp.asarray(np.random.default_rng(0).random((1, 4, 5, 3)), jnp.float32)
    np.testing.assert_array_equal(read_model(folder).network.restore(image), model.restore(image))
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]


def test_a_folder_without_a_model_says_what_is_missing(tmp_path, saved):
    with pytest.raises(UserError, match=r"holds no model \(model\.safetensors is missing\)"):
        read_model(tmp_path / "nowhere")
    (saved[1] / "config.json").unlink()
    with pytest.raises(UserError, match=r"holds no model \(config\.json is missing\)"):
        read_model(saved[1])


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_damaged_files_are_refused(saved, name):
    path = saved[1] / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match="is damaged"):
        read_model(saved[1])


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('"format": 1', '"format": 2', "has the format 2"),
        (
            '"method": "iicnet"',
            '"method": "later"',
            "of the method 'later', and this version knows",
        ),
        ('"format": 1', '"format": "1"', "its format cannot be '1'"),
        ('"format": 1', '"form": 1', "it lacks format"),
        ('"format": 1', '"format": NaN', "NaN is no number"),
        ('"method": "iicnet"', '"method": ["iicnet"]', "of the method .'iicnet'"),
        ('"model": {', '"model": 7, "was": {', "its model cannot be 7"),
        ('"num_images": 3', '"images": 3', "it lacks model.num_images"),
        ('"num_blocks": 1', '"blocks": 1', "model.blocks is no argument of iicnet"),
        ('"num_blocks": 1', '"num_blocks": true', "its model.num_blocks cannot be True"),
        ('"num_blocks": 1', '"num_blocks": 0', "model.num_blocks is 0, but must be from 1 to"),
        ('"num_blocks": 1', '"num_blocks": 100000000', "is 100000000, but must be from 1 to 10000"),
        (
            '"num_blocks": 1',
            '"num_blocks": 9999',
            "does not fit config.json: it has .* 9999 layers",
        ),
        ('"relation": false', '"relation": 0', "its model.relation cannot be 0"),
        (
            '"num_images": 3,\n    "relation": false',
            '"num_images": 1000, "relation": true',
            "does not fit config.json: it has .* 1000 layers",
        ),
        ('"split": "prop"', '"split": "half"', "split must be one of 'ref', 'prop', not 'half'"),
        ('"step": 3', '"step": ' + "[" * 900 + "]" * 900, "it is nested more than"),
        ('"step": 3', '"step": ' + "[" * 100_000, "it is no JSON"),
        ('"step": 3', '"quality": {}', "it lacks quality.embedding"),
        ('"step": 3', '"step": "' + "3" * 2**20 + '"', "it has more than 1048576 bytes"),
        ('"num_blocks": 1', '"num_blocks": 2', "does not fit"),
        ('"num_images": 3', '"num_images": 2', "has the shape"),
    ],
)
def test_a_configuration_that_does_not_fit_the_weights_is_refused(saved, before, after, message):
    path = saved[1] / "config.json"
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after))
    with pytest.raises(UserError, match=message):
        read_model(saved[1])


@pytest.mark.parametrize("text", ["[1]", "null", "\xff"])
def test_a_configuration_that_is_no_json_object_is_refused(saved, text):
    (saved[1] / "config.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match=r"config\.json is damaged: it is no JSON"):
        read_model(saved[1])


def test_one_flipped_bit_in_the_weights_is_seen(saved):
    path = saved[1] / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-10] ^= 4
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"model\.safetensors is damaged, or not the file that"):
        read_model(saved[1])


def test_a_model_from_before_there_were_fingerprints_is_read(saved):
    path = saved[1] / "config.json"
    config = json.loads(path.read_text())
    del config["fingerprint"], config["about"]
    path.write_text(json.dumps(config))
    assert load_config(saved[1])["about"] == {}
    assert read_model(saved[1]).network.num_images == 3


def test_weights_of_other_numbers_are_refused(saved):
    path = saved[1] / "model.safetensors"
    save_file({name: a.astype("f8") for name, a in load_file(path).items()}, path)
    with pytest.raises(UserError, match="numbers are F64, not F32 or F16"):
        read_model(saved[1])


def test_in_half_precision_a_network_is_rounded_and_takes_half_the_space(saved, tmp_path):
    network, folder = saved
    save_model(tmp_path / "half", nnx.state(network, nnx.Param), FIELDS, {}, half=True)
    sizes = [(each / "model.safetensors").stat().st_size for each in (tmp_path / "half", folder)]
    assert sizes[0] < 0.6 * sizes[1]
    half, whole = read_model(tmp_path / "half"), read_model(folder)
    assert half.fingerprint != whole.fingerprint
    arrays = parameter_arrays(nnx.state(half.network, nnx.Param))
    for name, array in parameter_arrays(nnx.state(network, nnx.Param)).items():
        assert arrays[name].dtype == np.float32
        np.testing.assert_array_equal(arrays[name], array.astype("f2"))
    # The fingerprint is that of the numbers, however they are stored.
    save_model(tmp_path / "again", nnx.state(half.network, nnx.Param), FIELDS, {})
    assert read_model(tmp_path / "again").fingerprint == half.fingerprint


@pytest.mark.parametrize("value", [7e4, np.nan])
def test_what_half_precision_cannot_hold_is_refused(saved, tmp_path, value):
    state = nnx.state(saved[0], nnx.Param)
    arrays = parameter_arrays(state)
    name = next(iter(arrays))
    arrays[name] = np.full_like(arrays[name], value)
    set_parameters(state, arrays)
    with pytest.raises(UserError, match=f"{name} has a value of .*, too large for half precision"):
        save_model(tmp_path / "half", state, FIELDS, {}, half=True)
    assert not (tmp_path / "half").exists()


def test_the_fingerprint_is_the_documented_one(saved):
    model, folder = saved
    arguments = {
        "colour_order": "rgb",
        "downscaling": "squeeze",
        "embedding_channels": 3,
        "num_blocks": 1,
        "num_images": 3,
        "relation": False,
        "relation_features": 64,
        "split": "prop",
    }
    digest = hashlib.sha256(json.dumps(arguments).encode())
    for name, array in sorted(load_file(folder / "model.safetensors").items()):
        shape = ", ".join(map(str, array.shape))
        digest.update(f"\n{name} [{shape}] float32\n".encode() + array.astype("<f4").tobytes())
    assert read_model(folder).fingerprint == digest.hexdigest()
    save_model(folder, nnx.state(model, nnx.Param), arguments, {})
    assert read_model(folder).fingerprint == digest.hexdigest()


def test_a_model_without_a_method_is_an_iicnet(saved):
    _, folder = saved
    path = folder / "config.json"
    config = json.loads(path.read_text())
    assert config.pop("method") == "iicnet"
    path.write_text(json.dumps(config))
    assert type(read_model(folder).network) is IICNet
    assert read_model(folder).fingerprint == config["fingerprint"]


def test_another_method_is_saved_with_its_name_and_has_it_in_the_fingerprint(
    tmp_path, random_network
):
    model = random_network(lambda: IRN(num_blocks=1, rngs=nnx.Rngs(0)))
    save_model(tmp_path, nnx.state(model, nnx.Param), {"num_blocks": 1}, {}, "irn")
    loaded, _, fingerprint, _ = read_model(tmp_path)
    assert type(loaded) is IRN
    image = jnp.asarray(np.random.default_rng(0).random((1, 4, 5, 3)), jnp.float32)
    np.testing.assert_array_equal(loaded.restore(image), model.restore(image))
    fields = {"downscaling": "haar", "method": "irn", "num_blocks": 1, "num_images": 1}
    digest = hashlib.sha256(json.dumps(fields).encode())
    for name, array in sorted(load_file(tmp_path / "model.safetensors").items()):
        shape = ", ".join(map(str, array.shape))
        digest.update(f"\n{name} [{shape}] float32\n".encode() + array.astype("<f4").tobytes())
    assert fingerprint == digest.hexdigest()
