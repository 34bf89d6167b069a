"""Hiding images in an image (supplement, section 1.5).

Flicker 2W, 20,745 photographs, of which those with both sides of at least 576 pixels are used.
Sorted by name, N that follow one another form a group, whose first image is the reference, in
which the others are hidden. The first 70% of the groups train, the next 10% validate, the rest
test. A group is a stack of 576x576 squares: for training cut at random, each image by itself, and
then a random crop of the stack; else the centres.
"""

from pathlib import PurePosixPath

import numpy as np
from tqdm import tqdm

from iicnet_jax.data.images import centre_crop, crop, random_corner
from iicnet_jax.data.regime import Group, Regime
from iicnet_jax.data.store import FolderStore, ImageStore
from iicnet_jax.errors import UserError

FOLDER = "flicker_2W_images"
IMAGES = 20_745
SQUARE = 576
TRAIN, VALIDATION = 0.7, 0.1  # of the groups
HOW_TO_GET = (
    "Flicker 2W is published at https://github.com/liujiaheng/CompressionData; unpack it so that "
    f"config.data.root holds {FOLDER}"
)


class Hiding(Regime):
    """Groups of unrelated photographs of Flicker 2W.

    Args:
      store: holds flicker_2W_images.
      num_images: N, images in a group.
      crop: side in pixels of the training crop, at most 576.
    """

    def __init__(self, store: ImageStore, num_images: int, crop: int):
        self.store = store
        self.num_images = num_images
        self.crop = crop
        self._groups = {}

    @classmethod
    def from_config(cls, data, model):
        return cls(FolderStore(data.root, HOW_TO_GET), model.num_images, data.crop)

    def names(self, split):
        return [PurePosixPath(reference).stem for reference, *_ in self.groups(split)]

    def load(self, split, index):
        return tuple(self.store.read(path) for path in self.groups(split)[index])

    def training_group(self, images, rng):
        squares = []
        for image in images:
            top, left = random_corner(rng, image, SQUARE, SQUARE)
            squares.append(crop(image, top, left, SQUARE, SQUARE))
        top, left = random_corner(rng, squares[0], self.crop, self.crop)
        return _group([crop(square, top, left, self.crop, self.crop) for square in squares])

    def evaluation_group(self, images):
        return _group([centre_crop(image, SQUARE, SQUARE) for image in images])

    def groups(self, split) -> list[tuple[str, ...]]:
        """Paths of the images of every sample, the reference first.

        The first call reads the size of every image, which takes a while.
        """
        if not self._groups:
            self._groups = self._find_groups()
        return self._groups[split]

    def _find_groups(self):
        images, size = self._large_images(), self.num_images
        groups = [tuple(images[size * i : size * (i + 1)]) for i in range(len(images) // size)]
        train = round(len(groups) * TRAIN)
        validation = train + round(len(groups) * VALIDATION)
        return {
            "train": groups[:train],
            "validation": groups[train:validation],
            "test": groups[validation:],
        }

    def _large_images(self):
        paths = self.store.files(FOLDER, "")
        paths = [path for path in paths if not PurePosixPath(path).name.startswith(".")]
        if len(paths) != IMAGES:
            raise UserError(f"{FOLDER} holds {len(paths)} files instead of {IMAGES}: {HOW_TO_GET}")
        progress = tqdm(paths, desc=f"image sizes of {FOLDER}", unit="file", disable=None)
        return [path for path in progress if min(self.store.size(path)) >= SQUARE]


def _group(images) -> Group:
    return {"frames": np.stack(images), "reference": images[0]}
