"""Flickr1024: parts of one real stereo pair, and pairs made of single photographs.

The real pair is Middlebury's motorcycle. In a pair made of a photograph, the right view is the
photograph shifted to the left by a disparity that grows evenly, like that of a tilted plane.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from PIL import Image

from experiments.datasets.photographs import STEREO_PAIR, photograph, save

# Parts of the motorcycle: left, top, right, bottom, in both views. Its disparities are below 60
# pixels, so that with gaps of as much no point is in two splits.
REAL = {
    "train": ((0, 20, 240, 240), (0, 250, 240, 470)),
    "validation": ((300, 120, 450, 360),),
    "test": ((510, 100, 740, 340),),
}
FOLDERS = {
    "train": ("Train_1", "Train_2", "Train_3", "Train_4"),
    "validation": ("Validation",),
    "test": ("Test",),
}

# The sample.
MADE = {
    "train": ("astronaut", "brick", "camera", "hubble", "ihc", "retina"),
    "validation": ("coffee",),
    "test": ("chelsea", "rocket"),
}
SIZE = (272, 192)
LEAST, MOST = 4, 24  # disparities, in pixels

Views = Sequence[Image.Image]  # left, right


def write(folder: Path, made: Iterator[Views], counts: Mapping[str, int]) -> dict[str, int]:
    """Writes the real pairs and so many of those made for each split; returns their numbers."""
    motorcycle = [photograph(name) for name in STEREO_PAIR]
    total = {split: len(REAL[split]) + counts[split] for split in FOLDERS}
    for split, folders in FOLDERS.items():
        real = [[view.crop(box) for view in motorcycle] for box in REAL[split]]
        pairs = itertools.chain(real, itertools.islice(made, counts[split]))
        for index, views in enumerate(pairs):
            subfolder = folder / folders[index * len(folders) // total[split]]
            for side, view in zip("LR", views, strict=True):
                save(view, subfolder / f"{index + 1:04d}_{side}.png")
    return total


def write_sample(folder: Path) -> dict[str, int]:
    """Writes the sample."""
    pairs = []
    for names in MADE.values():
        images = [photograph(name, SIZE[0] + MOST, SIZE[1]) for name in names]
        pairs += [plane_views(image, SIZE, LEAST, 0, (MOST - LEAST) / SIZE[1]) for image in images]
        left, right = pairs[-1]
        # In the dataset, too, the views of some pairs differ in width.
        pairs[-1] = left, right.crop((0, 0, right.width - 7, right.height))
    return write(folder, iter(pairs), {split: len(names) for split, names in MADE.items()})


def plane_views(image, size, disparity: float, right: float, down: float) -> Views:
    """Views of `size` of a plane; its disparity in the upper left corner, its growth a pixel."""
    # Pixel (x, y) of the right view is pixel (x + disparity(x, y), y) of the image.
    from_place = (1 + right, down, disparity, 0, 1, 0)
    return (
        image.crop((0, 0, *size)),
        image.transform(size, Image.Transform.AFFINE, from_place, Image.Resampling.BICUBIC),
    )
