"""Differentiable JPEG against Pillow's, and its gradients."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from skimage import data

from iicnet_jax.imaging.carrier import Carrier
from iicnet_jax.models.jpeg import jpeg
from iicnet_jax.training import sharding
from tests.training.eight_devices import COLLECTIVE

QUALITIES = (30, 55, 80, 90, 98)
FORMS = ("4:2:0", "4:4:4", "grey")
coded = jax.jit(jpeg, static_argnums=2)


def photographs(form):
    """Two of no whole number of blocks: odd, and of a multiple of 8 that is none of 16."""
    images = data.chelsea()[20:173, 30:277], data.coffee()[100:224, 200:376]
    if form == "grey":
        images = [np.asarray(Image.fromarray(image).convert("L"))[..., None] for image in images]
    return images


def unit(image):
    return jnp.asarray(image[None] / 255, jnp.float32)


@pytest.mark.parametrize("form", FORMS)
def test_photographs_come_back_as_from_pillow(form):
    subsampling = "4:2:0" if form == "grey" else form
    for image in photographs(form):
        for quality in QUALITIES:
            expected = Carrier("jpeg", quality, subsampling)(image).astype(float)
            found = 255 * np.asarray(coded(unit(image), jnp.int32(quality), subsampling)[0])
            np.testing.assert_allclose(found, np.round(found), atol=1e-4)
            assert np.abs(found - expected).mean() <= 0.5, quality
            assert np.abs(found - expected).max() <= 20  # one step of one coefficient
            # The agreement is not that of a picture that hardly changes.
            assert quality > 90 or np.abs(expected - image).mean() > 1


def test_images_of_a_batch_have_qualities_of_their_own():
    image = photographs("4:2:0")[1]
    both = jnp.concatenate([unit(image)] * 2)
    together = coded(both, jnp.array([40, 95]), "4:2:0")
    mapped = jax.jit(jax.vmap(lambda y, q: jpeg(y[None], q)[0]))(both, jnp.array([40, 95]))
    np.testing.assert_allclose(together, mapped, atol=1e-6)
    for number, quality in enumerate((40, 95)):
        alone = coded(unit(image), jnp.int32(quality), "4:2:0")
        np.testing.assert_array_equal(together[number], alone[0])


@pytest.mark.parametrize("form", FORMS)
def test_the_gradient_is_that_of_the_linear_pipeline(form):
    """Without roundings and clips JPEG is linear: averages, a filter, and transforms that cancel.

    So with 4:4:4 and in grey the gradient is the identity's; with 4:2:0 the directions that the
    subsampling keeps, grey ones, and all of smooth colours, are the identity's too.
    """
    random = np.random.default_rng(0)
    channels, subsampling = (1, "4:2:0") if form == "grey" else (3, form)
    y = jnp.asarray(random.uniform(0.4, 0.6, (2, 16, 24, channels)), jnp.float32)
    weight = jnp.asarray(random.normal(size=y.shape), jnp.float32)
    qualities = jnp.array([60, 90])

    @jax.jit
    def pull_back(weight):
        return jax.vjp(lambda y: jpeg(y, qualities, subsampling), y)[1](weight)[0]

    gradient = pull_back(weight)
    if form == "4:2:0":
        np.testing.assert_allclose(gradient.sum(-1), weight.sum(-1), atol=1e-4)
        constant = jnp.broadcast_to(jnp.array([1.0, -2.0, 0.5]), y.shape)
        np.testing.assert_allclose(pull_back(constant), constant, atol=1e-4)
        assert float(jnp.abs(gradient - weight).max()) > 0.1
    else:
        np.testing.assert_allclose(gradient, weight, atol=1e-4)


def test_the_gradient_is_zero_where_the_file_cannot_follow():
    y = jnp.full((1, 8, 8, 1), 0.5).at[0, 2, 3].set(1.2).at[0, 5, 6].set(-0.1)
    gradient = jax.jit(jax.grad(lambda y: jpeg(y, 98).sum()))(y)
    assert float(jnp.abs(gradient[0, [2, 5], [3, 6]]).max()) == 0
    assert bool(jnp.isfinite(gradient).all())
    assert float(gradient.max()) > 0.5


def test_devices_exchange_nothing():
    mesh = sharding.data_mesh(batch_size=2)
    assert mesh.size == 2
    y = sharding.put_batch(mesh, np.full((2, 10, 12, 3), 0.5, np.float32))

    def gradient(y):
        return jax.grad(lambda y: jpeg(y, jnp.array([60, 90])).sum())(y)

    program = jax.jit(gradient).lower(y).compile()
    assert not re.findall(COLLECTIVE, program.as_text())


@pytest.mark.parametrize(("channels", "subsampling"), [(2, "4:2:0"), (3, "4:1:1")])
def test_what_jpeg_cannot_code_is_named(channels, subsampling):
    with pytest.raises(ValueError, match=rf"not images \(1, 8, 8, {channels}\) with {subsampling}"):
        jpeg(jnp.zeros((1, 8, 8, channels)), 80, subsampling)
