"""Flickr1024: parts of one real stereo pair, and pairs made of single photographs.

The real pair is Middlebury's motorcycle. In a pair made of a photograph, the right view is the
photograph shifted to the left by a disparity that grows evenly from the top to the bottom, like
that of a tilted plane.
"""

from pathlib import Path

from PIL import Image

from experiments.datasets.photographs import photograph, save_png

# Parts of the motorcycle: left, top, right, bottom, in both views. Its disparities are below 60
# pixels, so that with gaps of as much no point is in two splits.
REAL = {
    "train": ((0, 20, 240, 240), (0, 250, 240, 470)),
    "validation": ((300, 120, 450, 360),),
    "test": ((510, 100, 740, 340),),
}
MADE = {
    "train": ("astronaut", "brick", "camera", "hubble", "ihc", "retina"),
    "validation": ("coffee",),
    "test": ("chelsea", "rocket"),
}
FOLDERS = {
    "train": ("Train_1", "Train_2", "Train_3", "Train_4"),
    "validation": ("Validation",),
    "test": ("Test",),
}
WIDTH, HEIGHT = 272, 192
LEAST, MOST = 4, 24  # disparities, in pixels


def write(folder: Path) -> dict[str, int]:
    """Writes the folders of the three splits; returns the number of pairs in each split."""
    for split, folders in FOLDERS.items():
        pairs = [_real_pair(box) for box in REAL[split]]
        pairs += [_made_pair(name) for name in MADE[split]]
        left, right = pairs[-1]
        # In the dataset, too, the views of some pairs differ in width.
        pairs[-1] = left, right.crop((0, 0, right.width - 7, right.height))
        for index, views in enumerate(pairs):
            subfolder = folder / folders[index * len(folders) // len(pairs)]
            for side, view in zip("LR", views, strict=True):
                save_png(view, subfolder / f"{index + 1:04d}_{side}.png")
    return {split: len(REAL[split]) + len(MADE[split]) for split in FOLDERS}


def _real_pair(box):
    return tuple(photograph(name).crop(box) for name in ("motorcycle", "motorcycle_right"))


def _made_pair(name):
    image = photograph(name, WIDTH + MOST, HEIGHT)
    # Pixel (x, y) of the right view is pixel (x + disparity(y), y) of the photograph.
    from_place = (1, (MOST - LEAST) / HEIGHT, LEAST, 0, 1, 0)
    right = image.transform(
        (WIDTH, HEIGHT), Image.Transform.AFFINE, from_place, Image.Resampling.BICUBIC
    )
    return image.crop((0, 0, WIDTH, HEIGHT)), right
