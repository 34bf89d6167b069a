"""scikit-image's photographs, which splits they are for, and what is made of pictures (Pillow).

So that numbers of held-out pictures mean something, no photograph is in two splits of a dataset.
"""

from pathlib import Path

import numpy as np
import skimage
from PIL import Image, ImageOps

FOLDER = Path(skimage.data_dir)
BY_SPLIT = {
    "train": {
        "astronaut": "astronaut.png",
        "brick": "brick.png",
        "camera": "camera.png",
        "coins": "coins.png",
        "hubble": "hubble_deep_field.jpg",
        "ihc": "ihc.png",
        "motorcycle": "motorcycle_left.png",
        "motorcycle_right": "motorcycle_right.png",
        "retina": "retina.jpg",
    },
    "validation": {"coffee": "coffee.png", "grass": "grass.png"},
    "test": {"chelsea": "chelsea.png", "gravel": "gravel.png", "rocket": "rocket.jpg"},
}
FILES = BY_SPLIT["train"] | BY_SPLIT["validation"] | BY_SPLIT["test"]
GREY = ("brick", "camera", "coins", "grass", "gravel")  # they only fill up the sample
STEREO_PAIR = ("motorcycle", "motorcycle_right")


def photograph(name: str, width: int | None = None, height: int | None = None) -> Image.Image:
    """A photograph in RGB; with a size, the largest centred part of that shape, resized to it."""
    with Image.open(FOLDER / FILES[name]) as image:
        image = image.convert("RGB")
    if width is None:
        return image
    return ImageOps.fit(image, (width, height), Image.Resampling.BICUBIC)


def soft_ellipse(width: int, height: int) -> Image.Image:
    """A matte (grey): 255 inside of an ellipse, 0 outside, and a soft edge between."""
    down, right = (np.linspace(-1, 1, side) for side in (height, width))
    radius = np.hypot(down[:, None], right[None])
    return Image.fromarray(np.uint8(np.clip((0.95 - radius) / 0.2, 0, 1) * 255))


def turned(image: Image.Image, quarters: int, mirrored: bool) -> Image.Image:
    """Turned by so many quarters, then perhaps mirrored."""
    image = image.rotate(90 * quarters, expand=True)
    return ImageOps.mirror(image) if mirrored else image


def save(image: Image.Image, path: Path, **options: int) -> None:
    """Writes a picture in the format of its suffix, and its folder if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)
