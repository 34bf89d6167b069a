"""Invertible grayscale (supplement, section 2.1): a colour image in a grey one.

VOC2012: the colour image is the only image of a group, its luma the reference. Of the 17,125
images, sorted by name, those with a side under 144 pixels are dropped; the first 13,758 of what
remains train, the others test. As in the authors' code these also validate, so that the best
checkpoint by validation is chosen on test images.
"""

import functools

import numpy as np

from iicnet_jax.data.cropping import CropTask, random_rectangle
from iicnet_jax.data.storage import Dataset
from iicnet_jax.imaging.colour import luma

FOLDER = "VOC2012/JPEGImages"
SMALLEST_SIDE = 144


class Grayscale(CropTask):
    """Images of VOC2012, with their luma as references."""

    DATASET = Dataset(
        name="voc2012",
        counts={"images": 17_125, "train": 13_758},
        parts={"images": (f"{FOLDER}/*.jpg",)},
        how_to_get=(
            "the training/validation data of VOC2012 is published at "
            "http://host.robots.ox.ac.uk/pascal/VOC/voc2012/; unpack it so that "
            f"config.data.root, the folder VOCdevkit, holds {FOLDER}"
        ),
    )

    def training_crops(self, sizes, rng):
        return [random_rectangle(rng, sizes[0], self.crop, self.crop)]

    def sample(self, images):
        (image,) = images
        return {"frames": image[None], "reference": luma(image)}

    def evaluation_sample(self, images):
        return self.sample([*map(np.asarray, images)])

    def _find_samples(self, split):
        count = self.store.counts["train"]
        train, others = self._images[:count], self._images[count:]
        return [(path,) for path in (train if split == "train" else others)]

    @functools.cached_property
    def _images(self):
        return self._large_images(FOLDER, ".jpg", "JPG files", SMALLEST_SIDE)
