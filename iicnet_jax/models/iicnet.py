"""IICNet: a group of images into one image, and back (Cheng, Xie, Chen, ICCV 2021)."""

import einops
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from iicnet_jax.errors import require_choice
from iicnet_jax.models.bijection import Chain
from iicnet_jax.models.channel_squeeze import ChannelSqueeze
from iicnet_jax.models.coupling import AffineCoupling
from iicnet_jax.models.downscaling import GroupByImage, Haar, Squeeze
from iicnet_jax.models.invertible_conv import InvertibleConv1x1
from iicnet_jax.models.relation import RelationModule

COLOURS = 3
DOWNSCALING = {"none": None, "haar": Haar, "squeeze": Squeeze}
SPLITS = ("ref", "prop")
COLOUR_ORDERS = ("rgb", "bgr")


class IICNet(nnx.Module):
    """Relation module, invertible down-scaling, coupling blocks, channel squeeze.

    Args:
      num_images: N, how many images go into one; the first is the reference.
      embedding_channels: 3 for a colour embedding, 1 for a grey one.
      relation: whether the relation module is used.
      relation_features: hidden channels of the relation module.
      downscaling: "none", "haar" or "squeeze"; the last two halve the embedding's height and
        width, and are followed by an invertible 1x1 convolution.
      split: which channels are the first part of every coupling after down-scaling: "ref", all
        sub-images of the reference, or "prop", a quarter of the channels.
      num_blocks: K, number of coupling blocks.
      colour_order: "rgb", or "bgr" for weights that expect blue first: `embed` and `restore` take
        and give RGB images all the same.

    Raises:
      ValueError: an option is unknown, or leaves a coupling with an empty part.
    """

    def __init__(
        self,
        num_images: int,
        *,
        embedding_channels: int = 3,
        relation: bool = True,
        relation_features: int = 64,
        downscaling: str = "none",
        split: str = "ref",
        num_blocks: int = 10,
        colour_order: str = "rgb",
        rngs: nnx.Rngs,
    ):
        require_choice("downscaling", downscaling, DOWNSCALING)
        require_choice("split", split, SPLITS)
        require_choice("embedding_channels", embedding_channels, (1, 3))
        require_choice("colour_order", colour_order, COLOUR_ORDERS)
        if num_images < 1 or num_blocks < 1:
            raise ValueError(
                f"num_images ({num_images}) and num_blocks ({num_blocks}) must be at least 1"
            )
        self.num_images = num_images
        self.embedding_channels = embedding_channels
        self.colour_order = colour_order
        self.scale = 1 if downscaling == "none" else 2

        channels = num_images * COLOURS
        self.relation = (
            RelationModule(num_images, COLOURS, relation_features, rngs=rngs) if relation else None
        )
        if downscaling == "none":
            self.down = Chain([])
            coupling_split = embedding_channels
        else:
            channels *= 4
            sub_images = [DOWNSCALING[downscaling]()]
            if split == "ref":
                sub_images.append(GroupByImage(COLOURS))
            self.down = Chain([Chain(sub_images), InvertibleConv1x1(channels, rngs=rngs)])
            coupling_split = 4 * embedding_channels if split == "ref" else channels // 4
        self.blocks = Chain(
            [AffineCoupling(channels, coupling_split, rngs=rngs) for _ in range(num_blocks)]
        )
        self.squeeze = ChannelSqueeze(channels, embedding_channels)

    def embed(self, frames: Float[Array, "b n h w 3"]) -> Float[Array, "b h2 w2 k"]:
        """Hides the images in one, of the size `embedding_size(h, w)`; not yet quantised.

        With down-scaling, odd heights and widths are padded by repeating the last row and
        column; give the size to `restore` to have them cut off again.

        Raises:
          ValueError: `frames` has not N images of 3 channels, or a side is too small.
        """
        self._check_frames(frames)
        x = einops.rearrange(self._reorder(frames), "b n h w c -> b h w (n c)")
        x = self._pad(x)
        if self.relation is not None:
            x = self.relation.embed(x)
        x = self.blocks.forward(self.down.forward(x))
        return self._reorder(self.squeeze.embed(x))

    def restore(
        self, image: Float[Array, "b h w k"], size: tuple[int, int] | None = None
    ) -> Float[Array, "b n h2 w2 3"]:
        """Gets the images back from the embedding, usually after quantisation.

        `size` is the height and width of the images that were embedded, where they were odd.

        Raises:
          ValueError: `image` has the wrong number of channels, or `size` is not one that
            embeds to the height and width of `image`.
        """
        self._check_image(image, size)
        x = self.down.inverse(self.blocks.inverse(self.squeeze.restore(self._reorder(image))))
        if self.relation is not None:
            x = self.relation.restore(x)
        if size is not None:
            x = x[:, : size[0], : size[1]]
        return self._reorder(einops.rearrange(x, "b h w (n c) -> b n h w c", n=self.num_images))

    def embedding_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the embedding of images of that height and width."""
        return -(-height // self.scale), -(-width // self.scale)

    def _reorder(self, images):
        """From RGB to the order of the weights, and back; a grey image stays as it is."""
        return images[..., ::-1] if self.colour_order == "bgr" else images

    def _pad(self, x):
        """Repeats the last row and column where height and width are odd."""
        odd = [(0, side % self.scale) for side in x.shape[1:3]]
        return jnp.pad(x, [(0, 0), *odd, (0, 0)], mode="edge")

    def _check_frames(self, frames):
        expected = f"(batch, {self.num_images}, height, width, {COLOURS})"
        if frames.ndim != 5 or frames.shape[1] != self.num_images or frames.shape[4] != COLOURS:
            raise ValueError(f"frames must have the shape {expected}, got {frames.shape}")
        if min(frames.shape[2:4]) < self.scale:
            raise ValueError(
                f"images of {frames.shape[2]}x{frames.shape[3]} are too small: this network "
                f"needs at least {self.scale}x{self.scale} (frames have the shape {frames.shape})"
            )

    def _check_image(self, image, size):
        if image.ndim != 4 or image.shape[3] != self.embedding_channels or 0 in image.shape:
            raise ValueError(
                f"the embedding must have the shape (batch, height, width, "
                f"{self.embedding_channels}), got {image.shape}"
            )
        if size is not None and self.embedding_size(*size) != image.shape[1:3]:
            raise ValueError(
                f"images of {size[0]}x{size[1]} embed to "
                f"{'x'.join(map(str, self.embedding_size(*size)))}, but the embedding has the "
                f"shape {image.shape}"
            )
