"""IICNet: a group of images into one image, and back (Cheng, Xie, Chen, ICCV 2021)."""

from typing import Any

from flax import nnx

from iicnet_jax.core.errors import require_choice
from iicnet_jax.models.bijection import Chain
from iicnet_jax.models.channel_squeeze import ChannelSqueeze
from iicnet_jax.models.coupling import AffineCoupling
from iicnet_jax.models.dense_block import GROWTH
from iicnet_jax.models.downscaling import FirstLevelFirst, GroupByImage, Haar, Squeeze
from iicnet_jax.models.execution import Execution, set_execution
from iicnet_jax.models.invertible_conv import InvertibleConv1x1
from iicnet_jax.models.network import COLOURS, Network
from iicnet_jax.models.relation import RelationModule
from iicnet_jax.models.stack import Stack

DOWNSCALING: dict[str, Any] = {"none": None, "haar": Haar, "squeeze": Squeeze}
SPLITS = ("ref", "prop")
COLOUR_ORDERS = ("rgb", "bgr")


class IICNet(Network):
    """Relation module, invertible down-scaling, coupling blocks, channel squeeze.

    Args:
      num_images: N, how many images go into one; the first is the reference.
      embedding_channels: 3 for a colour embedding, 1 for a grey one.
      relation: whether the relation module is used.
      relation_features: hidden channels of the relation module.
      downscaling: "none", "haar" or "squeeze"; the last two halve the embedding's height and
        width, and are followed by an invertible 1x1 convolution.
      full_size: whether the embedding has the images' size in spite of down-scaling, by the
        inverse of that. Not in the paper: networks see squares of pixels as channels, so that
        they take a quarter of the time and learn to hide in far fewer steps. Needs split "ref".
      levels: how many times the coupling blocks' input is down-scaled; the embedding is scaled up
        again to half the images' size, or to the whole with `full_size`. The paper has 1.
      mixing: whether the invertible 1x1 convolution follows the down-scaling, as in the paper. It
        starts as a random rotation of the channels, so short trainings do better without it.
      split: which channels are the first part of every coupling after down-scaling: "ref", all
        sub-images of the reference, or "prop", a quarter of the channels.
      num_blocks: K, number of coupling blocks.
      growth: channels that each convolution of a dense block adds.
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
        full_size: bool = False,
        levels: int = 1,
        mixing: bool = True,
        split: str = "ref",
        num_blocks: int = 10,
        growth: int = GROWTH,
        colour_order: str = "rgb",
        rngs: nnx.Rngs,
    ):
        require_choice("downscaling", downscaling, DOWNSCALING)
        require_choice("split", split, SPLITS)
        require_choice("embedding_channels", embedding_channels, (1, 3))
        require_choice("colour_order", colour_order, COLOUR_ORDERS)
        if min(num_images, num_blocks, growth, levels) < 1:
            raise ValueError(
                f"num_images ({num_images}), num_blocks ({num_blocks}), growth ({growth}) and "
                f"levels ({levels}) must be at least 1"
            )
        if downscaling == "none" and (levels > 1 or not mixing):
            raise ValueError("levels and mixing are of the down-scaling, which is 'none'")
        if full_size and (downscaling, split) not in (("haar", "ref"), ("squeeze", "ref")):
            raise ValueError(
                f"full_size needs down-scaling and split='ref', not downscaling={downscaling!r} "
                f"and split={split!r}"
            )
        self.num_images = num_images
        self.embedding_channels = embedding_channels
        self.colour_order = colour_order
        self.scale = 1 if downscaling == "none" or full_size else 2
        # How many down-scalings of the blocks' output are undone in the embedding.
        undone = 0 if downscaling == "none" else levels - 1 + full_size
        self.grid_stride = 2**undone
        # The coarser the blocks' grid, the less memory a pixel takes.
        self.tile = Network.tile * 2 ** (levels - 1)

        channels = num_images * COLOURS
        self.relation = (
            RelationModule(num_images, COLOURS, relation_features, growth=growth, rngs=rngs)
            if relation
            else None
        )
        squeezed = embedding_channels * 4**undone
        if downscaling == "none":
            self.down = Chain([])
            coupling_split = embedding_channels
        else:
            sub_images = [DOWNSCALING[downscaling]() for _ in range(levels)]
            # The embedding's sub-images come first: all of the reference, or those of the first
            # sub-image (the average, of Haar wavelets) of every image.
            if split == "ref":
                sub_images.append(GroupByImage(COLOURS, 4**levels))
            elif levels > 1:
                sub_images.append(FirstLevelFirst(channels, levels))
            channels *= 4**levels
            mix = [InvertibleConv1x1(channels, rngs=rngs)] if mixing else []
            self.down = Chain([Chain(sub_images), *mix])
            coupling_split = embedding_channels * 4**levels if split == "ref" else channels // 4
        self.blocks = Stack(
            [
                AffineCoupling(channels, coupling_split, growth=growth, rngs=rngs)
                for _ in range(num_blocks)
            ]
        )
        self.squeeze = ChannelSqueeze(channels, squeezed)
        self.sub_images = Chain([DOWNSCALING[downscaling]() for _ in range(undone)])
        set_execution(self, Execution())

    def embed(self, frames):
        x = self._join(self._reorder(frames))
        if self.relation is not None:
            x = self.relation.embed(x)
        x = self.blocks.forward(self.down.forward(x))
        image = self.sub_images.inverse(self.squeeze.embed(x))
        height, width = self.embedding_size(*frames.shape[2:4])
        return self._reorder(image[:, :height, :width])

    def restore(self, image, size=None, position=(0, 0)):
        self._check_embedding(image, size)
        x = self.sub_images.forward(self._pad(self._reorder(image), self.grid_stride))
        x = self.down.inverse(self.blocks.inverse(self.squeeze.restore(x)))
        if self.relation is not None:
            x = self.relation.restore(x)
        return self._reorder(self._separate(x, size))

    @property
    def receptive_field_radius(self) -> int:
        relation = RelationModule.REACH if self.relation is not None else 0
        blocks = len(self.blocks.layers) * AffineCoupling.REACH
        # Blocks see whole squares of `grid_stride` pixels, so that a pixel's neighbours count too.
        return self.grid_stride * blocks + self.grid_stride - 1 + -(-relation // self.scale)

    def _reorder(self, images):
        """From RGB to the order of the weights, and back; a grey image stays as it is."""
        return images[..., ::-1] if self.colour_order == "bgr" else images
