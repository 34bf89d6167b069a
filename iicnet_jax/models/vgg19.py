"""Features of VGG-19 for the perceptual loss (Simonyan and Zisserman, 2014)."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

# Convolutions in each block that a max-pooling ends, and then conv4_1 alone.
BLOCKS = (2, 2, 4, 1)
SIDE = 224  # of the images the network was made for
# Blue, green, red: what is subtracted from values of 0 to 255.
MEAN = np.array([103.939, 116.779, 123.68], np.float32)


@dataclasses.dataclass(frozen=True)
class VGG19:
    """Rectified features of the layer conv4_1, of images resized to 224x224.

    Args:
      layers: kernel (3, 3, in, out) and bias (out,) of the nine convolutions up to conv4_1, of the
        network as it was published: its images are BGR, from 0 to 255 with `MEAN` subtracted.
    """

    layers: tuple[tuple[np.ndarray, np.ndarray], ...]

    def __call__(self, images: Float[Array, "b h w 3"]) -> Float[Array, "b 28 28 c"]:
        """From RGB images in [0, 1]."""
        shape = (images.shape[0], SIDE, SIDE, images.shape[3])
        x = jax.image.resize(images, shape, "bilinear", antialias=False)
        x = 255 * x[..., ::-1] - jnp.broadcast_to(MEAN, shape)
        layers = iter(self.layers)
        for block, count in enumerate(BLOCKS):
            if block:
                x = nnx.max_pool(x, (2, 2), strides=(2, 2))
            for _, (kernel, bias) in zip(range(count), layers, strict=False):
                x = jax.lax.conv_general_dilated(
                    x,
                    jnp.asarray(kernel),
                    (1, 1),
                    "SAME",
                    dimension_numbers=("NHWC", "HWIO", "NHWC"),
                )
                x = nnx.relu(x + jnp.broadcast_to(bias, x.shape))
        return x
