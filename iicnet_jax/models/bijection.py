"""The contract of an invertible layer, and how layers are chained."""

from collections.abc import Sequence

from flax import nnx
from jaxtyping import Array, Float


class Bijection(nnx.Module):
    """An invertible map y = f(x) of NHWC feature maps.

    For every x, `inverse(forward(x))` equals x, and for every y, `forward(inverse(y))` equals y,
    both up to floating-point rounding. Only down-scaling layers change the shape: (b, h, w, c)
    becomes (b, h/2, w/2, 4c). Both methods are differentiable in input and parameters: in reverse
    mode, because convolutions have no other on CPUs (`models/convolution.py`).
    """

    def forward(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h2 w2 c2"]:
        """y = f(x)."""
        raise NotImplementedError

    def inverse(self, y: Float[Array, "b h2 w2 c2"]) -> Float[Array, "b h w c"]:
        """x = f^-1(y)."""
        raise NotImplementedError


class Chain(Bijection):
    """f = f_K o ... o f_1: `forward` applies the layers first to last, `inverse` last to first."""

    def __init__(self, layers: Sequence[Bijection]):
        self.layers = nnx.List(layers)

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def inverse(self, y):
        for layer in reversed(self.layers):
            y = layer.inverse(y)
        return y
