"""Base of tasks whose images are cropped at the same place."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from ml_collections import ConfigDict

from iicnet_jax.data.cropping import CropTask, random_rectangle, stack
from iicnet_jax.data.images import crop
from iicnet_jax.data.storage import Store
from iicnet_jax.data.task import Sample
from iicnet_jax.imaging.resizing import halve


class AlignedImages(CropTask):
    """Samples of N images, the reference first, of which the part that all have in common is used.

    Args:
      store: where the images are.
      num_images: N.
      crop: side in pixels of the training crop.
      scale: how many times smaller than the images the reference is, 1 or 2.
    """

    OPTIONS: ClassVar[tuple[str, ...]] = ()  # fields of `config.data` that __init__ takes, too

    def __init__(self, store: Store, num_images: int, crop: int, scale: int = 1):
        super().__init__(store, crop)
        self.num_images = num_images
        self.scale = scale

    @classmethod
    def from_config(cls, store, data, model):
        options = {name: data[name] for name in cls.OPTIONS}
        scale = reference_scale(model)
        return cls(store, model.num_images, data.crop, scale=scale, **options)

    def training_crops(self, sizes, rng):
        return [random_rectangle(rng, sizes.min(0), self.crop, self.crop)] * len(sizes)

    def sample(self, images):
        return aligned_sample(images, self.scale)

    def evaluation_sample(self, images):
        return self.sample(images)


def aligned_sample(images: Sequence, scale: int) -> Sample:
    """Images cut to one size, which `scale` divides, and the first as the reference."""
    sides = np.array([image.shape[:2] for image in images]).min(0)
    height, width = (int(side - side % scale) for side in sides)
    frames = stack([crop(image, 0, 0, height, width) for image in images])
    return {"frames": frames, "reference": halve(frames[0]) if scale == 2 else frames[0]}


def reference_scale(model: ConfigDict) -> int:
    """How many times smaller than the images the reference is, for the network `config.model`."""
    halved = model.get("downscaling", "none") != "none" and not model.get("full_size", False)
    return 2 if halved else 1
