"""Resizing against MATLAB's published results and against exact fractions."""

from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest

from iicnet_jax.imaging.resizing import (
    bicubic_weights,
    halve,
    imresize,
    resize_bicubic,
    resize_bilinear,
)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def keys(x, a):
    """Keys' cubic kernel, "Cubic convolution interpolation for digital image processing", 1981."""
    x = abs(x)
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0


def matlab_kernel(x):
    return keys(x, Fraction(-1, 2))


def opencv_kernel(x):
    return keys(x, Fraction(-3, 4))


def mirrored(index, length):
    while not 0 <= index < length:
        index = -1 - index if index < 0 else 2 * length - 1 - index
    return index


def repeated(index, length):
    return min(max(index, 0), length - 1)


def resized_row(row, length, scale, kernel, border, stretch):
    """By the definition: a pixel of the result is the mean of all old ones, weighted by kernel."""
    result = []
    for new in range(length):
        centre = (new + Fraction(1, 2)) / scale - Fraction(1, 2)
        near = range(floor(centre - 2 * stretch), ceil(centre + 2 * stretch) + 1)
        shares = [kernel((centre - old) / stretch) for old in near]
        values = [int(row[border(old, len(row))]) for old in near]
        total = sum(share * value for share, value in zip(shares, values, strict=True))
        result.append(min(max(floor(total / sum(shares) + Fraction(1, 2)), 0), 255))
    return result


def matlab(image, sizes):
    """What imresize should be, in exact fractions."""
    scales = [Fraction(new, old) for new, old in zip(sizes, image.shape, strict=False)]
    for axis in sorted((0, 1), key=lambda axis: scales[axis]):
        image = np.apply_along_axis(
            resized_row,
            axis,
            image,
            sizes[axis],
            scales[axis],
            matlab_kernel,
            mirrored,
            max(1 / scales[axis], 1),
        )
    return image.astype(np.uint8)


# Computed by MATLAB R2019b: test_answer/{down_down_aa,down_down_x5_aa,up_up_topleft_noaa}.mat of
# https://github.com/sanghyun-son/bicubic_pytorch, made by its gen_test.m.
TOPLEFT = np.zeros((4, 4))
TOPLEFT[0, 0] = TOPLEFT[0, 3] = 100
TOPLEFT[1, 0] = 10
TOPLEFT[0, 1] = 1
MATLAB = {
    "8x8 to 3x4": (
        np.arange(64.0).reshape(8, 8),
        [
            [6.472528773310022, 8.511591273310021, 10.535028773310023, 12.57409127331002],
            [28.44921875, 30.48828125, 32.51171875, 34.55078125],
            [50.42590872668998, 52.46497122668998, 54.48840872668998, 56.52747122668998],
        ],
    ),
    "15x15 to 3x3": (
        np.arange(225.0).reshape(15, 15),
        [
            [29.1072, 34.288, 39.4688],
            [106.8192, 112.0, 117.1808],
            [184.5312, 189.712, 194.8928],
        ],
    ),
    "4x4 to 5x5": (
        TOPLEFT,
        [
            [108.685225, 27.6970975, -12.4465625, 26.8841925, 109.2025],
            [35.471365, 8.970789, -3.5895625, 6.637437, 26.961],
            [-0.6503125, -0.21221875, 0.39453125, -1.60790625, -6.53125],
            [-0.768075, -0.18963, 0.0459375, 0, 0],
            [0, 0, 0, 0, 0],
        ],
    ),
}


@pytest.mark.parametrize(("image", "expected"), MATLAB.values(), ids=MATLAB)
def test_the_weights_are_matlabs(image, expected):
    rows, columns = (
        bicubic_weights(old, new, new / old)
        for old, new in zip(image.shape, np.shape(expected), strict=True)
    )
    np.testing.assert_allclose(rows @ image @ columns.T, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ((16, 12), (8, 6)),
        ((16, 12), (4, 3)),
        ((13, 17), (5, 11)),  # rows first: they shrink more
        ((17, 13), (11, 5)),  # columns first
        ((9, 10), (9, 4)),
        ((6, 7), (13, 9)),
        ((10, 5), (4, 8)),
        ((3, 4), (1, 1)),  # wider than the image
    ],
)
def test_imresize_in_exact_fractions(old, new):
    image = noise(*old)
    result = imresize(image, *new)
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, matlab(image, new))


def test_imresize_clips():
    image = np.where(np.indices((8, 12))[1] // 3 % 2, 255, 0).astype(np.uint8)
    image = np.stack([image] * 3, axis=-1)
    np.testing.assert_array_equal(imresize(image, 13, 19), matlab(image, (13, 19)))


@pytest.mark.parametrize("size", [(3, 5), (7, 9), (20, 31)])
@pytest.mark.parametrize("resize", [imresize, resize_bilinear, resize_bicubic])
def test_one_colour_stays(resize, size):
    image = np.full((7, 9, 3), (0, 119, 255), np.uint8)
    np.testing.assert_array_equal(resize(image, *size), np.full((*size, 3), (0, 119, 255)))


@pytest.mark.parametrize("resize", [imresize, resize_bilinear, resize_bicubic])
def test_rows_are_rows_and_columns_columns(resize):
    image = noise(6, 10)
    result = resize(image, 8, 5)
    assert result.shape == (8, 5, 3)
    np.testing.assert_array_equal(
        resize(image[::-1, ::-1], 8, 5), result[::-1, ::-1], err_msg="not symmetric"
    )


@pytest.mark.parametrize("length", [10, 20, 80])
def test_imresize_keeps_ramps_away_from_the_borders(length):
    ramp = np.broadcast_to(np.arange(0, 240, 6, dtype=np.uint8)[None, :, None], (4, 40, 3))
    centres = (np.arange(length) + 0.5) * 40 / length - 0.5
    inside = (centres > 8) & (centres < 31)
    expected = np.floor(6 * centres + 0.5)
    np.testing.assert_array_equal(imresize(ramp, 4, length)[0, inside, 0], expected[inside])


@pytest.mark.parametrize(
    ("old", "new"), [((5, 6), (10, 12)), ((12, 16), (3, 4)), ((4, 8), (8, 2)), ((9, 14), (4, 7))]
)
def test_bilinear_in_exact_fractions(old, new):
    """No pixel but the nearest counts. OpenCV's shorter fractions may end one level lower."""
    image = noise(*old)
    expected = np.zeros((*new, 3), np.uint8)
    for place in np.ndindex(new):
        centres = [
            (at + Fraction(1, 2)) * Fraction(a, b) - Fraction(1, 2)
            for at, a, b in zip(place, old, new, strict=True)
        ]
        total = 0
        for corner in np.ndindex(2, 2):
            pixels = [floor(centre) + step for centre, step in zip(centres, corner, strict=True)]
            share = np.prod([1 - abs(c - pixel) for c, pixel in zip(centres, pixels, strict=True)])
            row, column = (repeated(p, length) for p, length in zip(pixels, old, strict=True))
            total = total + share * image[row, column].astype(object)
        expected[place] = [floor(value + Fraction(1, 2)) for value in total]
    lower = expected.astype(int) - resize_bilinear(image, *new)
    assert set(np.unique(lower)) <= {0, 1} and lower.mean() < 0.2


def test_bicubic_in_exact_fractions():
    """OpenCV's kernel has a = -3/4."""
    row = np.zeros(8, np.uint8)
    row[[0, 4]] = 200
    image = np.broadcast_to(row[None, :, None], (5, 8, 3)).copy()
    expected = resized_row(row, 16, 2, opencv_kernel, repeated, 1)
    result = resize_bicubic(image, 10, 16)
    np.testing.assert_array_equal(
        result, np.broadcast_to(np.reshape(expected, (16, 1)), (10, 16, 3))
    )


@pytest.mark.parametrize("size", [(2, 2), (6, 10), (64, 48)])
def test_halving_is_bilinear_at_one_half(size):
    image = noise(*size)
    half = resize_bilinear(image, size[0] // 2, size[1] // 2)
    np.testing.assert_array_equal(halve(image), half)
