"""Invertible image rescaling: an image into one of half its size, and back (Xiao et al. 2020).

Facts from the paper and the authors' code, pkuxmq/Invertible-Image-Rescaling at commit 0ebe8f9.
"""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from iicnet_jax.core.errors import require_choice
from iicnet_jax.models.coupling import AffineCoupling
from iicnet_jax.models.dense_block import GROWTH
from iicnet_jax.models.downscaling import Haar, Squeeze
from iicnet_jax.models.network import COLOURS, Network
from iicnet_jax.models.stack import Stack

DOWNSCALING = {"haar": Haar, "squeeze": Squeeze}


class IRN(Network):
    """Down-scaling by two and coupling blocks: x -> [y | z], of which y, 3 channels, is kept.

    In training z becomes normal, N(0, 1), so that on the way back a random draw may stand for it.

    Args:
      num_images: must be 1.
      num_blocks: coupling blocks.
      growth: channels that each convolution of a dense block adds.
      downscaling: "haar", as published, or "squeeze".

    Raises:
      ValueError: an option is unknown or out of range.
    """

    def __init__(
        self,
        num_images: int = 1,
        *,
        num_blocks: int = 8,
        growth: int = GROWTH,
        downscaling: str = "haar",
        rngs: nnx.Rngs,
    ):
        require_choice("num_images", num_images, (1,))
        require_choice("downscaling", downscaling, DOWNSCALING)
        if min(num_blocks, growth) < 1:
            raise ValueError(f"num_blocks ({num_blocks}) and growth ({growth}) must be at least 1")
        self.num_images = num_images
        self.scale = 2
        channels = 4 * COLOURS
        self.latent_channels = channels - COLOURS
        self.down = DOWNSCALING[downscaling]()
        self.blocks = Stack(
            [AffineCoupling(channels, COLOURS, growth=growth, rngs=rngs) for _ in range(num_blocks)]
        )

    def forward(
        self, frames: Float[Array, "b n h w 3"]
    ) -> tuple[Float[Array, "b h2 w2 3"], Float[Array, "b h2 w2 z"]]:
        """The small image y and what it leaves out, z."""
        x = self.blocks.forward(self.down.forward(self._join(frames)))
        return x[..., :COLOURS], x[..., COLOURS:]

    def embed(self, frames):
        return self.forward(frames)[0]

    def restore(self, image, size=None, position=(0, 0), latent=None):
        """As `Network.restore`; `latent` is z, (b, h, w, z), by default an always equal draw.

        That draw depends on the position of a pixel alone, so it does not matter how an image is
        cut into tiles.
        """
        self._check_embedding(image, size)
        if latent is None:
            z = fixed_noise(position, image.shape[1:3], self.latent_channels)
            latent = jnp.broadcast_to(z, (*image.shape[:3], self.latent_channels))
        x = self.blocks.inverse(jnp.concatenate([image, latent], axis=-1))
        return self._separate(self.down.inverse(x), size)

    @property
    def receptive_field_radius(self) -> int:
        return len(self.blocks.layers) * AffineCoupling.REACH


def fixed_noise(
    position, size: tuple[int, ...], channels: int, seed: int = 0
) -> Float[Array, "h w c"]:
    """Numbers from N(0, 1) for the pixels from `position` (row, column) on.

    Each depends on seed, row, column and channel only, and is the same on every machine.
    """
    # Of the generators it is this one that gives the same numbers wherever it runs.
    key = jax.random.key(seed, impl="threefry2x32")
    rows, columns = (start + jnp.arange(count) for start, count in zip(position, size, strict=True))
    fold = jax.vmap(jax.random.fold_in, (None, 0))
    keys = jax.vmap(fold, (0, None))(fold(key, rows), columns)
    return jax.vmap(jax.vmap(lambda key: jax.random.normal(key, (channels,))))(keys)
