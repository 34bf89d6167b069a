"""The convolution of all networks, with a gradient that is fast on CPUs as well."""

import jax
from jax import lax
from jax import numpy as jnp
from jaxtyping import Array, Float

# Of a strip: its moved copies, nine for a kernel of 3x3, stay in a core's cache.
PIXELS = 2048


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
    around the images, summed in float32: all offsets in one product, strip by strip of the images.
    """
    (rows, columns), (batch, height, width, channels) = size, x.shape
    if channels > dy.shape[-1]:  # what has fewer channels is moved
        return kernel_gradient(dy, x, size, precision)[::-1, ::-1].swapaxes(2, 3)
    strips = -(-height // max(1, PIXELS // (batch * width)))
    strip_height = -(-height // strips)
    below = strips * strip_height - height
    x = jnp.pad(x, ((0, 0), (rows // 2, rows // 2 + below), (columns // 2,) * 2, (0, 0)))
    x = x.transpose(3, 0, 1, 2)
    dy = jnp.pad(dy, ((0, 0), (0, below), (0, 0), (0, 0)))

    def product(strip):
        top = strip * strip_height
        part = lax.dynamic_slice_in_dim(x, top, strip_height + rows - 1, axis=2)
        moved = [
            part[:, :, i : i + strip_height, j : j + width]
            for i in range(rows)
            for j in range(columns)
        ]
        gradient = lax.dot(
            jnp.stack(moved).reshape(rows * columns * channels, -1),
            lax.dynamic_slice_in_dim(dy, top, strip_height, axis=1).reshape(-1, dy.shape[-1]),
            precision=precision,
            preferred_element_type=jnp.float32,
        )
        return gradient.reshape(rows, columns, channels, dy.shape[-1])

    if strips == 1:
        return product(0)
    return lax.fori_loop(
        0,
        strips,
        lambda strip, total: total + product(strip),
        jnp.zeros((rows, columns, channels, dy.shape[-1]), jnp.float32),
    )
