"""Hiding images in an image (supplement, section 1.5).

Flicker 2W, 20,745 photographs, of which those with both sides of at least 576 pixels are used.
Sorted by name, N that follow one another form a group, whose first image is the reference, in
which the others are hidden. The first 70% of the groups train, the next 10% validate, the rest
test. A group is a stack of 576x576 squares: for training cut at random, each image by itself, and
then a random crop of the stack; else the centres.
"""

import functools

from tqdm import tqdm

from iicnet_jax.data.aligned import aligned_sample, reference_scale
from iicnet_jax.data.images import centre_crop, crop, random_corner
from iicnet_jax.data.storage import Dataset, Store
from iicnet_jax.data.task import FileTask

FOLDER = "flicker_2W_images"
SQUARE = 576
TRAIN, VALIDATION = 0.7, 0.1  # of the groups


class Hiding(FileTask):
    """Groups of unrelated photographs of Flicker 2W.

    Args:
      store: holds flicker_2W_images.
      num_images: N, images in a group.
      crop: side in pixels of the training crop, at most 576.
      scale: how many times smaller than the images the reference is, 1 or 2.
    """

    DATASET = Dataset(
        name="flicker2w",
        counts={"images": 20_745},
        parts={"images": (f"{FOLDER}/*",)},
        how_to_get=(
            "Flicker 2W is published at https://github.com/liujiaheng/CompressionData; unpack it "
            f"so that config.data.root holds {FOLDER}"
        ),
    )

    def __init__(self, store: Store, num_images: int, crop: int, scale: int = 1):
        super().__init__(store, crop)
        self.num_images = num_images
        self.scale = scale

    @classmethod
    def from_config(cls, store, data, model):
        return cls(store, model.num_images, data.crop, reference_scale(model))

    def training_sample(self, images, rng):
        corners = [random_corner(rng, image.shape, SQUARE, SQUARE) for image in images]
        # The same place in every square.
        down, right = random_corner(rng, (SQUARE, SQUARE), self.crop, self.crop)
        patches = [
            crop(image, top + down, left + right, self.crop, self.crop)
            for image, (top, left) in zip(images, corners, strict=True)
        ]
        return aligned_sample(patches, self.scale)

    def evaluation_sample(self, images):
        squares = [centre_crop(image, SQUARE, SQUARE) for image in images]
        return aligned_sample(squares, self.scale)

    def _find_samples(self, split):
        images, size = self._large_images, self.num_images
        groups = [tuple(images[size * i : size * (i + 1)]) for i in range(len(images) // size)]
        train = round(len(groups) * TRAIN)
        validation = train + round(len(groups) * VALIDATION)
        return {
            "train": groups[:train],
            "validation": groups[train:validation],
            "test": groups[validation:],
        }[split]

    @functools.cached_property
    def _large_images(self):
        """Paths of the images that are used; reading all sizes takes a while."""
        found = self.store.files(FOLDER, "")
        expected = self.store.counts["images"]
        self._require(
            len(found) == expected, f"{FOLDER} holds {len(found)} files instead of {expected}"
        )
        progress = tqdm(found, desc=f"image sizes of {FOLDER}", unit="image", disable=None)
        return [path for path in progress if min(self.store.size(path)) >= SQUARE]
