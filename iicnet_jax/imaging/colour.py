"""Luma and the Y channel of colour images, (h, w, 3) to (h, w, 1)."""

import numpy as np

PEAK = 255.0


def luma(image):
    """0.299 R + 0.587 G + 0.114 B, (h, w, 3) to (h, w, 1); of a uint8 image rounded, halves up.

    A one-channel image is returned as it is. A uint8 image may be NumPy's or JAX's.
    """
    if image.shape[-1] == 1:
        return image
    if image.dtype == np.uint8:
        thousandths = image.astype(np.int32) @ np.array([[299], [587], [114]], np.int32)
        return ((thousandths + 500) // 1000).astype(np.uint8)
    return np.asarray(image, np.float64) @ np.array([[0.299], [0.587], [0.114]])


def y_channel(image: np.ndarray) -> np.ndarray:
    """Y of YCbCr by BT.601 as in video, 16 to 235 and not rounded, (h, w, 3) to (h, w, 1).

    A one-channel image is returned as it is.
    """
    if image.shape[-1] == 1:
        return image
    weights = np.array([[65.481], [128.553], [24.966]]) / PEAK
    return 16 + np.asarray(image, np.float64) @ weights
