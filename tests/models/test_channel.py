"""What the embedding goes through in a train step."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from iicnet_jax.imaging.carrier import Carrier
from iicnet_jax.models.channel import Channel, real
from iicnet_jax.models.jpeg import jpeg
from iicnet_jax.training import sharding
from iicnet_jax.training.step import QUANTISERS

KEY = jax.random.key(5)


def channel(**fields):
    defaults = {
        "form": "jpeg",
        "lowest_quality": 40,
        "highest_quality": 95,
        "subsampling": "4:2:0",
        "lossless_share": 0.0,
    }
    return Channel(lambda y, key: -jnp.ones_like(y), **{**defaults, **fields})


@pytest.fixture(scope="module")
def images():
    smooth = np.random.default_rng(1).uniform(0.2, 0.8, (6, 4, 6, 3))
    return jax.image.resize(jnp.asarray(smooth, jnp.float32), (6, 16, 24, 3), "cubic")


def lossless(coded):
    return np.asarray((coded == -1).all((1, 2, 3)))


coded = jax.jit(jpeg)


def test_every_image_draws_its_quality_from_the_key(images):
    same = jnp.broadcast_to(images[:1], images.shape)
    function = jax.jit(channel(lowest_quality=80, highest_quality=82))
    results = [function(same, key) for key in (KEY, KEY, jax.random.key(7))]
    known = {quality: coded(same, jnp.int32(quality))[0] for quality in (80, 81, 82)}
    first, again, other = (
        [q for image in result for q, one in known.items() if np.allclose(image, one, atol=1e-6)]
        for result in results
    )
    assert len(first) == len(other) == 6
    assert set(first) == {80, 81, 82}
    assert first == again
    assert first != other


def test_a_share_of_the_images_is_quantised_alone(images):
    many = jnp.broadcast_to(images[:1, :8, :8, :1], (400, 8, 8, 1))
    assert 60 < lossless(jax.jit(channel(lossless_share=0.25))(many, KEY)).sum() < 140
    assert not lossless(jax.jit(channel())(many, KEY)).any()


def test_what_is_quantised_alone_is_quantised_as_without_a_channel(images):
    alone = jax.jit(Channel(QUANTISERS["noise"], "jpeg", 50, 60, "4:2:0", 1.0))
    noise = jax.jit(QUANTISERS["noise"])
    np.testing.assert_array_equal(alone(images, KEY), noise(images, KEY))


@pytest.mark.parametrize("form", ["jpeg", "webp", "avif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_real_files_are_pillows_with_the_gradient_of_the_identity(images, form, channels):
    y = images[:2, ..., :channels].at[0, 3, 4].set(1.5)
    qualities = jnp.array([30, 90])
    coded, pull_back = jax.vjp(jax.jit(lambda y: real(y, qualities, form)), y)
    levels = np.asarray(jnp.round(jnp.clip(y, 0, 1) * 255)).astype(np.uint8)
    for number, quality in enumerate((30, 90)):
        expected = Carrier(form, quality)(levels[number])
        np.testing.assert_allclose(coded[number] * 255, expected, atol=1e-3)
        assert not np.array_equal(expected, levels[number])
    weight = jax.random.normal(KEY, y.shape)
    expected = weight.at[0, 3, 4].set(0)
    np.testing.assert_array_equal(pull_back(weight)[0], expected)


@pytest.mark.parametrize("form", ["jpeg", "real_jpeg"])
def test_two_devices_draw_what_one_draws(images, form):
    mesh = sharding.data_mesh(batch_size=6)
    assert mesh.size == 2
    function = jax.jit(channel(form=form, lossless_share=0.3))
    shared = function(sharding.put_batch(mesh, np.asarray(images)), KEY)
    np.testing.assert_allclose(shared, function(images, KEY), atol=1e-6)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"form": "gif"}, "form must be one of 'jpeg', 'real_jpeg'"),
        ({"subsampling": "4:1:1"}, "subsampling must be one of '4:2:0', '4:4:4'"),
        ({"lowest_quality": 96}, "there are no qualities from 96 to 95"),
        ({"highest_quality": 101}, "there are no qualities from 40 to 101"),
        ({"lossless_share": 1.5}, "lossless_share is 1.5, but must be 0 to 1"),
    ],
)
def test_a_channel_that_cannot_be_says_why(fields, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        channel(**fields)
