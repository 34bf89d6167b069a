"""Invertible rescaling (supplement, section 2.2): a photograph in one of half its size.

DIV2K: the high-resolution image is the only image of a group, and the published image of half
its size, reduced bicubically, is the reference. The 800 training images train; the 100
validation images test. As in the authors' code they also validate, so that the best checkpoint
by validation is chosen on test images.
"""

from pathlib import PurePosixPath

import numpy as np
from jaxtyping import UInt8

from iicnet_jax.core.errors import UserError
from iicnet_jax.data.div2k import Div2k
from iicnet_jax.data.images import crop, random_corner
from iicnet_jax.data.storage import Store
from iicnet_jax.data.task import Sample
from iicnet_jax.imaging import RGB

SCALE = 2
PARTS = {"train": "train", "validation": "valid", "test": "valid"}


class Rescaling(Div2k):
    """High-resolution images of DIV2K, with those of half the size as references."""

    scale = SCALE

    def __init__(self, store: Store, crop: int):
        if crop % SCALE:
            raise UserError(f"config.data.crop must be even for rescaling, not {crop}")
        super().__init__(store, crop)

    def training_sample(self, images, rng):
        low, high = images
        side = self.crop // SCALE
        height, width = (length // SCALE for length in high.shape[:2])
        top, left = random_corner(rng, (height, width), side, side)
        same_content = crop(high, top * SCALE, left * SCALE, self.crop, self.crop)
        return _sample(crop(low, top, left, side, side), same_content)

    def evaluation_sample(self, images):
        low, high = images
        height, width = low.shape[:2]
        return _sample(np.asarray(low), crop(high, 0, 0, height * SCALE, width * SCALE))

    def _find_samples(self, split):
        return self._pairs(PARTS[split])

    def _name(self, paths):
        _, high = paths
        return PurePosixPath(high).stem


def _sample(low: RGB, high: UInt8[np.ndarray, "h2 w2 3"]) -> Sample:
    return {"frames": high[None], "reference": low}
