"""The contract of losses, and the loss of IICNet.

Sums over channels and pixels, means over the batch. Images are NHWC in [0, 1].
"""

import abc
import dataclasses
from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from iicnet_jax.models.network import Network

CHARBONNIER_EPSILON = 1e-6


class Loss(abc.ABC):
    """What a method minimises: a sum of named terms."""

    @abc.abstractmethod
    def __call__(
        self,
        model: Network,
        batch: Mapping[str, jax.Array],
        quantise: Callable[[jax.Array], jax.Array],
        *,
        key: jax.Array,
        step: jax.Array,
    ) -> dict[str, jax.Array]:
        """The terms by name, scalars already multiplied by their weights.

        Args:
          model: the network with the parameters of this step.
          batch: `frames` (b, n, h, w, 3) and `reference` (b, h', w', k), both in [0, 1].
          quantise: maps the embedding to what `restore` is given.
          key: of this step, for whatever else is random.
          step: number of updates made before this one.
        """


@dataclasses.dataclass(frozen=True)
class IICNetLoss(Loss):
    """lambda1, lambda2, lambda3 of the paper, and a weight of our own; 0 computes no term."""

    embedding: float = 1.0
    frequency: float = 0.001
    restoration: float = 3.0
    overflow: float = 0.0

    def __call__(self, model, batch, quantise, *, key, step):
        embedding = model.embed(batch["frames"])
        restored = model.restore(quantise(embedding), batch["frames"].shape[2:4])
        terms = {
            "embedding": lambda: embedding_loss(embedding, batch["reference"]),
            "frequency": lambda: frequency_loss(embedding, batch["reference"]),
            "restoration": lambda: restoration_loss(restored, batch["frames"]),
            "overflow": lambda: overflow_loss(embedding),
        }
        return {
            name: weight * term() if (weight := getattr(self, name)) else jnp.zeros(())
            for name, term in terms.items()
        }


def embedding_loss(
    embedding: Float[Array, "b h w k"], reference: Float[Array, "b h w k"]
) -> Float[Array, ""]:
    """Squared distance of the embedding, before quantisation, to the reference image."""
    return mean_of_sums((embedding - reference) ** 2)


def frequency_loss(
    embedding: Float[Array, "b h w k"], reference: Float[Array, "b h w k"]
) -> Float[Array, ""]:
    """Squared distance in the one-sided, unnormalised 2D Fourier spectrum of each channel.

    Computed without a Fourier transform, which XLA cannot split over devices: by Parseval's
    theorem, the two-sided spectrum has h w times the squared distance of the images, and half of
    that is in one side, but for two of its columns. Those of horizontal frequency 0 and, in even
    widths, 1/2 are in both sides; they are the spectra of the rows' sums and alternating sums.
    """
    distance = embedding - reference
    height, width = distance.shape[1:3]
    even, odd = distance[:, :, ::2].sum(2), distance[:, :, 1::2].sum(2)
    in_both_sides = (even + odd) ** 2
    if width % 2 == 0:
        in_both_sides += (even - odd) ** 2
    return mean_of_sums(height / 2 * (width * (distance**2).sum(2) + in_both_sides))


def restoration_loss(
    restored: Float[Array, "b n h w c"], frames: Float[Array, "b n h w c"]
) -> Float[Array, ""]:
    """Charbonnier distance of the restored images, mean over the N images."""
    return charbonnier(restored, frames) / frames.shape[1]


def overflow_loss(embedding: Float[Array, "b h w k"]) -> Float[Array, ""]:
    """Distance of the embedding to [0, 1], which quantisation cuts off; not in the paper.

    Where it does, restoring has no gradient, and what was hidden there is lost.
    """
    return mean_of_sums(jnp.abs(embedding - jnp.clip(embedding, 0, 1)))


def charbonnier(a: Float[Array, "b *shape"], b: Float[Array, "b *shape"]) -> Float[Array, ""]:
    """sqrt(d^2 + 1e-6) of the difference d, which is nearly |d|."""
    return mean_of_sums(jnp.sqrt((a - b) ** 2 + CHARBONNIER_EPSILON))


def mean_of_sums(x: Float[Array, "b *shape"]) -> Float[Array, ""]:
    """Sum over all axes but the first, mean over the first (the batch)."""
    return x.sum() / x.shape[0]
