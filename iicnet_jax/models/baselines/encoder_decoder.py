"""The encoder-decoder that invertible grayscale and video snapshot share.

Convolutions have no bias and there is no normalisation; weights start from N(0, 0.02). Inside,
values lie in [-1, 1].
"""

import einops
import jax
from flax import nnx
from jaxtyping import Array, Float

from iicnet_jax.models.convolution import convolve
from iicnet_jax.models.network import COLOURS, Network


def convolution(
    in_features: int, out_features: int, kernel_size: int = 3, stride: int = 1, *, rngs: nnx.Rngs
) -> nnx.Conv:
    """A SAME convolution without bias."""
    return nnx.Conv(
        in_features,
        out_features,
        (kernel_size, kernel_size),
        strides=stride,
        use_bias=False,
        kernel_init=nnx.initializers.normal(0.02),
        conv_general_dilated=convolve if stride == 1 else jax.lax.conv_general_dilated,
        rngs=rngs,
    )


class ResidualBlock(nnx.Module):
    """x + C2(relu(C1(x))), with `hidden` features between the two 3x3 convolutions."""

    def __init__(self, features: int, hidden: int, *, rngs: nnx.Rngs):
        self.first = convolution(features, hidden, rngs=rngs)
        self.second = convolution(hidden, features, rngs=rngs)

    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h w c"]:
        return x + self.second(nnx.relu(self.first(x)))


def residual_blocks(count: int, features: int, hidden: int | None = None, *, rngs: nnx.Rngs):
    """Several residual blocks, one after the other."""
    blocks = [ResidualBlock(features, hidden or features, rngs=rngs) for _ in range(count)]
    return nnx.Sequential(*blocks)


class Halve(nnx.Module):
    """A 3x3 convolution with stride 2, and one more: (b, h, w, c) to (b, h/2, w/2, 2c)."""

    def __init__(self, features: int, *, rngs: nnx.Rngs):
        self.first = convolution(features, 2 * features, stride=2, rngs=rngs)
        self.second = convolution(2 * features, 2 * features, rngs=rngs)

    def __call__(self, x):
        return nnx.relu(self.second(self.first(x)))


class Double(nnx.Module):
    """Nearest-neighbour up-sampling and two 3x3 convolutions: (b, h, w, c) to (b, 2h, 2w, c/2)."""

    def __init__(self, features: int, *, rngs: nnx.Rngs):
        self.first = convolution(features, features // 2, rngs=rngs)
        self.second = convolution(features // 2, features // 2, rngs=rngs)

    def __call__(self, x):
        x = einops.repeat(x, "b h w c -> b (h 2) (w 2) c")
        return nnx.relu(self.second(self.first(x)))


class Encoder(nnx.Module):
    """From features to an image in [-1, 1]: down to a quarter of the size and up again, with skips.

    Maps (b, h, w, features) with h and w multiples of 4 to (b, h, w, out_features).
    """

    # In pixels, to the right and downwards; to the left and upwards it is less. At full size
    # there are 4 + 2 + 4 + 1 convolutions, at half size, where a pixel counts 2, 1 + 2, and at a
    # quarter, where it counts 4, 1 + 8; a convolution with stride 2 sees 2 pixels to its right.
    REACH = 11 + 2 * 3 + 4 * 9 + 2 + 2 * 2

    def __init__(self, features: int, out_features: int, *, rngs: nnx.Rngs):
        self.head = residual_blocks(2, features, rngs=rngs)
        self.down = nnx.List([Halve(features, rngs=rngs), Halve(2 * features, rngs=rngs)])
        self.middle = residual_blocks(4, 4 * features, rngs=rngs)
        self.up = nnx.List([Double(4 * features, rngs=rngs), Double(2 * features, rngs=rngs)])
        self.tail = residual_blocks(2, features, rngs=rngs)
        self.last = convolution(features, out_features, rngs=rngs)

    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h w d"]:
        full = self.head(x)
        half = self.down[0](full)
        x = self.middle(self.down[1](half))
        x = self.up[0](x) + half
        x = self.up[1](x) + full
        return nnx.tanh(self.last(self.tail(x)))


class EncoderDecoder(Network):
    """Images through an encoder, and back through a decoder; neither is an inverse of the other.

    Sub-classes have `encode` and `decode`, of values in [-1, 1]. Heights and widths that are no
    multiples of 4 are padded for the encoder, and the embedding is cut to the images' size.
    """

    grid_stride = 4

    def encode(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h w k"]:
        """From the images, concatenated along the channels, to the embedding."""
        raise NotImplementedError

    def decode(self, y: Float[Array, "b h w k"]) -> Float[Array, "b h w c"]:
        """From the embedding to the images, concatenated along the channels."""
        raise NotImplementedError

    def embed(self, frames):
        height, width = frames.shape[2:4]
        y = self.encode(2 * self._join(frames) - 1)
        return (y[:, :height, :width] + 1) / 2

    def restore(self, image, size=None, position=(0, 0)):
        self._check_embedding(image, size)
        return self._separate((self.decode(2 * image - 1) + 1) / 2, size)


def output_layers(features: int, num_images: int, *, rngs: nnx.Rngs) -> nnx.Sequential:
    """The end of a decoder: a 3x3 convolution to 4 x `features`, a 1x1 to the images, tanh."""
    return nnx.Sequential(
        convolution(features, 4 * features, rngs=rngs),
        convolution(4 * features, num_images * COLOURS, kernel_size=1, rngs=rngs),
        nnx.tanh,
    )
