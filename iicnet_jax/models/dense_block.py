"""The dense block: five densely connected 3x3 convolutions (supplement, section 5)."""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from iicnet_jax.models.convolution import convolve

GROWTH = 32
LEAKY_SLOPE = 0.2
REACH = 5  # pixels: five 3x3 convolutions see so far


def convolution(
    in_features: int, out_features: int, kernel_size: int, *, rngs: nnx.Rngs, kernel_init=None
) -> nnx.Conv:
    """A SAME convolution with bias, (b, h, w, in_features) to (b, h, w, out_features).

    Without `kernel_init`, weights and biases are uniform in +-1/sqrt(fan_in); with it, the
    weights are drawn from it and the biases are zero.
    """
    bias_init = nnx.initializers.zeros
    if kernel_init is None:
        bound = (in_features * kernel_size**2) ** -0.5

        def kernel_init(key, shape, dtype):
            return jax.random.uniform(key, shape, dtype, minval=-bound, maxval=bound)

        bias_init = kernel_init
    return nnx.Conv(
        in_features,
        out_features,
        (kernel_size, kernel_size),
        kernel_init=kernel_init,
        bias_init=bias_init,
        conv_general_dilated=convolve,
        rngs=rngs,
    )


class DenseBlock(nnx.Module):
    """Five 3x3 convolutions, each of which sees the input and all outputs before it.

    Maps (b, h, w, in_features) to (b, h, w, out_features). The first four convolutions have
    `growth` features and a leaky ReLU, and start from Xavier-normal weights times 0.1; the last
    starts from zero, so that a fresh block returns zero.
    """

    def __init__(
        self, in_features: int, out_features: int, *, growth: int = GROWTH, rngs: nnx.Rngs
    ):
        # Xavier-normal has variance 1/fan_avg; a tenth of it has a hundredth of the variance.
        small = nnx.initializers.variance_scaling(0.01, "fan_avg", "normal")
        self.growing = nnx.List(
            [
                convolution(in_features + i * growth, growth, 3, kernel_init=small, rngs=rngs)
                for i in range(4)
            ]
        )
        self.last = convolution(
            in_features + 4 * growth, out_features, 3, kernel_init=nnx.initializers.zeros, rngs=rngs
        )

    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h w d"]:
        features = x
        for conv in self.growing:
            new = nnx.leaky_relu(conv(features), LEAKY_SLOPE)
            features = jnp.concatenate([features, new], axis=-1)
        return self.last(features)
