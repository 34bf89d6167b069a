"""PSNR and SSIM against the authors' numbers and against another implementation."""

from pathlib import Path

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from iicnet_jax.evaluation import metrics
from iicnet_jax.imaging.colour import luma, y_channel

GOLDEN = np.load(Path(__file__).parent.parent / "golden" / "metrics.npz")
PAIRS = [(GOLDEN[f"{i}/reference_rgb"], GOLDEN[f"{i}/distorted_rgb"]) for i in range(3)]


@pytest.mark.parametrize("i", range(3))
def test_colour_and_grey_measures_equal_the_authors(i):
    measures = metrics.compare(*PAIRS[i], y_border=0)
    psnr, ssim = GOLDEN[f"{i}/psnr_ssim"]
    assert measures["psnr"] == pytest.approx(psnr, abs=0.01)
    assert measures["ssim"] == pytest.approx(ssim, abs=1e-4)
    psnr, ssim = GOLDEN[f"{i}/psnr_ssim_gray"]
    assert measures["psnr_grey"] == pytest.approx(psnr, abs=0.01)
    assert measures["ssim_grey"] == pytest.approx(ssim, abs=1e-4)


def test_ssim_equals_scikit_image():
    a, b = (image[:60, :71] for image in PAIRS[1])
    other = structural_similarity(
        a, b, channel_axis=-1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert metrics.ssim(a, b) == pytest.approx(other, abs=1e-5)


def test_psnr_of_a_known_difference():
    a = np.full((12, 12, 3), 100, np.uint8)
    assert metrics.psnr(a, a + np.uint8(5)) == pytest.approx(20 * np.log10(255 / 5))


def test_equal_images_have_infinite_psnr_and_ssim_one():
    a = PAIRS[0][0]
    assert metrics.psnr(a, a) == float("inf")
    assert metrics.ssim(a, a) == pytest.approx(1, abs=1e-5)


def test_ssim_is_undefined_where_the_window_does_not_fit():
    a = np.zeros((8, 40, 3), np.uint8)
    assert np.isnan(metrics.ssim(a, a))


def test_luma_is_rounded_as_in_training():
    blue = np.array([[[0, 0, 250]]], np.uint8)
    assert luma(blue).tolist() == [[[29]]]  # 28.5: halves up
    assert luma(blue.astype(np.float32)).item() == pytest.approx(28.5)


def test_luma_of_the_primaries_is_rounded_to_8_bit():
    primaries = np.eye(3, dtype=np.uint8)[None] * np.uint8(255)
    assert luma(primaries).ravel().tolist() == [76, 150, 29]


def test_y_runs_from_16_to_235():
    black_and_white = np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)
    np.testing.assert_allclose(y_channel(black_and_white).ravel(), [16, 235], atol=1e-9)


def test_the_y_border_is_left_out_of_the_y_measures_alone():
    a = np.full((30, 30, 3), 50, np.uint8)
    b = a.copy()
    b[:4] = 200
    measures = metrics.compare(a, b, y_border=4)
    assert measures["psnr_y"] == float("inf")
    assert measures["psnr"] < 20


def test_one_channel_images_are_their_own_luma():
    a = np.arange(144, dtype=np.uint8).reshape(12, 12, 1)
    b = a[::-1]
    measures = metrics.compare(a, b, y_border=0)
    assert measures["psnr"] == measures["psnr_grey"] == measures["psnr_y"]
