"""The well-posed invertible 1x1 convolution, WIC: to more channels, or to fewer, and back.

Facts from Huang and Huang 2025 (arXiv 2508.02111) and the authors' code, BNU-ERC-ITEA/WIN at
commit 0f87a8f.
"""

import math

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from iicnet_jax.models.invertible_conv import mix


class WellPosedConv1x1(nnx.Module):
    """y = W x at every pixel, and back with the left inverse of W: x = (W^T W)^-1 W^T y.

    From a to b >= a channels W is (b, a), and `inverse(forward(x))` equals x up to rounding.

    To fewer channels no W has a left inverse. So `forward` gives K = ceil(a / b) groups of b
    channels, and W is (K b, a). The first group is the output. Training draws the others towards
    the moved copies of the image that the output should look like (`moved_copies`), and `inverse`
    puts the moved copies of the output in their place.

    W starts with orthonormal columns.
    """

    def __init__(self, in_channels: int, out_channels: int, *, rngs: nnx.Rngs):
        self.out_channels = out_channels
        self.groups = -(-in_channels // out_channels)
        shape = (self.groups * out_channels, in_channels)
        self.weight = nnx.Param(nnx.initializers.orthogonal()(rngs.params(), shape, jnp.float32))

    def forward(self, x: Float[Array, "b h w a"]) -> Float[Array, "b h w c"]:
        """All groups, the output first."""
        return mix(self.weight[...], x)

    def inverse(self, y: Float[Array, "b h w c"]) -> Float[Array, "b h w a"]:
        """From the output alone."""
        return mix(_left_inverse(self.weight[...]), moved_copies(y, self.groups))

    @property
    def reach(self) -> int:
        """How far `inverse` looks, in pixels."""
        return max((abs(step) for move in moves(self.groups) for step in move), default=0)

    def penalty(self) -> Float[Array, ""]:
        """|log(det(W^T W) + 1e-6)|, which keeps the left inverse in reach."""
        return jnp.abs(jnp.log(jnp.linalg.det(_gram(self.weight[...])) + 1e-6))


def moves(count: int) -> list[tuple[int, int]]:
    """The first so many moves (down, right): none, then row by row over a square around it.

    The half width of the square is ceil(sqrt(count) / 2), and at least 1.
    """
    half = max(math.ceil(math.sqrt(count) / 2), 1)
    steps = range(-half, half + 1)
    around = [(down, right) for down in steps for right in steps if down or right]
    return [(0, 0), *around][:count]


def moved_copies(image: Float[Array, "b h w c"], count: int) -> Float[Array, "b h w d"]:
    """The image moved in so many ways, along the channels; at the border it is reflected."""
    ways = moves(count)
    height, width = image.shape[1:3]
    margin = max(abs(step) for move in ways for step in move)
    padded = jnp.pad(image, [(0, 0), (margin, margin), (margin, margin), (0, 0)], mode="reflect")
    return jnp.concatenate(
        [padded[:, margin - down :, margin - right :][:, :height, :width] for down, right in ways],
        axis=-1,
    )


def _gram(matrix):
    return jnp.matmul(matrix.T, matrix, precision="highest")


def _left_inverse(matrix):
    """(W^T W)^-1 W^T, and a Newton step for what that loses to rounding, X <- X + (I - X W) X."""
    inverse = jnp.linalg.solve(_gram(matrix), matrix.T)
    residual = jnp.eye(matrix.shape[1]) - jnp.matmul(inverse, matrix, precision="highest")
    return inverse + jnp.matmul(residual, inverse, precision="highest")
