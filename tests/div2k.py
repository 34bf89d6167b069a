"""A tree with the names and counts of DIV2K, and tiny images in it."""

import io
from pathlib import Path

import numpy as np
from PIL import Image


def png(height, width, seed=0):
    """An image file of noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def write_tree(root: Path, scale=4, low_size=(6, 5)) -> Path:
    """800 training and 100 validation pairs, all alike."""
    low, high = png(*low_size), png(low_size[0] * scale, low_size[1] * scale)
    for part, numbers in (("train", range(1, 801)), ("valid", range(801, 901))):
        high_dir = root / f"DIV2K_{part}_HR"
        low_dir = root / f"DIV2K_{part}_LR_bicubic" / f"X{scale}"
        high_dir.mkdir(parents=True)
        low_dir.mkdir(parents=True)
        for number in numbers:
            (high_dir / f"{number:04d}.png").write_bytes(high)
            (low_dir / f"{number:04d}x{scale}.png").write_bytes(low)
    return root
