"""Mononizing binocular images: the right view in the left one (supplement, section 1.2).

Flickr1024, 1,024 stereo pairs with their official splits: 800 train, 112 validate, 112 test. The
left view is the reference and comes first. Where the views of a pair differ in size, both are cut
at the right and at the bottom to the size they have in common.
"""

from pathlib import PurePosixPath

import numpy as np

from iicnet_jax.data.images import crop, random_corner
from iicnet_jax.data.regime import Group, Regime
from iicnet_jax.data.store import FolderStore, ImageStore
from iicnet_jax.errors import UserError

FOLDERS = {
    "train": ("Train_1", "Train_2", "Train_3", "Train_4"),
    "validation": ("Validation",),
    "test": ("Test",),
}
PAIRS = {"train": 800, "validation": 112, "test": 112}
LEFT, RIGHT = "_L.png", "_R.png"
HOW_TO_GET = (
    "Flickr1024 is published at https://yingqianwang.github.io/Flickr1024/; unpack it so that "
    "config.data.root holds Train_1, Train_2, Train_3, Train_4, Validation and Test, each with "
    "0001_L.png, 0001_R.png and so on"
)


class Stereo(Regime):
    """Pairs (left view, right view) of Flickr1024.

    Args:
      store: holds Train_1 and its siblings.
      crop: side in pixels of the training crop.
    """

    def __init__(self, store: ImageStore, crop: int):
        self.store = store
        self.crop = crop
        self._pairs = {}

    @classmethod
    def from_config(cls, data, model):
        return cls(FolderStore(data.root, HOW_TO_GET), data.crop)

    def names(self, split):
        return [PurePosixPath(left).name.removesuffix(LEFT) for left, _ in self.pairs(split)]

    def load(self, split, index):
        return tuple(self.store.read(path) for path in self.pairs(split)[index])

    def training_group(self, images, rng):
        views = _common_part(images)
        top, left = random_corner(rng, views[0], self.crop, self.crop)
        return _group([crop(view, top, left, self.crop, self.crop) for view in views])

    def evaluation_group(self, images):
        return _group(_common_part(images))

    def pairs(self, split) -> list[tuple[str, str]]:
        """Paths of the left and the right view of every sample."""
        if split not in self._pairs:
            self._pairs[split] = self._find_pairs(split)
        return self._pairs[split]

    def _find_pairs(self, split):
        lefts, rights = [], set()
        for folder in FOLDERS[split]:
            lefts += self.store.files(folder, LEFT)
            rights.update(self.store.files(folder, RIGHT))
        pairs = [(left, left.removesuffix(LEFT) + RIGHT) for left in lefts]
        for left, right in pairs:
            if right not in rights:
                raise UserError(
                    f"{left} has no {PurePosixPath(right).name} beside it: {HOW_TO_GET}"
                )
        if len(pairs) != PAIRS[split]:
            raise UserError(
                f"{', '.join(FOLDERS[split])}: {len(pairs)} stereo pairs instead of "
                f"{PAIRS[split]}: {HOW_TO_GET}"
            )
        return pairs


def _common_part(views):
    height, width = (min(view.shape[axis] for view in views) for axis in (0, 1))
    return [crop(view, 0, 0, height, width) for view in views]


def _group(views) -> Group:
    return {"frames": np.stack(views), "reference": views[0]}
