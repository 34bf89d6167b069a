"""Stereo pairs: the right view in the left one (supplement, section 1.2).

Flickr1024, 1,024 stereo pairs with their official splits: 800 train, 112 validate, 112 test. The
left view is the reference and comes first. Where the views of a pair differ in size, both are cut
at the right and at the bottom to the size they have in common.
"""

from pathlib import PurePosixPath

from iicnet_jax.data.aligned import aligned_sample, reference_scale
from iicnet_jax.data.images import crop, random_corner
from iicnet_jax.data.storage import Dataset, Store
from iicnet_jax.data.task import FileTask

FOLDERS = {
    "train": ("Train_1", "Train_2", "Train_3", "Train_4"),
    "validation": ("Validation",),
    "test": ("Test",),
}
LEFT, RIGHT = "_L.png", "_R.png"


class Stereo(FileTask):
    """Pairs (left view, right view) of Flickr1024.

    Args:
      store: holds Train_1 and its siblings.
      crop: side in pixels of the training crop.
      scale: how many times smaller than the views the reference is, 1 or 2.
    """

    DATASET = Dataset(
        name="flickr1024",
        counts={"train": 800, "validation": 112, "test": 112},
        parts={
            split: tuple(f"{folder}/*.png" for folder in folders)
            for split, folders in FOLDERS.items()
        },
        how_to_get=(
            "Flickr1024 is published at https://yingqianwang.github.io/Flickr1024/; unpack it so "
            "that config.data.root holds Train_1, Train_2, Train_3, Train_4, Validation and Test, "
            "each with 0001_L.png, 0001_R.png and so on"
        ),
    )

    def __init__(self, store: Store, crop: int, scale: int = 1):
        super().__init__(store, crop)
        self.scale = scale

    @classmethod
    def from_config(cls, store, data, model):
        return cls(store, data.crop, reference_scale(model))

    def training_sample(self, images, rng):
        top, left = random_corner(rng, _common_size(images), self.crop, self.crop)
        views = [crop(view, top, left, self.crop, self.crop) for view in images]
        return aligned_sample(views, self.scale)

    def evaluation_sample(self, images):
        views = [crop(view, 0, 0, *_common_size(images)) for view in images]
        return aligned_sample(views, self.scale)

    def _find_samples(self, split):
        lefts, rights = [], set()
        for folder in FOLDERS[split]:
            lefts += self.store.files(folder, LEFT)
            rights.update(self.store.files(folder, RIGHT))
        pairs = [(left, left.removesuffix(LEFT) + RIGHT) for left in lefts]
        for left, right in pairs:
            self._require(right in rights, f"{left} has no {PurePosixPath(right).name} beside it")
        expected = self.store.counts[split]
        self._require(
            len(pairs) == expected,
            f"{', '.join(FOLDERS[split])}: {len(pairs)} stereo pairs instead of {expected}",
        )
        return pairs

    def _name(self, paths):
        left, _ = paths
        return PurePosixPath(left).name.removesuffix(LEFT)


def _common_size(views) -> tuple[int, int]:
    """The smaller height and the smaller width."""
    height, width = (min(view.shape[axis] for view in views) for axis in (0, 1))
    return height, width
