"""VGG-19 from files, with few channels and random weights."""

import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import save_file

from configs import base
from iicnet_jax.core.errors import UserError
from iicnet_jax.experiment import build
from iicnet_jax.models.vgg19 import VGG19
from iicnet_jax.weights.vgg19 import load_vgg19
from tests.torch_files import weight_file

CHANNELS = {0: 2, 2: 2, 5: 3, 7: 3, 10: 2, 12: 2, 14: 2, 16: 3, 19: 4}


@pytest.fixture
def arrays():
    """In torchvision's layout, with a layer and a classifier beyond what is read."""
    random, found, before = np.random.RandomState(0), {}, 3
    for number, channels in {**CHANNELS, 21: 4}.items():
        kernel = random.normal(size=(channels, before, 3, 3))
        found[f"features.{number}.weight"] = kernel.astype(np.float32)
        found[f"features.{number}.bias"] = random.normal(size=channels).astype(np.float32)
        before = channels
    return found | {"classifier.0.weight": np.ones((2, 2), np.float32)}


def test_safetensors_and_pytorchs_files_give_the_same(arrays, tmp_path):
    save_file(arrays, tmp_path / "vgg.safetensors")
    (tmp_path / "vgg.pth").write_bytes(weight_file("zip", arrays))
    networks = [load_vgg19(tmp_path / name) for name in ("vgg.safetensors", "vgg.pth")]
    for number, layers in zip(
        CHANNELS, zip(*(n.layers for n in networks), strict=True), strict=True
    ):
        expected = arrays[f"features.{number}.weight"].transpose(2, 3, 1, 0)
        for kernel, bias in layers:
            np.testing.assert_array_equal(kernel, expected)
            np.testing.assert_array_equal(bias, arrays[f"features.{number}.bias"])


def test_a_run_reads_the_file_that_its_configuration_names(arrays, tmp_path):
    save_file(arrays, tmp_path / "vgg.safetensors")
    config = base.get_config("invertible_grayscale")
    config.steps = 40
    assert build.create_loss(config).features is None
    assert build.create_loss(config).later_from == 30
    config.loss.vgg_file = str(tmp_path / "vgg.safetensors")
    assert len(build.create_loss(config).features.layers) == 9


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("vgg.pth", None, "there is no file"),
        ("vgg.safetensors", None, "cannot be read"),
        ("vgg.safetensors", b"no weights", "cannot be read"),
        ("vgg.pth", b"no weights", "is damaged or holds no weights"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, name, content, message):
    path = tmp_path / name
    if content:
        path.write_bytes(content)
    with pytest.raises(UserError, match=message) as error:
        load_vgg19(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("number", [5, 19])
def test_another_network_is_refused(arrays, tmp_path, number):
    arrays[f"features.{number}.weight"] = arrays[f"features.{number}.weight"][:, :1]
    save_file(arrays, tmp_path / "vgg.safetensors")
    with pytest.raises(UserError, match=rf"does not hold VGG-19.*features\.{number}\.weight"):
        load_vgg19(tmp_path / "vgg.safetensors")
    del arrays[f"features.{number}.weight"]
    save_file(arrays, tmp_path / "vgg.safetensors")
    with pytest.raises(UserError, match="does not hold VGG-19"):
        load_vgg19(tmp_path / "vgg.safetensors")


def test_features_are_of_bgr_images_without_their_mean_at_an_eighth_of_224():
    """Kernels that pass channel 0 on: of a constant image, blue - 103.939 comes out."""
    kernel = np.zeros((3, 3, 3, 3), np.float32)
    kernel[1, 1, 0, 0] = 1.0
    network = VGG19(((kernel, np.float32([5.0, 0.0, -1.0])),) * 9)
    image = jnp.broadcast_to(jnp.asarray([0.1, 0.2, 0.8]), (1, 7, 9, 3))
    features = np.asarray(network(image))
    assert features.shape == (1, 28, 28, 3)
    np.testing.assert_allclose(features[..., 0], 255 * 0.8 - 103.939 + 9 * 5, rtol=1e-5)
    assert not features[..., 1:].any()


def test_larger_images_are_sampled_and_not_averaged():
    """Of four pixels in a row, the middle two count."""
    kernel = np.zeros((3, 3, 3, 1), np.float32)
    kernel[1, 1, 0, 0] = 1.0
    pass_on = np.zeros((3, 3, 1, 1), np.float32)
    pass_on[1, 1, 0, 0] = 1.0
    network = VGG19(((kernel, np.float32([200.0])), *((pass_on, np.float32([0.0])),) * 8))
    columns = np.zeros((1, 2, 4 * 224, 3), np.float32)
    columns[:, :, ::4] = columns[:, :, 3::4] = 1.0
    np.testing.assert_allclose(network(jnp.asarray(columns)), 200 - 103.939, rtol=1e-5)
