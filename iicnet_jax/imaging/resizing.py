"""Resizes 8-bit RGB images as OpenCV and MATLAB do.

OpenCV and MATLAB differ in what they call bicubic: OpenCV's kernel has a = -0.75 and is the same
whatever the reduction; MATLAB's has a = -0.5 and widens as the image shrinks, against aliasing.
"""

from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from iicnet_jax.imaging import RGB

Resized = UInt8[np.ndarray, "h2 w2 3"]


def resize_bilinear(image: RGB, height: int, width: int) -> Resized:
    """Bilinear interpolation between the four nearest pixels, without antialiasing (OpenCV)."""
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)


def resize_bicubic(image: RGB, height: int, width: int) -> Resized:
    """Bicubic interpolation between the sixteen nearest pixels, to enlarge images (OpenCV)."""
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC)


def halve(image: UInt8[Any, "h w 3"]) -> UInt8[Any, "h2 w2 3"]:
    """Bilinear reduction by two: the mean of every 2x2 square, rounded, halves upwards.

    Height and width must be even. The image may be NumPy's or JAX's.
    """
    height, width = image.shape[0] // 2, image.shape[1] // 2
    squares = image.reshape(height, 2, width, 2, 3)
    return ((squares.sum(axis=(1, 3), dtype=np.uint16) + 2) // 4).astype(np.uint8)


def half_size(image: RGB, *, bicubic: bool) -> Resized:
    """Half of height and width, rounded up: an odd last row or column is repeated.

    `bicubic`: as `imresize`; else the means of 2x2 squares, as `halve`.
    """
    height, width = image.shape[:2]
    even = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return imresize(even, -(-height // 2), -(-width // 2)) if bicubic else halve(even)


def imresize(image: RGB, height: int, width: int) -> Resized:
    """Bicubic resizing, antialiased when shrinking, as MATLAB's `imresize(image, [h, w])`."""
    sides = zip(image.shape, (height, width), strict=False)
    passes = [(new / old, axis, new) for axis, (old, new) in enumerate(sides)]
    # MATLAB begins with the side that shrinks most, and each pass makes 8-bit values.
    for factor, axis, length in sorted(passes):
        weights = bicubic_weights(image.shape[axis], length, factor)
        resized = np.moveaxis(np.tensordot(weights, image, (1, axis)), 0, axis)
        image = np.clip(np.floor(resized + 0.5), 0, 255).astype(np.uint8)
    return image


def bicubic_weights(length: int, new_length: int, scale: float) -> Float[np.ndarray, "new old"]:
    """The share of every old pixel of a row in every new one; the shares of a new one sum to 1."""
    stretch = max(1 / scale, 1)
    centres = (np.arange(new_length) + 0.5) / scale - 0.5  # in old pixels
    reach = int(np.ceil(2 * stretch))
    pixels = np.floor(centres).astype(int)[:, None] + np.arange(-reach, reach + 2)
    shares = _cubic((centres[:, None] - pixels) / stretch)
    shares /= shares.sum(axis=1, keepdims=True)
    # Beyond its ends the row goes on as its mirror image.
    mirrored = np.concatenate([np.arange(length), np.arange(length)[::-1]])
    weights = np.zeros((new_length, length))
    np.add.at(weights, (np.arange(new_length)[:, None], mirrored[pixels % (2 * length)]), shares)
    return weights


def _cubic(x):
    """Keys' kernel with a = -0.5."""
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0.0))
