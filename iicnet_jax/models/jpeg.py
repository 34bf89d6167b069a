"""Differentiable JPEG: what an image is after a JPEG file, computed as libjpeg computes it.

Images are NHWC in [0, 1], of 3 channels (RGB) or 1 (grey). Inside, samples are in grey levels, 0 to
255, and planes (b, h, w). Baseline JPEG (ITU-T T.81) with the colours of JFIF (BT.601, full range).

Wherever libjpeg rounds, values are rounded here, with a straight-through gradient: that of the
linear pipeline. Where it clips, the gradient is that of the clip, zero outside, as in
`quantisation.add_noise`: what is outside the range never reaches the file, so a network must not
learn to put anything there. The tables of quantisation have no gradient.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from iicnet_jax.imaging.jpeg_tables import BLOCK, CHROMINANCE, LUMINANCE

LEVELS = 255.0
MIDDLE = 128.0
SUBSAMPLINGS = ("4:2:0", "4:4:4")

# Row u, column i: the DCT of 8 samples as an orthogonal matrix.
_U, _I = np.mgrid[:BLOCK, :BLOCK]
DCT = np.where(_U == 0, np.sqrt(0.5), np.cos((2 * _I + 1) * _U * np.pi / (2 * BLOCK))) / 2
DCT = DCT.astype(np.float32)


def jpeg(
    y: Float[Array, "b h w k"], quality: jax.Array | int, subsampling: str = "4:2:0"
) -> Float[Array, "b h w k"]:
    """Images as they are read from JPEG files.

    Args:
      y: RGB or grey images of any size.
      quality: 1 to 100, one for all images or (b,) one for each; a fraction is rounded.
      subsampling: of the chroma planes, "4:2:0" (half the height and width) or "4:4:4".

    Raises:
      ValueError: the number of channels is neither 1 nor 3, or the subsampling is unknown.
    """
    if y.shape[-1] not in (1, 3) or subsampling not in SUBSAMPLINGS:
        raise ValueError(
            f"JPEG codes 1 or 3 channels, with a subsampling of {' or '.join(SUBSAMPLINGS)}, not "
            f"images {y.shape} with {subsampling}"
        )
    samples = _to_samples(y * LEVELS)
    quality = jnp.clip(jnp.round(quality).astype(jnp.int32), 1, 100)
    luma_table, chroma_table = (jnp.asarray(x)[quality] for x in (LUMINANCE, CHROMINANCE))
    if y.shape[-1] == 1:
        return _code(samples[..., 0], luma_table)[..., None] / LEVELS
    luma, *chroma = _to_ycc(samples)
    luma = _code(luma, luma_table)
    if subsampling == "4:2:0":
        size = luma.shape[1:]
        chroma = [_upsample(_code_halved(plane, chroma_table), size) for plane in chroma]
    else:
        chroma = [_code(plane, chroma_table) for plane in chroma]
    return _to_rgb(luma, *chroma) / LEVELS


def _to_samples(x):
    """Levels as a file stores them: clipped, and whole numbers."""
    return _straight_through(jnp.round, jnp.clip(x, 0, LEVELS))


def _straight_through(function, x):
    """function(x), with the gradient of x."""
    # Exactly function(x): whole numbers must stay whole, since more rounding follows.
    return jax.lax.stop_gradient(function(x)) + (x - jax.lax.stop_gradient(x))


def _to_ycc(rgb):
    """Luma, and the chroma planes around 128."""
    r, g, b = (rgb[..., i] for i in range(3))
    y = 0.299 * r + 0.587 * g + 0.114 * b
    cb = (b - y) / 1.772 + MIDDLE
    cr = (r - y) / 1.402 + MIDDLE
    return tuple(_to_samples(plane) for plane in (y, cb, cr))


def _to_rgb(y, cb, cr):
    cb, cr = cb - MIDDLE, cr - MIDDLE
    r = y + 1.402 * cr
    g = y - (0.114 * 1.772 * cb + 0.299 * 1.402 * cr) / 0.587
    b = y + 1.772 * cb
    return _to_samples(jnp.stack([r, g, b], axis=-1))


def _code(plane, table):
    """A plane after transform, quantisation and the way back: whole levels."""
    height, width = plane.shape[1:]
    blocks = _pad(plane, BLOCK, BLOCK) - MIDDLE
    padded = blocks.shape
    blocks = blocks.reshape(-1, padded[1] // BLOCK, BLOCK, padded[2] // BLOCK, BLOCK)
    # (b or 1, 1, 8, 1, 8), as the blocks are laid out.
    table = table.astype(plane.dtype).reshape(-1, 1, BLOCK, 1, BLOCK)
    # libjpeg has coefficients in whole eighths, and rounds halves of a step away from zero.
    eighths = _straight_through(jnp.round, 8 * _transform(DCT, blocks))
    steps = _straight_through(_away_from_zero, eighths / (8 * table))
    decoded = _transform(DCT.T, steps * table).reshape(padded)
    return _to_samples(decoded + MIDDLE)[:, :height, :width]


def _away_from_zero(x):
    return jnp.sign(x) * jnp.floor(jnp.abs(x) + 0.5)


def _transform(matrix, blocks):
    """A matrix times each 8x8 block times its transpose."""
    product = functools.partial(jnp.einsum, precision=jax.lax.Precision.HIGHEST)
    return product("vj,bhuwj->bhuwv", matrix, product("ui,bhiwj->bhuwj", matrix, blocks))


def _code_halved(plane, table):
    """A plane at half the height and width, coded."""
    height, width = (-(-side // 2) for side in plane.shape[1:])
    # As libjpeg does: columns are repeated before they are averaged, rows (but for an odd last
    # one) afterwards, by `_code`.
    padded = _pad(plane, 2, 2 * BLOCK)
    even, odd = padded[:, ::2], padded[:, 1::2]
    sums = even[..., ::2] + even[..., 1::2] + odd[..., ::2] + odd[..., 1::2]
    # Halves are rounded down in one column and up in the next.
    bias = jnp.asarray(np.resize([1.0, 2.0], sums.shape[2]), sums.dtype)
    means = _straight_through(jnp.floor, (sums + bias[None, None]) / 4)
    return _code(means, table)[:, :height, :width]


def _upsample(plane, size):
    """A plane at twice the height and width by the triangle filter of libjpeg, cut to a size."""
    rows = _interleave(_thirds(plane, axis=1), axis=1)
    left, right = _thirds(rows, axis=2)
    # Sixteenths, with halves rounded up in one column and down in the next.
    both = [_straight_through(jnp.floor, (x + bias) / 16) for x, bias in ((left, 8), (right, 7))]
    return _interleave(both, axis=2)[:, : size[0], : size[1]]


def _thirds(x, axis):
    """Three times each value plus the one before it, and plus the one after it."""
    part = functools.partial(jax.lax.slice_in_dim, x, axis=axis)
    before = jnp.concatenate([part(0, 1), part(0, -1)], axis)
    after = jnp.concatenate([part(1, None), part(-1, None)], axis)
    return 3 * x + before, 3 * x + after


def _interleave(both, axis):
    """Two arrays taken in turns along an axis."""
    shape = list(both[0].shape)
    shape[axis] *= 2
    return jnp.stack(both, axis=axis + 1).reshape(shape)


def _pad(plane, height, width):
    """Repeats the last row and column until the sides are multiples of these."""
    # Not jnp.pad, whose gradient would send zeros from device to device.
    for axis, multiple in ((1, height), (2, width)):
        last = jax.lax.slice_in_dim(plane, -1, None, axis=axis)
        missing = -plane.shape[axis] % multiple
        plane = jnp.concatenate([plane, *[last] * missing], axis)
    return plane
