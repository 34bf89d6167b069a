"""The loss terms on examples that can be worked out by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from iicnet_jax.training.losses import (
    IICNetLoss,
    embedding_loss,
    frequency_loss,
    overflow_loss,
    restoration_loss,
)

pytestmark = pytest.mark.usefixtures("strict_dtypes")


def random(shape, seed=0):
    return jnp.asarray(np.random.RandomState(seed).uniform(size=shape), jnp.float32)


class FakeNetwork:
    """Embeds to the first image and restores N copies, so that all losses are easy to compute."""

    def embed(self, frames):
        self.frames = frames
        return frames[:, 0]

    def restore(self, image, size):
        assert size == self.frames.shape[2:4]
        return jnp.stack([image] * self.frames.shape[1], axis=1)


def terms_of(loss, batch, quantise=lambda y: y):
    return loss(FakeNetwork(), batch, quantise, key=jax.random.key(0), step=jnp.int32(0))


@pytest.fixture
def batch():
    return {"frames": random((2, 3, 4, 5, 3)), "reference": random((2, 4, 5, 3), seed=1)}


def test_embedding_loss_sums_the_squares_and_averages_the_batch():
    embedding = jnp.asarray([[1.0, 2.0, 3.0], [0.0, 0.0, 4.0]]).reshape(2, 1, 1, 3)
    assert float(embedding_loss(embedding, jnp.zeros((2, 1, 1, 3)))) == (1 + 4 + 9 + 16) / 2


@pytest.mark.parametrize("width", [4, 5])
def test_frequency_loss_sums_the_squared_one_sided_spectrum(width):
    embedding, reference = random((2, 4, width, 3)), random((2, 4, width, 3), seed=1)
    difference = np.asarray(embedding - reference, np.float64)
    spectrum = np.fft.fft2(difference, axes=(1, 2))[:, :, : width // 2 + 1]
    expected = (np.abs(spectrum) ** 2).sum() / 2
    np.testing.assert_allclose(frequency_loss(embedding, reference), expected, rtol=1e-5)


def test_restoration_loss_is_the_charbonnier_distance_summed_over_pixels():
    restored = jnp.asarray([0.0, 0.5, -2.0]).reshape(1, 1, 1, 1, 3)
    expected = sum(np.sqrt(d**2 + 1e-6) for d in (0, 0.5, 2))
    loss = restoration_loss(restored, jnp.zeros((1, 1, 1, 1, 3)))
    np.testing.assert_allclose(loss, expected, rtol=1e-6)


def test_overflow_loss_sums_what_a_file_cannot_hold():
    embedding = jnp.asarray([[-0.5, 0.0, 0.5], [1.0, 1.25, 3.0]]).reshape(2, 1, 1, 3)
    assert float(overflow_loss(embedding)) == (0.5 + 0.25 + 2) / 2


@pytest.mark.parametrize("copies", [(3, 1), (1, 3)], ids=["batch", "images"])
def test_restoration_loss_is_a_mean_over_the_batch_and_the_images(copies):
    restored, frames = random((2, 2, 4, 5, 3)), random((2, 2, 4, 5, 3), seed=1)
    once = restoration_loss(restored, frames)
    more = restoration_loss(*(jnp.tile(x, (*copies, 1, 1, 1)) for x in (restored, frames)))
    np.testing.assert_allclose(more, once, rtol=1e-6)


def test_default_weights_are_the_papers():
    assert IICNetLoss() == IICNetLoss(embedding=1.0, frequency=0.001, restoration=3.0)


def test_every_term_is_multiplied_by_its_weight(batch):
    loss = IICNetLoss(embedding=2.0, frequency=3.0, restoration=5.0, overflow=7.0)
    batch["frames"] *= 2
    losses = terms_of(loss, batch)
    embedding = batch["frames"][:, 0]
    restored = jnp.stack([embedding] * 3, axis=1)
    expected = {
        "embedding": 2 * embedding_loss(embedding, batch["reference"]),
        "frequency": 3 * frequency_loss(embedding, batch["reference"]),
        "restoration": 5 * restoration_loss(restored, batch["frames"]),
        "overflow": 7 * overflow_loss(embedding),
    }
    assert losses.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(losses[name], value, rtol=1e-6)


@pytest.mark.parametrize("name", ["embedding", "frequency", "restoration", "overflow"])
def test_a_term_of_weight_zero_is_not_computed(batch, name, monkeypatch):
    def fail(*_):
        raise AssertionError

    monkeypatch.setattr(f"iicnet_jax.training.losses.{name}_loss", fail)
    loss = IICNetLoss(**{name: 0.0})
    losses = terms_of(loss, batch)
    assert float(losses[name]) == 0


def test_only_the_restoration_sees_the_quantised_embedding(batch):
    exact = terms_of(IICNetLoss(), batch)
    quantised = terms_of(IICNetLoss(), batch, lambda y: y + 1)
    assert float(exact["embedding"]) == float(quantised["embedding"])
    assert float(exact["frequency"]) == float(quantised["frequency"])
    assert float(exact["restoration"]) < float(quantised["restoration"])
