"""Dual view: a normal view and a zoomed view of its centre (supplement, section 1.3).

DIV2K: the normal view is the bicubic low-resolution image and the reference; the zoomed view is
the high-resolution image of its centre, of the same size in pixels. The first 750 training
images train, the last 50 validate, the 100 validation images test. At x8, images with a side
under 144 are dropped from the first two.
"""

import numpy as np

from iicnet_jax.core.errors import UserError
from iicnet_jax.data.cropping import Rectangle, random_rectangle, stack
from iicnet_jax.data.div2k import Div2k
from iicnet_jax.data.images import centre_crop
from iicnet_jax.data.storage import Store

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

    def training_crops(self, sizes, rng):
        side, scale = self.crop, self.scale
        normal = random_rectangle(rng, sizes[0], side, side)
        # The middle of the high-resolution image of the same content.
        margin = (side * scale - side) // 2
        top, left = normal.top * scale + margin, normal.left * scale + margin
        return normal, Rectangle(top, left, side, side)

    def sample(self, images):
        return {"frames": stack(images), "reference": images[0]}

    def evaluation_sample(self, images):
        normal, high = images
        return self.sample([np.asarray(normal), centre_crop(high, *normal.shape[:2])])

    def _find_samples(self, split):
        if split == "test":
            return self._pairs("valid")
        pairs = self._pairs("train")
        if self.scale == 8:
            pairs = [pair for pair in pairs if min(self.store.size(pair[0])) >= SMALLEST_SIDE_X8]
        train = len(pairs) - self.store.counts["validation"]
        return pairs[:train] if split == "train" else pairs[train:]
