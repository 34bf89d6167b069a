"""Quantisation tables against those that Pillow writes."""

import io

import numpy as np
import pytest
from PIL import Image

from iicnet_jax.imaging.jpeg_tables import CHROMINANCE, LUMINANCE, quality_of


def tables_of(**options):
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG", **options)
    return Image.open(file).quantization


@pytest.mark.parametrize("quality", [1, 10, 37, 50, 75, 96, 100])
def test_tables_and_qualities_are_libjpegs(quality):
    found = tables_of(quality=quality)
    np.testing.assert_array_equal(found[0], LUMINANCE[quality].reshape(-1))
    np.testing.assert_array_equal(found[1], CHROMINANCE[quality].reshape(-1))
    # The worst have the same tables.
    assert quality_of(found) == quality or quality == 1


def test_tables_of_other_programs_are_near_some_quality():
    photoshop = [6, 4, 4, 6, 9, 11, 12, 16, *[20] * 56]
    assert 75 < quality_of(tables_of(qtables=[photoshop, photoshop])) < 92


@pytest.mark.parametrize("tables", [{}, {1: [1] * 64}, {0: [1] * 63}, {0: [0] * 64}])
def test_what_is_no_table_has_no_quality(tables):
    assert quality_of(tables) is None
