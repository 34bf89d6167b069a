"""The convolution of all networks, with a gradient that is fast on CPUs as well."""

import jax
from jax import lax
from jax import numpy as jnp
from jaxtyping import Array, Float


def convolve(x, kernel, strides, padding, *, precision=None, **options):
    """`lax.conv_general_dilated`, to be given to `nnx.Conv`, for SAME convolutions of stride 1.

    On a CPU the gradient of the kernel is that of `kernel_gradient`, which XLA would compute as
    a convolution with a kernel as large as the image; there the function can be differentiated
    once, and in reverse mode only. On other devices it is the library's convolution.
    """

    def library(x, kernel):
        return lax.conv_general_dilated(x, kernel, strides, padding, precision=precision, **options)

    if jax.default_backend() != "cpu":
        return library(x, kernel)

    def forward(x, kernel):
        return library(x, kernel), (x, kernel)

    def backward(inputs, dy):
        x, kernel = inputs
        (dx,) = jax.linear_transpose(lambda x: library(x, kernel), x)(dy)
        return dx, kernel_gradient(x, dy, kernel.shape[:2], precision).astype(kernel.dtype)

    convolution = jax.custom_vjp(library)
    convolution.defvjp(forward, backward)
    return convolution(x, kernel)


def kernel_gradient(
    x: Float[Array, "b h w c"],
    dy: Float[Array, "b h w d"],
    size: tuple[int, int],
    precision=None,
) -> Float[Array, "kh kw c d"]:
    """The gradient of a SAME convolution's kernel of the given odd size, as matrix products.

    dK[i, j] = sum_{b,h,w} x[b, h + i - kh // 2, w + j - kw // 2]^T dy[b, h, w], with zeros
    around the images. Whichever of x and dy has fewer channels is the one that is shifted.
    Sums are in float32.
    """

    def product(x, dy):
        pixels = (0, 1, 2)
        return lax.dot_general(
            x,
            dy,
            ((pixels, pixels), ((), ())),
            precision=precision,
            preferred_element_type=jnp.float32,
        )

    if x.shape[-1] <= dy.shape[-1]:
        products = [product(shifted, dy) for shifted in _shifts(x, size)]
    else:
        products = [product(x, shifted) for shifted in reversed(_shifts(dy, size))]
    return jnp.stack(products).reshape(*size, *products[0].shape)


def _shifts(images, size):
    """The images moved by every offset of a kernel of that size, row by row."""
    (height, width), (rows, columns) = images.shape[1:3], size
    padded = jnp.pad(images, ((0, 0), (rows // 2,) * 2, (columns // 2,) * 2, (0, 0)))
    return [padded[:, i : i + height, j : j + width] for i in range(rows) for j in range(columns)]
