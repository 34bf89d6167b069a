"""Dual view: a normal view and a zoomed view of its centre (supplement, section 1.3).

DIV2K: the normal view is the bicubic low-resolution image and the reference; the zoomed view is
the high-resolution image of its centre, of the same size in pixels. The first 750 training
images train, the last 50 validate, the 100 validation images test. At x8, images with a side
under 144 are dropped from the first two.
"""

from pathlib import Path

import numpy as np

from iicnet_jax.data.images import centre_crop, crop, image_size, random_corner, read_image
from iicnet_jax.data.regime import Group, Regime
from iicnet_jax.errors import UserError

VALIDATION_IMAGES = 50
IMAGES = {"train": 800, "valid": 100}
SMALLEST_SIDE_X8 = 144
HOW_TO_GET = (
    "DIV2K is published at https://data.vision.ee.ethz.ch/cvl/DIV2K/; unpack the training and "
    "validation images, high resolution and bicubic, so that config.data.root holds "
    "DIV2K_{{train,valid}}_HR and DIV2K_{{train,valid}}_LR_bicubic/X{scale}"
)


class DualView(Regime):
    """Pairs (low resolution, high resolution) of DIV2K.

    Args:
      root: the folder that holds DIV2K_train_HR and its siblings.
      scale: 2, 4 or 8, the zoom.
      crop: side in pixels of the training crop.
    """

    def __init__(self, root: Path, scale: int, crop: int):
        if scale not in (2, 4, 8):
            raise UserError(f"config.data.scale must be 2, 4 or 8 for dual_view, not {scale}")
        self.root = root
        self.scale = scale
        self.crop = crop
        self._pairs = {}

    @classmethod
    def from_config(cls, data, model):
        return cls(Path(data.root), data.scale, data.crop)

    def names(self, split):
        return [low.stem for low, _ in self.pairs(split)]

    def load(self, split, index):
        low_path, high_path = self.pairs(split)[index]
        low, high = read_image(low_path), read_image(high_path)
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

    def pairs(self, split) -> list[tuple[Path, Path]]:
        """Paths of the low- and the high-resolution image of every sample."""
        if split not in self._pairs:
            self._pairs[split] = self._find_pairs(split)
        return self._pairs[split]

    def _find_pairs(self, split):
        if split == "test":
            return self._published_pairs("valid")
        pairs = self._published_pairs("train")
        if self.scale == 8:
            pairs = [pair for pair in pairs if min(image_size(pair[0])) >= SMALLEST_SIDE_X8]
        train, validation = pairs[:-VALIDATION_IMAGES], pairs[-VALIDATION_IMAGES:]
        return train if split == "train" else validation

    def _published_pairs(self, part):
        high_dir = self.root / f"DIV2K_{part}_HR"
        low_dir = self.root / f"DIV2K_{part}_LR_bicubic" / f"X{self.scale}"
        how_to_get = HOW_TO_GET.format(scale=self.scale)
        for folder in (high_dir, low_dir):
            if not folder.is_dir():
                raise UserError(f"the folder {folder} does not exist: {how_to_get}")
        pairs = [
            (low_dir / f"{high.stem}x{self.scale}.png", high)
            for high in sorted(high_dir.glob("*.png"))
        ]
        if len(pairs) != IMAGES[part]:
            raise UserError(
                f"{high_dir} holds {len(pairs)} PNG files instead of {IMAGES[part]}: {how_to_get}"
            )
        for low, _ in pairs:
            if not low.is_file():
                raise UserError(f"{low} is missing: {how_to_get}")
        return pairs


def _group(normal: np.ndarray, high: np.ndarray) -> Group:
    zoomed = centre_crop(high, *normal.shape[:2])
    return {"frames": np.stack([normal, zoomed]), "reference": normal}
