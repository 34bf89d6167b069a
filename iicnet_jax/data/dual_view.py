"""Dual view: a normal view and a zoomed view of its centre (supplement, section 1.3).

DIV2K: the normal view is the bicubic low-resolution image and the reference; the zoomed view is
the high-resolution image of its centre, of the same size in pixels. The first 750 training
images train, the last 50 validate, the 100 validation images test. At x8, images with a side
under 144 are dropped from the first two.
"""

from pathlib import PurePosixPath

import numpy as np

from iicnet_jax.data.images import centre_crop, crop, random_corner
from iicnet_jax.data.regime import Group, Regime
from iicnet_jax.data.store import FolderStore, ImageStore
from iicnet_jax.errors import UserError

SCALES = (2, 4, 8)
VALIDATION_IMAGES = 50
IMAGES = {"train": 800, "valid": 100}
SMALLEST_SIDE_X8 = 144
HOW_TO_GET = (
    "DIV2K is published at https://data.vision.ee.ethz.ch/cvl/DIV2K/; unpack the training and "
    "validation images, high resolution and bicubic, so that config.data.root holds "
    "DIV2K_{train,valid}_HR and DIV2K_{train,valid}_LR_bicubic/X2 (X4, X8)"
)


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
        return cls(FolderStore(data.root, HOW_TO_GET), data.scale, data.crop)

    def names(self, split):
        return [PurePosixPath(low).stem for low, _ in self.pairs(split)]

    def load(self, split, index):
        low_path, high_path = self.pairs(split)[index]
        low, high = self.store.read(low_path), self.store.read(high_path)
        sides = zip(low.shape[:2], high.shape[:2], strict=True)
        if any(abs(small * self.scale - large) >= self.scale for small, large in sides):
            raise UserError(
                f"{high_path} ({high.shape[0]}x{high.shape[1]}) is not {self.scale} times the "
                f"size of {low_path} ({low.shape[0]}x{low.shape[1]}): replace both files"
            )
        return low, high

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
            return self._published_pairs("valid")
        pairs = self._published_pairs("train")
        if self.scale == 8:
            pairs = [pair for pair in pairs if min(self.store.size(pair[0])) >= SMALLEST_SIDE_X8]
        train, validation = pairs[:-VALIDATION_IMAGES], pairs[-VALIDATION_IMAGES:]
        return train if split == "train" else validation

    def _published_pairs(self, part):
        folders = [f"DIV2K_{part}_LR_bicubic/X{self.scale}", f"DIV2K_{part}_HR"]
        low, high = (self.store.files(folder, ".png") for folder in folders)
        for folder, found in zip(folders, (low, high), strict=True):
            if len(found) != IMAGES[part]:
                raise UserError(
                    f"{folder} holds {len(found)} PNG files instead of {IMAGES[part]}: {HOW_TO_GET}"
                )
        return list(zip(low, high, strict=True))


def _group(normal: np.ndarray, high: np.ndarray) -> Group:
    zoomed = centre_crop(high, *normal.shape[:2])
    return {"frames": np.stack([normal, zoomed]), "reference": normal}
