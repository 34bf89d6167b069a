"""DIV2K: photographs, some of them enlarged, and their bicubic reductions.

The paper trains on crops of 144 pixels of images reduced 8 times and leaves out what is smaller,
so that an image needs sides of 1,152 pixels to train or validate at x8: only some have them.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from experiments.datasets.photographs import photograph, save_png
from iicnet_jax.imaging.resizing import imresize

# Width and height, whole multiples of 8. The last of "train" validates in dual_view.
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
VALIDATION = 1
SCALES = (2, 4, 8)


def write(folder: Path) -> dict[str, int]:
    """Writes both parts; returns their numbers of images, and how many of "train" validate."""
    number = 0
    for part, sizes in IMAGES.items():
        for name, (width, height) in sizes.items():
            number += 1
            high = photograph(name, width, height)
            save_png(high, folder / f"DIV2K_{part}_HR" / f"{number:04d}.png")
            for scale in SCALES:
                low = imresize(np.asarray(high), height // scale, width // scale)
                subfolder = folder / f"DIV2K_{part}_LR_bicubic" / f"X{scale}"
                save_png(Image.fromarray(low), subfolder / f"{number:04d}x{scale}.png")
    return {part: len(sizes) for part, sizes in IMAGES.items()} | {"validation": VALIDATION}
