"""DIV2K: photographs and their bicubic reductions.

The paper trains on crops of 144 pixels of images reduced 8 times and leaves out what is smaller,
so that an image needs sides of 1,152 pixels to train or validate at x8: only some have them.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from experiments.datasets.photographs import photograph, save
from iicnet_jax.imaging.resizing import imresize

SCALES = (2, 4, 8)
# The sample, some of it enlarged: width and height.
IMAGES = {
    "train": {
        "astronaut": (576, 576),
        "hubble": (1168, 1152),
        "ihc": (576, 576),
        "motorcycle": (848, 576),
        "retina": (1152, 1152),
        "coffee": (1152, 1152),
    },
    "valid": {"chelsea": (448, 296), "rocket": (640, 424)},
}
VALIDATION = 1  # the last of "train", in dual_view


def write(folder: Path, images: Iterable[tuple], validation: int) -> dict[str, int]:
    """Writes images, each after its part, and their reductions; returns the size of each part.

    Sides are cut to whole multiples of the largest scale. The last of "train" validate.
    """
    counts = Counter()
    for number, (part, image) in enumerate(images, start=1):
        width, height = (side - side % max(SCALES) for side in image.size)
        high = image.crop((0, 0, width, height))
        save(high, folder / f"DIV2K_{part}_HR" / f"{number:04d}.png")
        for scale in SCALES:
            low = Image.fromarray(imresize(np.asarray(high), height // scale, width // scale))
            subfolder = folder / f"DIV2K_{part}_LR_bicubic" / f"X{scale}"
            save(low, subfolder / f"{number:04d}x{scale}.png")
        counts[part] += 1
    return {**counts, "validation": validation}


def write_sample(folder: Path) -> dict[str, int]:
    """Writes the sample."""
    images = (
        (part, photograph(name, *size))
        for part, sizes in IMAGES.items()
        for name, size in sizes.items()
    )
    return write(folder, images, VALIDATION)
