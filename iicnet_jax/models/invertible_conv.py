"""The invertible 1x1 convolution, which mixes the channels of each pixel."""

import jax.numpy as jnp
from flax import nnx

from iicnet_jax.models.bijection import Bijection


class InvertibleConv1x1(Bijection):
    """y = W x at every pixel, with a dense trained matrix W that starts orthogonal."""

    def __init__(self, channels: int, *, rngs: nnx.Rngs):
        orthogonal = nnx.initializers.orthogonal()
        self.weight = nnx.Param(orthogonal(rngs.params(), (channels, channels), jnp.float32))

    def forward(self, x):
        return mix(self.weight[...], x)

    def inverse(self, y):
        return mix(_inverse(self.weight[...]), y)


def mix(matrix, x):
    return jnp.einsum("oi,bhwi->bhwo", matrix, x, precision="highest")


def _inverse(matrix):
    """W^-1 in float32, where the authors' code computes it in float64.

    One Newton step, X <- X + X (I - W X), removes about two thirds of the rounding error.
    """
    inverse = jnp.linalg.inv(matrix)
    residual = jnp.eye(len(matrix)) - jnp.matmul(matrix, inverse, precision="highest")
    return inverse + jnp.matmul(inverse, residual, precision="highest")
