"""Invertible rescaling (supplement, section 2.2): a photograph in one of half its size.

DIV2K: the high-resolution image is the only image of a group, and the published image of half
its size, reduced bicubically, is the reference. The 800 training images train; the 100
validation images test. As in the authors' code they also validate, so that the best checkpoint
by validation is chosen on test images.
"""

from pathlib import PurePosixPath

from iicnet_jax.data import div2k
from iicnet_jax.data.images import crop, random_corner
from iicnet_jax.data.regime import Regime
from iicnet_jax.data.store import FolderStore, ImageStore
from iicnet_jax.errors import UserError

SCALE = 2
PARTS = {"train": "train", "validation": "valid", "test": "valid"}


class Rescaling(Regime):
    """High-resolution images of DIV2K, with those of half the size as references.

    Args:
      store: holds DIV2K_train_HR and its siblings.
      crop: side in pixels of the training crop, an even number.
    """

    def __init__(self, store: ImageStore, crop: int):
        if crop % SCALE:
            raise UserError(f"config.data.crop must be even for rescaling, not {crop}")
        self.store = store
        self.crop = crop
        self._pairs = {}

    @classmethod
    def from_config(cls, data, model):
        return cls(FolderStore(data.root, div2k.HOW_TO_GET), data.crop)

    def names(self, split):
        return [PurePosixPath(high).stem for _, high in self.pairs(split)]

    def load(self, split, index):
        return div2k.read_pair(self.store, self.pairs(split)[index], SCALE)

    def training_group(self, images, rng):
        low, high = images
        side = self.crop // SCALE
        whole = crop(low, 0, 0, high.shape[0] // SCALE, high.shape[1] // SCALE)
        top, left = random_corner(rng, whole, side, side)
        same_content = crop(high, top * SCALE, left * SCALE, self.crop, self.crop)
        return {"frames": same_content[None], "reference": crop(low, top, left, side, side)}

    def evaluation_group(self, images):
        low, high = images
        high = crop(high, 0, 0, low.shape[0] * SCALE, low.shape[1] * SCALE)
        return {"frames": high[None], "reference": low}

    def pairs(self, split) -> list[tuple[str, str]]:
        """Paths of the low- and the high-resolution image of every sample."""
        part = PARTS[split]
        if part not in self._pairs:
            self._pairs[part] = div2k.pairs(self.store, part, SCALE)
        return self._pairs[part]
