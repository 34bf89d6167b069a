"""The three terms of the training loss.

Sums over channels and pixels, means over the batch. Images are NHWC in [0, 1].
"""

import dataclasses

import jax.numpy as jnp
from jaxtyping import Array, Float

CHARBONNIER_EPSILON = 1e-6


@dataclasses.dataclass(frozen=True)
class LossWeights:
    """lambda1, lambda2, lambda3 of the paper."""

    embedding: float = 1.0
    frequency: float = 0.001
    restoration: float = 3.0


def embedding_loss(
    embedding: Float[Array, "b h w k"], reference: Float[Array, "b h w k"]
) -> Float[Array, ""]:
    """Squared distance of the embedding, before quantisation, to the reference image."""
    return _mean_of_sums((embedding - reference) ** 2)


def frequency_loss(
    embedding: Float[Array, "b h w k"], reference: Float[Array, "b h w k"]
) -> Float[Array, ""]:
    """Squared distance in the one-sided, unnormalised 2D Fourier spectrum of each channel."""
    spectrum = jnp.fft.rfft2(embedding - reference, axes=(1, 2))
    return _mean_of_sums(spectrum.real**2 + spectrum.imag**2)


def restoration_loss(
    restored: Float[Array, "b n h w c"], frames: Float[Array, "b n h w c"]
) -> Float[Array, ""]:
    """Charbonnier distance sqrt(d^2 + 1e-6) of the restored images, mean over the N images."""
    distance = jnp.sqrt((restored - frames) ** 2 + CHARBONNIER_EPSILON)
    return _mean_of_sums(distance) / frames.shape[1]


def training_losses(model, batch, quantise, weights: LossWeights):
    """The weighted terms of the loss and the images that go with them.

    Args:
      model: an IICNet.
      batch: `frames` (b, n, h, w, 3) and `reference` (b, h', w', k), both in [0, 1].
      quantise: maps the embedding to what `restore` is given.

    Returns:
      A dictionary of scalars `embedding`, `frequency` and `restoration`, each multiplied by its
      weight; their sum is what is minimised. A term of weight 0 is not computed.
    """
    embedding = model.embed(batch["frames"])
    restored = model.restore(quantise(embedding), size=batch["frames"].shape[2:4])
    terms = {
        "embedding": (weights.embedding, embedding_loss, embedding, batch["reference"]),
        "frequency": (weights.frequency, frequency_loss, embedding, batch["reference"]),
        "restoration": (weights.restoration, restoration_loss, restored, batch["frames"]),
    }
    return {
        name: weight * loss(*images) if weight else jnp.zeros(())
        for name, (weight, loss, *images) in terms.items()
    }


def _mean_of_sums(x):
    """Sum over all axes but the first, mean over the first (the batch)."""
    return x.sum() / x.shape[0]
