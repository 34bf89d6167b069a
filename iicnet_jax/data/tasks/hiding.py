"""Hiding images in an image (supplement, section 1.5).

Flicker 2W, 20,745 photographs, of which those with both sides of at least 576 pixels are used.
Sorted by name, N that follow one another form a group, whose first image is the reference, in
which the others are hidden. The first 70% of the groups train, the next 10% validate, the rest
test. A group is a stack of 576x576 squares: for training cut at random, each image by itself, and
then a random crop of the stack; else the centres.
"""

import functools

from iicnet_jax.data.aligned import AlignedImages
from iicnet_jax.data.cropping import random_rectangle
from iicnet_jax.data.images import centre_crop
from iicnet_jax.data.storage import Dataset

FOLDER = "flicker_2W_images"
SQUARE = 576
TRAIN, VALIDATION = 0.7, 0.1  # of the groups


class Hiding(AlignedImages):
    """Groups of unrelated photographs of Flicker 2W; training crops have at most 576 pixels."""

    DATASET = Dataset(
        name="flicker2w",
        counts={"images": 20_745},
        parts={"images": (f"{FOLDER}/*",)},
        how_to_get=(
            "Flicker 2W is published at https://github.com/liujiaheng/CompressionData; unpack it "
            f"so that config.data.root holds {FOLDER}"
        ),
    )

    def training_crops(self, sizes, rng):
        squares = [random_rectangle(rng, size, SQUARE, SQUARE) for size in sizes]
        # The same place in every square.
        place = random_rectangle(rng, (SQUARE, SQUARE), self.crop, self.crop)
        return [
            place._replace(top=square.top + place.top, left=square.left + place.left)
            for square in squares
        ]

    def evaluation_sample(self, images):
        return self.sample([centre_crop(image, SQUARE, SQUARE) for image in images])

    def _find_samples(self, split):
        images, size = self._images, self.num_images
        groups = [tuple(images[size * i : size * (i + 1)]) for i in range(len(images) // size)]
        train = round(len(groups) * TRAIN)
        validation = train + round(len(groups) * VALIDATION)
        return {
            "train": groups[:train],
            "validation": groups[train:validation],
            "test": groups[validation:],
        }[split]

    @functools.cached_property
    def _images(self):
        return self._large_images(FOLDER, "", "files", SQUARE)
