"""The channel between embedding and restoring in training: what a lossy file does, or rounding.

Images are NHWC in [0, 1]. Every image of a batch has a file of its own, with its own quality.
"""

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from iicnet_jax.core.errors import require_choice
from iicnet_jax.imaging.carrier import LOSSY, QUALITIES, Carrier
from iicnet_jax.models.jpeg import LEVELS, SUBSAMPLINGS, jpeg

# "jpeg" is computed, with the gradient of its linear part; the others are files by Pillow.
FORMS = ("none", "jpeg", *(f"real_{form}" for form in LOSSY))


@dataclasses.dataclass(frozen=True)
class Channel:
    """What the embedding goes through in a train step: a function of (embedding, key).

    Args:
      quantise: what an embedding without loss goes through, a function of (embedding, key).
      form: "jpeg", "real_jpeg", "real_webp" or "real_avif".
      lowest_quality, highest_quality: bounds of what is drawn for each image, both included.
      subsampling: of the chroma planes of JPEG and AVIF, "4:2:0" or "4:4:4".
      lossless_share: probability that an image goes through `quantise` instead.

    Raises:
      ValueError: an argument is out of range, or this Pillow lacks the format.
    """

    quantise: Callable
    form: str
    lowest_quality: int
    highest_quality: int
    subsampling: str
    lossless_share: float

    def __post_init__(self):
        require_choice("form", self.form, FORMS[1:])
        require_choice("subsampling", self.subsampling, SUBSAMPLINGS)
        lowest, highest = self.lowest_quality, self.highest_quality
        if not (lowest in QUALITIES and highest in QUALITIES and lowest <= highest):
            raise ValueError(f"there are no qualities from {lowest} to {highest}: 1 to 100 are all")
        if not 0 <= self.lossless_share <= 1:
            raise ValueError(f"lossless_share is {self.lossless_share}, but must be 0 to 1")
        if self.form != "jpeg":
            Carrier(self._format, highest, self.subsampling)

    @property
    def _format(self) -> str:
        return self.form.removeprefix("real_")

    def __call__(self, y: Float[Array, "b h w k"], key: jax.Array) -> Float[Array, "b h w k"]:
        """The embedding as it is read from the file. The draws depend on the key alone."""
        # Neither the key itself, which `quantise` uses, nor IRN's of the way back.
        of_quality, of_loss = jax.random.split(jax.random.fold_in(key, 2))
        images = y.shape[0]
        quality = jax.random.randint(
            of_quality, (images,), self.lowest_quality, self.highest_quality + 1
        )
        if self.form == "jpeg":
            coded = jpeg(y, quality, self.subsampling)
        else:
            coded = real(y, quality, self._format, self.subsampling)
        lossless = jax.random.uniform(of_loss, (images, 1, 1, 1)) < self.lossless_share
        return jnp.where(lossless, self.quantise(y, key), coded)


def real(
    y: Float[Array, "b h w k"], quality: jax.Array, form: str, subsampling: str = "4:2:0"
) -> Float[Array, "b h w k"]:
    """Images as Pillow reads them from files that it has written, with a straight-through gradient.

    Zero where the values are clipped to [0, 1]. Runs on the host; several devices wait for it.

    Args:
      y: RGB or grey images.
      quality: (b,) whole numbers from 1 to 100.
      form: "jpeg", "webp" or "avif".
      subsampling: of the chroma planes of JPEG and AVIF.
    """

    def code(images, qualities):
        pairs = zip(np.asarray(images), np.asarray(qualities), strict=True)
        return np.stack([Carrier(form, int(q), subsampling)(image) for image, q in pairs])

    clipped = jnp.clip(y, 0, 1)
    levels = jax.lax.stop_gradient(jnp.round(clipped * LEVELS)).astype(jnp.uint8)
    shape = jax.ShapeDtypeStruct(levels.shape, levels.dtype)
    coded = jax.pure_callback(code, shape, levels, quality, vmap_method="sequential")
    return coded.astype(y.dtype) / LEVELS + (clipped - jax.lax.stop_gradient(clipped))
