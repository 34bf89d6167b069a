"""Dual view: a normal view and a zoomed view of its centre (supplement, section 1.3).

DIV2K: the normal view is the bicubic low-resolution image and the reference; the zoomed view is
the high-resolution image of its centre, of the same size in pixels. The first 750 training
images train, the last 50 validate, the 100 validation images test. At x8, images with a side
under 144 are dropped from the first two.
"""

from pathlib import PurePosixPath

import numpy as np

from iicnet_jax.data import div2k
from iicnet_jax.data.images import centre_crop, crop, random_corner
from iicnet_jax.data.regime import Group, Regime
from iicnet_jax.data.store import FolderStore, ImageStore
from iicnet_jax.errors import UserError

SCALES = (2, 4, 8)
VALIDATION_IMAGES = 50
SMALLEST_SIDE_X8 = 144


class DualView(Regime):
    """Pairs (low resolution, high resolution) of DIV2K.

    Args:
      store: holds DIV2K_train_HR and its siblings.
      scale: 2, 4 or 8, the zoom.
      crop: side in pixels of the training crop.
    """

    def __init__(self, store: ImageStore, scale: int, crop: int):
        if scale not in SCALES:
            raise UserError(f"config.data.scale must be 2, 4 or 8 for dual_view, not {scale}")
        self.store = store
        self.scale = scale
        self.crop = crop
        self._pairs = {}

    @classmethod
    def from_config(cls, data, model):
        return cls(FolderStore(data.root, div2k.HOW_TO_GET), data.scale, data.crop)

    def names(self, split):
        return [PurePosixPath(low).stem for low, _ in self.pairs(split)]

    def load(self, split, index):
        return div2k.read_pair(self.store, self.pairs(split)[index], self.scale)

    def training_group(self, images, rng):
        low, high = images
        side, scale = self.crop, self.scale
        top, left = random_corner(rng, low, side, side)
        same_content = crop(high, top * scale, left * scale, side * scale, side * scale)
        return _group(crop(low, top, left, side, side), same_content)

    def evaluation_group(self, images):
        return _group(*images)

    def pairs(self, split) -> list[tuple[str, str]]:
        """Paths of the low- and the high-resolution image of every sample."""
        if split not in self._pairs:
            self._pairs[split] = self._find_pairs(split)
        return self._pairs[split]

    def _find_pairs(self, split):
        if split == "test":
            return div2k.pairs(self.store, "valid", self.scale)
        pairs = div2k.pairs(self.store, "train", self.scale)
        if self.scale == 8:
            pairs = [pair for pair in pairs if min(self.store.size(pair[0])) >= SMALLEST_SIDE_X8]
        train, validation = pairs[:-VALIDATION_IMAGES], pairs[-VALIDATION_IMAGES:]
        return train if split == "train" else validation


def _group(normal: np.ndarray, high: np.ndarray) -> Group:
    zoomed = centre_crop(high, *normal.shape[:2])
    return {"frames": np.stack([normal, zoomed]), "reference": normal}
