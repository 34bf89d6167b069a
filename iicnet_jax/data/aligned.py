"""Base of tasks whose images have one size and are cropped at the same place."""

from collections.abc import Sequence

import numpy as np
from ml_collections import ConfigDict

from iicnet_jax.data.images import crop, random_corner, require_one_size
from iicnet_jax.data.storage import Store
from iicnet_jax.data.task import FileTask, Sample
from iicnet_jax.imaging import RGB
from iicnet_jax.imaging.resizing import halve


class AlignedImages(FileTask):
    """Groups of images of one size, the reference first.

    Args:
      store: where the images are.
      num_images: N, images in a group.
      crop: side in pixels of the training crop.
      scale: how many times smaller than the images the reference is, 1 or 2.
    """

    def __init__(self, store: Store, num_images: int, crop: int, scale: int = 1):
        super().__init__(store, crop)
        self.num_images = num_images
        self.scale = scale

    def load(self, split, index):
        images = super().load(split, index)
        require_one_size(self.samples(split)[index], images)
        return images

    def training_sample(self, images, rng):
        top, left = random_corner(rng, images[0].shape, self.crop, self.crop)
        images = [crop(image, top, left, self.crop, self.crop) for image in images]
        return aligned_sample(images, self.scale)

    def evaluation_sample(self, images):
        return aligned_sample(images, self.scale)


def aligned_sample(images: Sequence[RGB], scale: int) -> Sample:
    """Images of one size, cut so that `scale` divides it, and the first as the reference."""
    height, width = (side - side % scale for side in images[0].shape[:2])
    frames = np.stack([crop(image, 0, 0, height, width) for image in images])
    return {"frames": frames, "reference": halve(frames[0]) if scale == 2 else frames[0]}


def reference_scale(model: ConfigDict) -> int:
    """How many times smaller than the images the reference is, for the network `config.model`."""
    halved = model.get("downscaling", "none") != "none" and not model.get("full_size", False)
    return 2 if halved else 1
