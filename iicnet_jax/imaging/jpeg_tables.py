"""The quantisation tables of JPEG, by quality as libjpeg counts it, and the quality of a file."""

from collections.abc import Mapping, Sequence

import numpy as np

BLOCK = 8


def _all_qualities(base: np.ndarray) -> np.ndarray:
    """A table for quality 50, scaled for every quality, (101, 8, 8) int32; that of 0 is of 1."""
    quality = np.maximum(np.arange(101), 1)[:, None, None]
    percent = np.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    return np.clip((base * percent + 50) // 100, 1, 255).astype(np.int32)


# Tables K.1 and K.2 of ITU-T T.81.
_LUMINANCE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)
_CHROMINANCE = np.full((BLOCK, BLOCK), 99)
_CHROMINANCE[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]

# (101, 8, 8), by quality; row v, column u is the step of the coefficient of those frequencies.
LUMINANCE = _all_qualities(_LUMINANCE)
CHROMINANCE = _all_qualities(_CHROMINANCE)


def quality_of(tables: Mapping[int, Sequence[int]]) -> int | None:
    """The quality of libjpeg, 1 to 100, whose table of the luma is nearest to a file's.

    `tables`: by number, 64 steps each, row by row, as Pillow has them; None if there is no usable
    one. Other programs scale otherwise, so that this is what it seems to be.
    """
    steps = np.asarray(tables.get(0, ()))
    if steps.shape != (BLOCK * BLOCK,) or not (steps > 0).all():
        return None
    # By ratio: a step of 2 instead of 1 is another quality, one of 100 instead of 99 is not.
    distance = np.abs(np.log(LUMINANCE[1:].reshape(100, -1) / steps)).sum(axis=1)
    return int(np.argmin(distance)) + 1
