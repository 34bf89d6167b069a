"""Invertible grayscale (supplement, section 2.1): a colour image in a grey one.

VOC2012: the colour image is the only image of a group, its luma the reference. Of the 17,125
images, sorted by name, those with a side under 144 pixels are dropped; the first 13,758 of what
remains train, the others test. As in the authors' code these also validate, so that the best
checkpoint by validation is chosen on test images.
"""

from pathlib import PurePosixPath

import numpy as np
from jaxtyping import UInt8
from tqdm import tqdm

from iicnet_jax.data.images import RGB, crop, random_corner
from iicnet_jax.data.regime import Group, Regime
from iicnet_jax.data.store import FolderStore, ImageStore
from iicnet_jax.errors import UserError

FOLDER = "VOC2012/JPEGImages"
IMAGES = 17_125
TRAINING_IMAGES = 13_758
SMALLEST_SIDE = 144
HOW_TO_GET = (
    "the training/validation data of VOC2012 is published at "
    "http://host.robots.ox.ac.uk/pascal/VOC/voc2012/; unpack it so that config.data.root, the "
    f"folder VOCdevkit, holds {FOLDER}"
)


class Grayscale(Regime):
    """Images of VOC2012, with their luma as references.

    Args:
      store: holds VOC2012/JPEGImages.
      crop: side in pixels of the training crop.
    """

    def __init__(self, store: ImageStore, crop: int):
        self.store = store
        self.crop = crop
        self._paths = None

    @classmethod
    def from_config(cls, data, model):
        return cls(FolderStore(data.root, HOW_TO_GET), data.crop)

    def names(self, split):
        return [PurePosixPath(path).stem for path in self.paths(split)]

    def load(self, split, index):
        return (self.store.read(self.paths(split)[index]),)

    def training_group(self, images, rng):
        (image,) = images
        top, left = random_corner(rng, image, self.crop, self.crop)
        return _group(crop(image, top, left, self.crop, self.crop))

    def evaluation_group(self, images):
        return _group(*images)

    def paths(self, split) -> list[str]:
        """The image of every sample. The first call reads the sizes of all images."""
        if self._paths is None:
            self._paths = self._large_images()
        train, others = self._paths[:TRAINING_IMAGES], self._paths[TRAINING_IMAGES:]
        return train if split == "train" else others

    def _large_images(self):
        found = self.store.files(FOLDER, ".jpg")
        if len(found) != IMAGES:
            raise UserError(
                f"{FOLDER} holds {len(found)} JPG files instead of {IMAGES}: {HOW_TO_GET}"
            )
        progress = tqdm(found, desc="sizes of the images", unit="image", disable=None)
        return [path for path in progress if min(self.store.size(path)) >= SMALLEST_SIDE]


def luma(image: RGB) -> UInt8[np.ndarray, "h w 1"]:
    """0.299 R + 0.587 G + 0.114 B, rounded to whole grey levels, halves up."""
    thousandths = image.astype(np.int32) @ np.array([299, 587, 114], np.int32)
    return ((thousandths + 500) // 1000).astype(np.uint8)[..., None]


def _group(image: RGB) -> Group:
    return {"frames": image[None], "reference": luma(image)}
