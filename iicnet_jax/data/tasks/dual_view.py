"""Dual view: a normal view and a zoomed view of its centre (supplement, section 1.3).

DIV2K: the normal view is the bicubic low-resolution image and the reference; the zoomed view is
the high-resolution image of its centre, of the same size in pixels. The first 750 training
images train, the last 50 validate, the 100 validation images test. At x8, images with a side
under 144 are dropped from the first two.
"""

import numpy as np

from iicnet_jax.core.errors import UserError
from iicnet_jax.data.div2k import Div2k
from iicnet_jax.data.images import centre_crop, crop, random_corner
from iicnet_jax.data.storage import Store
from iicnet_jax.data.task import Sample
from iicnet_jax.imaging import RGB

SCALES = (2, 4, 8)
SMALLEST_SIDE_X8 = 144


class DualView(Div2k):
    """Pairs (low resolution, high resolution) of DIV2K; `scale`, the zoom, is 2, 4 or 8."""

    def __init__(self, store: Store, scale: int, crop: int):
        if scale not in SCALES:
            raise UserError(f"config.data.scale must be 2, 4 or 8 for dual_view, not {scale}")
        super().__init__(store, crop)
        self.scale = scale

    @classmethod
    def from_config(cls, store, data, model):
        return cls(store, data.scale, data.crop)

    def training_sample(self, images, rng):
        low, high = images
        side, scale = self.crop, self.scale
        top, left = random_corner(rng, low.shape, side, side)
        # The middle of the high-resolution image of the same content.
        margin = (side * scale - side) // 2
        zoomed = crop(high, top * scale + margin, left * scale + margin, side, side)
        return _sample(crop(low, top, left, side, side), zoomed)

    def evaluation_sample(self, images):
        normal, high = images
        return _sample(np.asarray(normal), centre_crop(high, *normal.shape[:2]))

    def _find_samples(self, split):
        if split == "test":
            return self._pairs("valid")
        pairs = self._pairs("train")
        if self.scale == 8:
            pairs = [pair for pair in pairs if min(self.store.size(pair[0])) >= SMALLEST_SIDE_X8]
        train = len(pairs) - self.store.counts["validation"]
        return pairs[:train] if split == "train" else pairs[train:]


def _sample(normal: RGB, zoomed: RGB) -> Sample:
    return {"frames": np.stack([normal, zoomed]), "reference": normal}
