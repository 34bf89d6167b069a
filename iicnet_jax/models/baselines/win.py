"""The well-posed invertible networks WIN-Naive and WIN (Huang and Huang 2025).

Facts from the paper, arXiv 2508.02111, and the authors' code, BNU-ERC-ITEA/WIN at commit 0f87a8f,
which has no configurations: widths and depths are ours.
"""

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from iicnet_jax.core.errors import require_choice
from iicnet_jax.models.baselines.well_posed_conv import WellPosedConv1x1
from iicnet_jax.models.bijection import Chain
from iicnet_jax.models.coupling import AffineCoupling
from iicnet_jax.models.dense_block import GROWTH
from iicnet_jax.models.downscaling import GroupByImage, Squeeze
from iicnet_jax.models.network import COLOURS, Network
from iicnet_jax.models.stack import Stack


class WINNaive(Network):
    """Squeeze, coupling blocks, unsqueeze, and a well-posed convolution to the embedding.

    Without `full_size` nothing is unsqueezed, and the embedding has half the images' sides.

    Args:
      num_images: N, how many images go into one, the reference first.
      embedding_channels: 3 for a colour embedding, 1 for a grey one.
      full_size: whether the embedding has the images' size.
      num_blocks: coupling blocks, each split in halves.
      growth: channels that each convolution of a dense block adds.

    Raises:
      ValueError: an option is out of range.
    """

    features: "Stack | LongMemory"

    def __init__(
        self,
        num_images: int = 2,
        *,
        embedding_channels: int = 3,
        full_size: bool = True,
        num_blocks: int = 8,
        growth: int = GROWTH,
        rngs: nnx.Rngs,
    ):
        _require_positive(num_images=num_images, num_blocks=num_blocks, growth=growth)
        channels = 4 * COLOURS * num_images
        self.features = _couplings(num_blocks, channels, growth, rngs)
        self._complete(num_images, embedding_channels, full_size, channels, num_blocks, rngs)

    def _complete(self, num_images, embedding_channels, full_size, channels, depth, rngs):
        """Sets all but the features, of which there are so many channels after so many blocks."""
        require_choice("embedding_channels", embedding_channels, (1, 3))
        self.num_images = num_images
        self.embedding_channels = embedding_channels
        self.scale = 1 if full_size else 2
        self.grid_stride = 2 if full_size else 1
        # The channels of the first sub-image are those of the first channel: channel major.
        self.squeeze = Chain([Squeeze(), GroupByImage(1)])
        self.sub_images = self.squeeze if full_size else Chain([])
        fused = channels // 4 if full_size else channels
        self.fusion = WellPosedConv1x1(fused, embedding_channels, rngs=rngs)
        self.depth = depth

    def forward(self, frames: Float[Array, "b n h w 3"]) -> Float[Array, "b h2 w2 c"]:
        """All groups of the last convolution: the embedding, and what has to equal moved ones."""
        x = self.features.forward(self.squeeze.forward(self._join(frames)))
        groups = self.fusion.forward(self.sub_images.inverse(x))
        height, width = self.embedding_size(*frames.shape[2:4])
        return groups[:, :height, :width]

    def embed(self, frames):
        return self.forward(frames)[..., : self.embedding_channels]

    def restore(self, image, size=None, position=(0, 0)):
        self._check_embedding(image, size)
        x = self.sub_images.forward(self.fusion.inverse(self._pad(image, self.grid_stride)))
        return self._separate(self.squeeze.inverse(self.features.inverse(x)), size)

    def penalty(self) -> Float[Array, ""]:
        """The penalties of all well-posed convolutions, summed."""
        convolutions = [
            part for _, part in nnx.iter_modules(self) if isinstance(part, WellPosedConv1x1)
        ]
        return sum((conv.penalty() for conv in convolutions), start=jnp.zeros(()))

    @property
    def receptive_field_radius(self) -> int:
        blocks = self.depth * AffineCoupling.REACH
        # Blocks see whole squares of `grid_stride` pixels, so that a pixel's neighbours count too.
        return self.grid_stride * blocks + self.grid_stride - 1 + self.fusion.reach


class WIN(WINNaive):
    """WIN-Naive with a long memory: every module puts channels aside for the end.

    Args:
      num_images, embedding_channels, full_size, growth: as in `WINNaive`.
      channels: that go through coupling blocks; at least 12 N.
      memory: channels that every module puts aside. (The paper's splitting ratio is channels /
        (channels + memory).)
      num_modules: modules, one after the other.
      num_blocks: coupling blocks in each; one more follows at the end.

    Raises:
      ValueError: an option is out of range, or the channels at the end cannot be parted.
    """

    def __init__(
        self,
        num_images: int = 2,
        *,
        embedding_channels: int = 3,
        full_size: bool = True,
        channels: int = 24,
        memory: int = 8,
        num_modules: int = 4,
        num_blocks: int = 2,
        growth: int = GROWTH,
        rngs: nnx.Rngs,
    ):
        _require_positive(
            num_images=num_images,
            memory=memory,
            num_modules=num_modules,
            num_blocks=num_blocks,
            growth=growth,
        )
        squeezed, last = 4 * COLOURS * num_images, channels + num_modules * memory
        if channels < squeezed or channels % 2:
            raise ValueError(
                f"channels must be even and at least {squeezed} for {num_images} images, not "
                f"{channels}"
            )
        if last % (4 if full_size else 2):
            raise ValueError(
                f"channels + num_modules * memory is {last}, but must be a multiple of "
                f"{4 if full_size else 2}"
            )
        self.features = LongMemory(
            squeezed, channels, memory, num_modules, num_blocks, growth=growth, rngs=rngs
        )
        depth = num_modules * num_blocks + 1
        self._complete(num_images, embedding_channels, full_size, last, depth, rngs)


class LongMemory(nnx.Module):
    """Modules that put channels aside, and a coupling block over all of these at the end.

    Maps (b, h, w, in_channels) to (b, h, w, channels + num_modules memory), one to one.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        memory: int,
        num_modules: int,
        num_blocks: int,
        *,
        growth: int,
        rngs: nnx.Rngs,
    ):
        self.memory = memory
        self.first = WellPosedConv1x1(in_channels, channels, rngs=rngs)
        self.convolutions = nnx.List(
            [WellPosedConv1x1(channels, channels + memory, rngs=rngs) for _ in range(num_modules)]
        )
        self.blocks = nnx.List(
            [_couplings(num_blocks, channels, growth, rngs) for _ in range(num_modules)]
        )
        self.tail = _couplings(1, channels + num_modules * memory, growth, rngs)

    def forward(self, x):
        x = self.first.forward(x)
        memories = []
        for conv, blocks in zip(self.convolutions, self.blocks, strict=True):
            kept, x = jnp.split(conv.forward(x), [self.memory], axis=-1)
            memories.append(kept)
            x = blocks.forward(x)
        return self.tail.forward(jnp.concatenate([*memories, x], axis=-1))

    def inverse(self, y):
        ends = [self.memory * (i + 1) for i in range(len(self.blocks))]
        *memories, x = jnp.split(self.tail.inverse(y), ends, axis=-1)
        modules = zip(memories, self.convolutions, self.blocks, strict=True)
        for kept, conv, blocks in reversed(list(modules)):
            x = conv.inverse(jnp.concatenate([kept, blocks.inverse(x)], axis=-1))
        return self.first.inverse(x)


def _couplings(count: int, channels: int, growth: int, rngs: nnx.Rngs) -> Stack:
    """Coupling blocks, split in halves."""
    blocks = [
        AffineCoupling(channels, channels // 2, growth=growth, rngs=rngs) for _ in range(count)
    ]
    return Stack(blocks)


def _require_positive(**options: int) -> None:
    for name, value in options.items():
        if value < 1:
            raise ValueError(f"{name} must be at least 1, not {value}")
