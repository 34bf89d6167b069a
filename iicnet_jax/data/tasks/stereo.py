"""Stereo pairs: the right view in the left one (supplement, section 1.2).

Flickr1024, 1,024 stereo pairs with their official splits: 800 train, 112 validate, 112 test. The
left view is the reference and comes first. Where the views of a pair differ in size, both are cut
at the right and at the bottom to the size they have in common.
"""

from pathlib import PurePosixPath

from iicnet_jax.data.aligned import AlignedImages
from iicnet_jax.data.storage import Dataset

FOLDERS = {
    "train": ("Train_1", "Train_2", "Train_3", "Train_4"),
    "validation": ("Validation",),
    "test": ("Test",),
}
LEFT, RIGHT = "_L.png", "_R.png"


class Stereo(AlignedImages):
    """Pairs (left view, right view) of Flickr1024."""

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

    def _find_samples(self, split):
        lefts, rights = [], set()
        for folder in FOLDERS[split]:
            lefts += self.store.files(folder, LEFT)
            rights.update(self.store.files(folder, RIGHT))
        pairs = [(left, left.removesuffix(LEFT) + RIGHT) for left in lefts]
        for left, right in pairs:
            self._require(right in rights, f"{left} has no {PurePosixPath(right).name} beside it")
        self._require_count(f"{', '.join(FOLDERS[split])}:", pairs, "stereo pairs", split)
        return pairs

    def _name(self, paths):
        left, _ = paths
        return PurePosixPath(left).name.removesuffix(LEFT)
