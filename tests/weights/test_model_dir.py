"""A network on disk."""

import hashlib
import json

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from safetensors.numpy import load_file

from iicnet_jax.errors import UserError
from iicnet_jax.models import IICNet
from iicnet_jax.models.baselines import IRN
from iicnet_jax.weights.model_dir import fingerprint, load_model, save_model

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
    np.testing.assert_array_equal(load_model(folder).restore(image), model.restore(image))
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]


def test_a_folder_without_a_model_says_what_is_missing(tmp_path, saved):
    with pytest.raises(UserError, match=r"holds no model \(model\.safetensors is missing\)"):
        load_model(tmp_path / "nowhere")
    (saved[1] / "config.json").unlink()
    with pytest.raises(UserError, match=r"holds no model \(config\.json is missing\)"):
        load_model(saved[1])


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_damaged_files_are_refused(saved, name):
    path = saved[1] / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match="is damaged"):
        load_model(saved[1])


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('"format": 1', '"format": 2', "has the format 2"),
        (
            '"method": "iicnet"',
            '"method": "later"',
            "of the method 'later', and this version knows",
        ),
        ('"num_blocks": 1', '"num_blocks": 2', "does not fit"),
        ('"num_images": 3', '"num_images": 2', "has the shape"),
    ],
)
def test_a_configuration_that_does_not_fit_the_weights_is_refused(saved, before, after, message):
    path = saved[1] / "config.json"
    path.write_text(path.read_text().replace(before, after))
    with pytest.raises(UserError, match=message):
        load_model(saved[1])


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
    assert fingerprint(model, FIELDS) == digest.hexdigest()
    assert fingerprint(load_model(folder), arguments) == digest.hexdigest()


def test_a_model_without_a_method_is_an_iicnet(saved):
    _, folder = saved
    path = folder / "config.json"
    config = json.loads(path.read_text())
    assert config.pop("method") == "iicnet"
    path.write_text(json.dumps(config))
    assert type(load_model(folder)) is IICNet
    assert fingerprint(load_model(folder), FIELDS) == config["fingerprint"]


def test_another_method_is_saved_with_its_name_and_has_it_in_the_fingerprint(
    tmp_path, random_network
):
    model = random_network(lambda: IRN(num_blocks=1, rngs=nnx.Rngs(0)))
    save_model(tmp_path, nnx.state(model, nnx.Param), {"num_blocks": 1}, {}, "irn")
    loaded = load_model(tmp_path)
    assert type(loaded) is IRN
    image = jnp.asarray(np.random.default_rng(0).random((1, 4, 5, 3)), jnp.float32)
    np.testing.assert_array_equal(loaded.restore(image), model.restore(image))
    fields = {"downscaling": "haar", "method": "irn", "num_blocks": 1, "num_images": 1}
    digest = hashlib.sha256(json.dumps(fields).encode())
    for name, array in sorted(load_file(tmp_path / "model.safetensors").items()):
        shape = ", ".join(map(str, array.shape))
        digest.update(f"\n{name} [{shape}] float32\n".encode() + array.astype("<f4").tobytes())
    assert fingerprint(loaded, {"num_blocks": 1}) == digest.hexdigest()
