"""The losses of the methods that IICNet is compared with."""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from iicnet_jax.core.errors import require_choice
from iicnet_jax.models.baselines.well_posed_conv import moved_copies
from iicnet_jax.models.quantisation import round_to_levels
from iicnet_jax.models.vgg19 import VGG19
from iicnet_jax.training.losses import (
    Loss,
    charbonnier,
    embedding_loss,
    mean_of_sums,
    restoration_loss,
)

# How WIN measures embeddings; restored images always by the first.
DISTANCES = {"charbonnier": charbonnier, "squared": embedding_loss}
# Of a range of 2: how far the grey image may be from the luma without being drawn to it.
ORDER_MARGIN = 70 / 127


@dataclasses.dataclass(frozen=True)
class IRNLoss(Loss):
    """IRN: weights of the small image, of what it leaves out, and of the restored image.

    `latent`, sum z^2, is the cross entropy of z with N(0, 1) up to a factor and a constant. The
    image is restored from a fresh draw of N(0, 1) instead of z.
    """

    embedding: float = 4.0
    latent: float = 1.0
    restoration: float = 1.0

    def __call__(self, model, batch, quantise, *, key, step):
        embedding, latent = model.forward(batch["frames"])
        # Not the key itself: quantisation may use it.
        drawn = self.draw(jax.random.fold_in(key, 1), latent.shape)
        size = batch["frames"].shape[2:4]
        restored = model.restore(quantise(embedding), size, latent=drawn)
        return {
            "embedding": self.embedding * embedding_loss(embedding, batch["reference"]),
            "latent": self.latent * mean_of_sums(latent**2),
            "restoration": self.restoration * restoration_loss(restored, batch["frames"]),
        }

    def draw(self, key: jax.Array, shape: tuple[int, ...]) -> Float[Array, "b h w z"]:
        """What stands in for z on the way back."""
        return jax.random.normal(key, shape)


@dataclasses.dataclass(frozen=True)
class InvertibleGrayscaleLoss(Loss):
    """Invertible grayscale; images count in [-1, 1], and terms are means over pixels.

    Args:
      restoration: weight of the squared difference of the restored image.
      order: of what the grey image differs from the luma by more than `ORDER_MARGIN`.
      variation: of the difference in total variation, a batch's mean, between grey image and luma.
      quantisation: of the grey image's distance to the nearest of the 256 levels.
      later_variation, later_quantisation: the last two in the second stage of training.
      later_from: step with which that begins.
      perceptual: of the squared difference of the features of grey image and colour image.
      features: computes these; None leaves the term out.
    """

    restoration: float = 3.0
    order: float = 1.0
    variation: float = 0.5
    quantisation: float = 0.0
    later_variation: float = 0.1
    later_quantisation: float = 10.0
    later_from: int = 0
    perceptual: float = 1e-7
    features: VGG19 | None = None

    def __call__(self, model, batch, quantise, *, key, step):
        frames, luma = batch["frames"], batch["reference"]
        grey = model.embed(frames)
        restored = model.restore(quantise(grey), frames.shape[2:4])
        later = step >= self.later_from
        variation = jnp.where(later, self.later_variation, self.variation)
        quantisation = jnp.where(later, self.later_quantisation, self.quantisation)
        terms = {
            "restoration": self.restoration * jnp.mean((2 * (restored - frames)) ** 2),
            "order": self.order * order_loss(grey, luma),
            "variation": variation * jnp.abs(total_variation(grey) - total_variation(luma)),
            "quantisation": quantisation * jnp.mean(2 * jnp.abs(grey - round_to_levels(grey))),
        }
        if self.features is not None:
            colour = self.features(frames[:, 0])
            difference = self.features(jnp.repeat(grey, 3, axis=-1)) - colour
            terms["perceptual"] = self.perceptual * jnp.mean(difference**2)
        return terms


def order_loss(grey: Float[Array, "b h w 1"], luma: Float[Array, "b h w 1"]) -> Float[Array, ""]:
    """mean max(70/127, |d|) - 70/127 of the difference d, on the scale of -1 to 1."""
    return jnp.mean(jnp.maximum(ORDER_MARGIN, 2 * jnp.abs(grey - luma))) - ORDER_MARGIN


def total_variation(image: Float[Array, "b h w 1"]) -> Float[Array, ""]:
    """Absolute differences of neighbours, over both axes and a pixel, on the scale of -1 to 1."""
    down, right = (jnp.abs(jnp.diff(image, axis=axis)).sum() for axis in (1, 2))
    return 2 * (down + right) / image.size


@dataclasses.dataclass(frozen=True)
class WINLoss(Loss):
    """WIN and WIN-Naive: weights of the four terms.

    Args:
      embedding: of the embedding's distance to the reference.
      shift: of the distance of the other groups to the reference's moved copies.
      restoration: of the Charbonnier distance of the restored images, a sum over all N.
      determinant: of the penalties of the well-posed convolutions.
      distance: "charbonnier" or "squared", of the first two terms.

    Raises:
      ValueError: the distance is unknown.
    """

    embedding: float = 1.0
    shift: float = 1.0
    restoration: float = 1.0
    determinant: float = 1.0
    distance: str = "charbonnier"

    def __post_init__(self):
        require_choice("distance", self.distance, DISTANCES)

    def __call__(self, model, batch, quantise, *, key, step):
        frames, reference = batch["frames"], batch["reference"]
        channels, distance = reference.shape[-1], DISTANCES[self.distance]
        embedding, others = jnp.split(model.forward(frames), [channels], axis=-1)
        copies = moved_copies(reference, 1 + others.shape[-1] // channels)
        restored = model.restore(quantise(embedding), frames.shape[2:4])
        return {
            "embedding": self.embedding * distance(embedding, reference),
            "shift": self.shift * distance(others, copies[..., channels:]),
            "restoration": self.restoration * charbonnier(restored, frames),
            "determinant": self.determinant * model.penalty(),
        }
