"""Flicker 2W: photographs and their rotations and reflections.

Of the sample's, thirty are large enough to be used. Their groups of 2, 3, 4 or 5 are split at
different places: training ends after 20 or 21 images, validation after 24 or 25. Each image between
two such places is of a photograph of its own, so that no photograph is in two splits, whatever the
groups' size.
"""

from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from experiments.datasets.photographs import photograph, save, turned

IMAGES = (
    *("astronaut", "hubble", "ihc", "motorcycle", "retina") * 4,
    "grass",  # trains or validates
    *("coffee",) * 3,
    "brick",  # validates or tests
    *("chelsea", "rocket", "gravel", "rocket", "chelsea"),
)
SIZES = ((576, 576), (648, 576), (576, 624))  # width and height
# After so many of the images comes one that is too small to be used.
SMALL = {3: ("coins", 600, 400), 12: ("camera", 575, 640), 27: ("chelsea", 448, 296)}


def write(folder: Path, images: Iterable[Image.Image], **jpeg: int) -> dict[str, int]:
    """Writes flicker_2W_images; returns the number of images."""
    count = 0
    for image in images:
        save(image, folder / "flicker_2W_images" / f"{count:05d}.jpg", **jpeg)
        count += 1
    return {"images": count}


def write_sample(folder: Path) -> dict[str, int]:
    """Writes the sample."""
    images = []
    for index, name in enumerate(IMAGES):
        # Another turn every time that a photograph comes again.
        turn = IMAGES[:index].count(name)
        images.append(turned(photograph(name, *SIZES[index % len(SIZES)]), turn, bool(turn % 2)))
        if index in SMALL:
            images.append(photograph(*SMALL[index]))
    return write(folder, images, quality=88)
