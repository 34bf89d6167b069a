"""Invertible rescaling (supplement, section 2.2): a photograph in one of half its size.

DIV2K: the high-resolution image is the only image of a group, and the published image of half
its size, reduced bicubically, is the reference. The 800 training images train; the 100
validation images test. As in the authors' code they also validate, so that the best checkpoint
by validation is chosen on test images.
"""

from pathlib import PurePosixPath

import numpy as np

from iicnet_jax.core.errors import UserError
from iicnet_jax.data.cropping import Rectangle, random_rectangle
from iicnet_jax.data.div2k import Div2k
from iicnet_jax.data.images import crop
from iicnet_jax.data.storage import Store

SCALE = 2
PARTS = {"train": "train", "validation": "valid", "test": "valid"}


class Rescaling(Div2k):
    """High-resolution images of DIV2K, with those of half the size as references."""

    scale = SCALE

    def __init__(self, store: Store, crop: int):
        if crop % SCALE:
            raise UserError(f"config.data.crop must be even for rescaling, not {crop}")
        super().__init__(store, crop)

    def training_crops(self, sizes, rng):
        side = self.crop // SCALE
        low = random_rectangle(rng, sizes[1] // SCALE, side, side)
        return low, Rectangle(low.top * SCALE, low.left * SCALE, self.crop, self.crop)

    def sample(self, images):
        low, high = images
        return {"frames": high[None], "reference": low}

    def evaluation_sample(self, images):
        low, high = images
        height, width = low.shape[:2]
        return self.sample([np.asarray(low), crop(high, 0, 0, height * SCALE, width * SCALE)])

    def _find_samples(self, split):
        return self._pairs(PARTS[split])

    def _name(self, paths):
        _, high = paths
        return PurePosixPath(high).stem
