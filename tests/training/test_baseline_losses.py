"""The losses of the methods that the paper compares with, term by term."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from iicnet_jax.training.baseline_losses import (
    InvertibleGrayscaleLoss,
    IRNLoss,
    WINLoss,
    order_loss,
    total_variation,
)
from iicnet_jax.training.losses import embedding_loss, restoration_loss

pytestmark = pytest.mark.usefixtures("strict_dtypes")


def random(shape, seed=0):
    return jnp.asarray(np.random.RandomState(seed).uniform(size=shape), jnp.float32)


class FakeIRN:
    """Keeps the image as it is and leaves out twice the image; restores their sum."""

    def forward(self, frames):
        return frames[:, 0], 2 * frames[:, 0]

    def restore(self, image, size, latent):
        return (image + latent)[:, None]


class FakeGrayscale:
    """Embeds to the first channel; restores three of it."""

    def embed(self, frames):
        return frames[:, 0, :, :, :1]

    def restore(self, image, size):
        return jnp.repeat(image, 3, axis=-1)[:, None]


class FakeWIN:
    """Computes the image and a copy that has not been moved; restores the image twice."""

    def forward(self, frames):
        return jnp.tile(frames[:, 0], (1, 1, 1, 2))

    def restore(self, image, size):
        return jnp.stack([image, image], axis=1)

    def penalty(self):
        return jnp.float32(7)


def terms_of(loss, model, batch, quantise=lambda y: y, key=0, step=0):
    return loss(model, batch, quantise, key=jax.random.key(key), step=jnp.int32(step))


@pytest.fixture
def batch():
    return {"frames": random((2, 1, 4, 6, 3)), "reference": random((2, 4, 6, 3), seed=1)}


def test_irn_fits_the_small_image_and_the_normal_distribution(batch):
    terms = terms_of(IRNLoss(), FakeIRN(), batch)
    frames = batch["frames"][:, 0]
    np.testing.assert_allclose(
        terms["embedding"], 4 * embedding_loss(frames, batch["reference"]), rtol=1e-6
    )
    expected = float((np.asarray(2 * frames, np.float64) ** 2).sum() / 2)
    np.testing.assert_allclose(terms["latent"], expected, rtol=1e-6)


def test_irn_restores_from_the_quantised_image_and_a_draw(batch):
    terms = terms_of(IRNLoss(), FakeIRN(), batch, lambda y: y + 1)
    drawn = jax.random.normal(jax.random.fold_in(jax.random.key(0), 1), (2, 4, 6, 3))
    restored = (batch["frames"][:, 0] + 1 + drawn)[:, None]
    expected = restoration_loss(restored, batch["frames"])
    np.testing.assert_allclose(terms["restoration"], expected, rtol=1e-5)
    other = terms_of(IRNLoss(), FakeIRN(), batch, lambda y: y + 1, key=1)
    assert float(other["restoration"]) != float(terms["restoration"])


def test_order_counts_what_is_beyond_the_margin_on_the_scale_of_minus_one_to_one():
    grey = jnp.asarray([0.0, 0.5, 1.0]).reshape(1, 1, 3, 1)
    luma = jnp.asarray([0.2, 0.0, 0.0]).reshape(1, 1, 3, 1)
    # Differences of 0.4, 1 and 2, margin 70/127.
    expected = ((1 - 70 / 127) + (2 - 70 / 127)) / 3
    np.testing.assert_allclose(order_loss(grey, luma), expected, rtol=1e-6)


def test_total_variation_is_a_mean_over_pixels_and_images():
    one = jnp.asarray([[0.0, 1.0], [0.5, 1.0]]).reshape(1, 2, 2, 1)
    # On the scale of -1 to 1: columns differ by 2 and 1, rows by 1 and 0; four pixels.
    assert float(total_variation(one)) == (2 + 1 + 1 + 0) / 4
    both = jnp.concatenate([one, jnp.zeros_like(one)])
    assert float(total_variation(both)) == 0.5


@pytest.fixture
def grey_batch(batch):
    return {"frames": batch["frames"], "reference": batch["reference"][..., :1]}


def test_grayscale_has_the_papers_terms_in_each_stage(grey_batch):
    loss = InvertibleGrayscaleLoss(later_from=3)
    first, second = (terms_of(loss, FakeGrayscale(), grey_batch, step=step) for step in (2, 3))
    frames = np.asarray(grey_batch["frames"], np.float64)[:, 0]
    grey, luma = frames[..., :1], np.asarray(grey_batch["reference"], np.float64)
    np.testing.assert_allclose(
        first["restoration"], 3 * np.mean((2 * (grey - frames)) ** 2), rtol=1e-5
    )
    np.testing.assert_allclose(
        first["order"], np.mean(np.maximum(70 / 127, 2 * abs(grey - luma))) - 70 / 127, rtol=1e-5
    )
    variation = abs(total_variation(jnp.float32(grey)) - total_variation(jnp.float32(luma)))
    levels = np.arange(256) / 127.5 - 1
    nearest = np.abs(2 * grey - 1 - levels).min(axis=-1).mean()
    for terms, a, q in ((first, 0.5, 0), (second, 0.1, 10)):
        np.testing.assert_allclose(terms["variation"], a * variation, rtol=1e-5)
        np.testing.assert_allclose(terms["quantisation"], q * nearest, rtol=1e-3)
    assert "perceptual" not in first
    for name in ("restoration", "order"):
        assert float(first[name]) == float(second[name])


def test_grayscale_compares_features_where_there_are_some(grey_batch):
    def features(images):
        assert images.shape == (2, 4, 6, 3)
        return 1000 * images

    loss = InvertibleGrayscaleLoss(perceptual=0.5, features=features)
    terms = terms_of(loss, FakeGrayscale(), grey_batch)
    frames = np.asarray(grey_batch["frames"])[:, 0]
    expected = 0.5 * np.mean((1000 * (frames[..., :1] - frames)) ** 2)
    np.testing.assert_allclose(terms["perceptual"], expected, rtol=1e-4)


def test_win_draws_the_other_groups_to_the_moved_reference():
    frames, reference = random((2, 2, 4, 6, 3)), random((2, 4, 6, 3), seed=1)
    batch = {"frames": frames, "reference": reference}
    loss = WINLoss(embedding=2.0, shift=3.0, restoration=5.0, determinant=0.5, distance="squared")
    terms = terms_of(loss, FakeWIN(), batch, lambda y: y + 1)
    image = frames[:, 0]
    moved = jnp.pad(reference, ((0, 0), (0, 1), (0, 1), (0, 0)), mode="reflect")[:, 1:, 1:]
    expected = {
        "embedding": 2 * embedding_loss(image, reference),
        "shift": 3 * embedding_loss(image, moved),
        # The loss of IICNet is a mean over the images.
        "restoration": 5 * 2 * restoration_loss(jnp.stack([image + 1] * 2, axis=1), frames),
        "determinant": 3.5,
    }
    assert terms.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(terms[name], value, rtol=1e-5)


def test_an_unknown_distance_lists_the_known_ones():
    with pytest.raises(ValueError, match="distance must be one of 'charbonnier', 'squared'"):
        WINLoss(distance="l3")
