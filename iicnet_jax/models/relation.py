"""The relation module: features of all images of a group refine each of them."""

import einops
from flax import nnx

from iicnet_jax.models import dense_block
from iicnet_jax.models.dense_block import GROWTH, DenseBlock, convolution
from iicnet_jax.models.execution import Execution, for_each
from iicnet_jax.models.layers import Layers

RESIDUAL_SCALE = 0.2


class RelationNetwork(nnx.Module):
    """N heads, N merging convolutions over all heads, N tails (supplement, section 5).

    Maps (b, h, w, N c) to (b, h, w, N c). A fresh network returns zero, because the tails do.
    Image by image, so that the gradient needs no more memory than all heads' outputs and one
    head or tail; see `Execution`.
    """

    def __init__(
        self, num_images: int, colours: int, features: int, *, growth: int, rngs: nnx.Rngs
    ):
        def per_image(make):
            return Layers([make() for _ in range(num_images)])

        self.heads = per_image(lambda: DenseBlock(colours, features, growth=growth, rngs=rngs))
        self.head_convs = per_image(lambda: convolution(features, features, 1, rngs=rngs))
        self.merge_convs = per_image(
            lambda: convolution(num_images * features, features, 3, rngs=rngs)
        )
        self.tail_convs = per_image(lambda: convolution(features, features, 1, rngs=rngs))
        self.tails = per_image(lambda: DenseBlock(features, colours, growth=growth, rngs=rngs))
        self.execution = Execution()

    def __call__(self, x):
        images = einops.rearrange(x, "b h w (n c) -> n b h w c", n=len(self.heads))
        heads = for_each(self.execution, _head, [self.heads, self.head_convs], images)
        tails = [self.merge_convs, self.tail_convs, self.tails]
        return for_each(self.execution, _tail, tails, shared=heads)


def _head(modules, image, _):
    head, conv = modules
    return conv(head(image))


def _tail(modules, _, merged):
    merge, conv, tail = modules
    return tail(conv(merge(merged)))


class RelationModule(nnx.Module):
    """x + 0.2 R(x), with a network R of its own for each direction.

    This is no bijection: `restore` is trained to undo `embed`, it is not computed from it.
    """

    REACH = 2 * dense_block.REACH + 1  # a head, a merging 3x3 convolution, a tail

    def __init__(
        self,
        num_images: int,
        colours: int,
        features: int,
        *,
        growth: int = GROWTH,
        rngs: nnx.Rngs,
    ):
        sizes = (num_images, colours, features)
        self.embed_network = RelationNetwork(*sizes, growth=growth, rngs=rngs)
        self.restore_network = RelationNetwork(*sizes, growth=growth, rngs=rngs)

    def embed(self, x):
        """(b, h, w, N c) to (b, h, w, N c), before the invertible layers."""
        return x + RESIDUAL_SCALE * self.embed_network(x)

    def restore(self, x):
        """(b, h, w, N c) to (b, h, w, N c), after the inverted layers."""
        return x + RESIDUAL_SCALE * self.restore_network(x)
