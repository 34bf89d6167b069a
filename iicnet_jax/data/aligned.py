"""What regimes share whose images are of one size and are cut at the same place."""

import numpy as np

from iicnet_jax.data.images import crop, halve, random_corner, require_one_size
from iicnet_jax.data.regime import FileRegime, Group
from iicnet_jax.data.store import Store


class AlignedImages(FileRegime):
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

    def training_group(self, images, rng):
        top, left = random_corner(rng, images[0].shape, self.crop, self.crop)
        return self._group([crop(image, top, left, self.crop, self.crop) for image in images])

    def evaluation_group(self, images):
        return self._group(images)

    def _group(self, images) -> Group:
        height, width = (side - side % self.scale for side in images[0].shape[:2])
        frames = np.stack([crop(image, 0, 0, height, width) for image in images])
        return {"frames": frames, "reference": halve(frames[0]) if self.scale == 2 else frames[0]}
