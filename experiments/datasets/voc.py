"""VOC2012: photographs at sizes of up to 500 pixels, in the sample two too small to be used."""

from collections.abc import Iterable
from pathlib import Path

from experiments.datasets.photographs import photograph, save

# By name, whose order decides what trains: photograph, width, height.
TRAIN = {
    "2007_000027": ("astronaut", 486, 500),
    "2007_000032": ("hubble", 500, 281),
    "2007_000033": ("ihc", 500, 366),
    "2007_000039": ("motorcycle", 500, 375),
    "2007_000042": ("retina", 335, 500),
    "2008_000002": ("camera", 500, 375),
    "2008_000003": ("brick", 160, 333),
    "2008_000007": ("coins", 500, 327),
}
TEST = {
    "2011_000003": ("chelsea", 442, 300),
    "2011_000006": ("coffee", 500, 333),
    "2011_000007": ("rocket", 500, 333),
    "2012_000003": ("gravel", 240, 180),
}
SMALL = {"2007_000061": ("grass", 500, 143), "2011_000009": ("grass", 142, 200)}


def write(folder: Path, images: Iterable[tuple], train: int, **jpeg: int) -> dict[str, int]:
    """Writes images, each with its name; returns their number and that of those that train."""
    count = 0
    for name, image in images:
        save(image, folder / "VOC2012" / "JPEGImages" / f"{name}.jpg", **jpeg)
        count += 1
    return {"images": count, "train": train}


def write_sample(folder: Path) -> dict[str, int]:
    """Writes the sample."""
    images = TRAIN | TEST | SMALL
    named = ((name, photograph(*image)) for name, image in images.items())
    return write(folder, named, len(TRAIN), quality=92)
