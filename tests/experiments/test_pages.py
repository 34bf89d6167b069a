"""Pages of text around a picture, which train networks for screenshots."""

import numpy as np
import pytest
from PIL import Image

from experiments.datasets import pages

PICTURE = Image.new("RGB", (300, 200), (255, 0, 255))


@pytest.mark.parametrize("size", [(300, 200), (24, 31), (500, 333)])
def test_a_page_has_the_size_of_its_picture_and_shows_it(size):
    page = pages.page(np.random.default_rng(0), PICTURE.resize(size))
    assert page.mode == "RGB" and page.size == size
    pixels = np.asarray(page)
    shown = (pixels == PICTURE.getpixel((0, 0))).all(-1)
    rows, columns = (np.flatnonzero(shown.any(axis)) for axis in (1, 0))
    inset = shown[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    assert inset.mean() > 0.95
    for side, whole in zip(inset.shape[::-1], size, strict=True):
        assert 0.2 * whole <= side <= 0.55 * whole


def test_pages_differ_are_mostly_plain_and_have_sharp_letters():
    first, second = (
        np.asarray(pages.page(np.random.default_rng(seed), PICTURE)).astype(int) for seed in (1, 2)
    )
    assert (first != second).any()
    again = np.asarray(pages.page(np.random.default_rng(1), PICTURE))
    np.testing.assert_array_equal(first, again)
    for page in (first, second):
        steps = np.abs(np.diff(page.sum(-1), axis=1))
        assert (steps == 0).mean() > 0.5 and (steps > 200).mean() > 0.005
