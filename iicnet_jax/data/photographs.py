"""A first dataset that needs no download: photographs that come with scikit-image.

The camera pans over a photograph: the images of a group are crops of it, each a few pixels
further on, and the middle one is the reference. Training pans in a random direction; evaluation
pans to the right over the whole photograph.
"""

from pathlib import Path

import numpy as np
import skimage

from iicnet_jax.data.images import crop, random_corner, read_image, shrink
from iicnet_jax.data.regime import Regime
from iicnet_jax.errors import UserError

FILES = {
    "train": (
        "astronaut.png",
        "hubble_deep_field.jpg",
        "ihc.png",
        "motorcycle_left.png",
        "motorcycle_right.png",
        "retina.jpg",
    ),
    "validation": ("coffee.png",),
    "test": ("chelsea.png", "rocket.jpg"),
}


class Photographs(Regime):
    """Camera pans over photographs.

    Args:
      num_images: N, images in a group.
      crop: side in pixels of the training crop.
      pan: pixels between one image of a group and the next.
      scale: how many times smaller than the images the reference is, 1 or 2.
    """

    def __init__(self, num_images: int, crop: int, pan: int, scale: int = 1):
        self.num_images = num_images
        self.crop = crop
        self.pan = pan
        self.scale = scale
        # Small enough to be decoded once and kept.
        self._photographs = {
            name: read_image(Path(skimage.data_dir) / name)
            for names in FILES.values()
            for name in names
        }

    @classmethod
    def from_config(cls, data, model):
        scale = 1 if model.downscaling == "none" else 2
        return cls(model.num_images, data.crop, data.pan, scale)

    def names(self, split):
        return [Path(name).stem for name in FILES[split]]

    def load(self, split, index):
        return (self._photographs[FILES[split][index]],)

    def training_group(self, images, rng):
        (photograph,) = images
        height, width = self._panned_size(vertical := bool(rng.integers(2)))
        top, left = random_corner(rng, photograph, height, width)
        view = crop(photograph, top, left, height, width)
        return self._group(view, vertical, backwards=bool(rng.integers(2)))

    def evaluation_group(self, images):
        (photograph,) = images
        return self._group(photograph, vertical=False, backwards=False)

    def _panned_size(self, vertical):
        """Height and width of what the camera sees during a pan over training crops."""
        way = self.pan * (self.num_images - 1)
        return (self.crop + way, self.crop) if vertical else (self.crop, self.crop + way)

    def _group(self, view, vertical, backwards):
        """The images of a pan over the whole of `view`, the middle one first."""
        way = self.pan * (self.num_images - 1)
        height, width = view.shape[:2]
        height, width = (height - way, width) if vertical else (height, width - way)
        if min(height, width) < 1:
            raise UserError(
                f"a pan of {way} pixels does not fit on a photograph of {view.shape[0]}x"
                f"{view.shape[1]}: choose a smaller config.data.pan"
            )
        height, width = height - height % self.scale, width - width % self.scale
        steps = [i * self.pan for i in range(self.num_images)]
        if backwards:
            steps.reverse()
        images = [
            crop(view, step if vertical else 0, 0 if vertical else step, height, width)
            for step in steps
        ]
        middle = images.pop(self.num_images // 2)
        reference = shrink(middle, self.scale) if self.scale > 1 else middle
        return {"frames": np.stack([middle, *images]), "reference": reference}
