"""PSNR and SSIM, in colour, on the luma and on the Y channel.

Images are (height, width, channels), uint8 or float32, with values from 0 to 255 in both cases:
the float ones are those that an image file would round.
"""

import dm_pix
import jax
import numpy as np

from iicnet_jax.imaging.colour import luma, y_channel

PEAK = 255.0
MEASURES = ("psnr", "ssim", "psnr_grey", "ssim_grey", "psnr_y", "ssim_y")  # of `compare`
SSIM_WINDOW = 11
SSIM_SIGMA = 1.5


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """10 log10(255^2 / mean squared difference) in dB; infinite for equal images."""
    difference = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    mean_square = np.mean(difference**2)
    return float(10 * np.log10(PEAK**2 / mean_square)) if mean_square else float("inf")


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Structural similarity (Wang et al. 2004), at most 1, mean over pixels and channels.

    11x11 Gaussian window of sigma 1.5, where it lies wholly within the image. Undefined (nan)
    for images with a side under 11 pixels.
    """
    if min(a.shape[:2]) < SSIM_WINDOW:
        return float("nan")
    return float(_ssim(np.asarray(a, np.float32), np.asarray(b, np.float32)))


@jax.jit
def _ssim(a, b):
    return dm_pix.ssim(a, b, max_val=PEAK, filter_fn=_window_mean)


def _window_mean(image):
    """The Gaussian mean of every whole window, as a sum of shifted images.

    dm_pix's own filter, a convolution, computes the same several times slower on a CPU.
    """
    offsets = np.arange(SSIM_WINDOW) - SSIM_WINDOW // 2
    weights = np.exp(-0.5 * (offsets / SSIM_SIGMA) ** 2).astype(np.float32)
    weights /= weights.sum()
    for axis in (0, 1):
        length = image.shape[axis] - SSIM_WINDOW + 1
        image = sum(
            weight * jax.lax.slice_in_dim(image, start, start + length, axis=axis)
            for start, weight in enumerate(weights)
        )
    return image


def compare(image: np.ndarray, target: np.ndarray, y_border: int) -> dict[str, float]:
    """All measures of one image against its target.

    `psnr` and `ssim` on the colours, `psnr_grey` and `ssim_grey` on the luma, `psnr_y` and
    `ssim_y` on the Y channel without `y_border` pixels at each edge.
    """
    measures = {}
    for suffix, convert in (("", np.asarray), ("_grey", luma), ("_y", y_channel)):
        a, b = convert(image), convert(target)
        if suffix == "_y" and y_border:
            inside = slice(y_border, -y_border)
            a, b = a[inside, inside], b[inside, inside]
        measures[f"psnr{suffix}"] = psnr(a, b)
        measures[f"ssim{suffix}"] = ssim(a, b)
    return measures
