"""Composition and decomposition: a background and a foreground in the image composed of them.

Adobe Deep Matting (supplement, section 1.4): every foreground is composed with backgrounds of its
own, the next 100 of COCO's in the list for training and the next 20 of VOC2008's for testing. The
last ten foregrounds of the training list validate. A sample is the composed image, which is the
reference, the background, cut to the foreground's size, and the foreground, black where it is
wholly transparent. For training the three are resized to squares, else they are halved.

The supplement has 49,300 training samples, which takes 493 foregrounds; the published lists may
name fewer, so that any number is accepted if there are 100 backgrounds for each. The lists pair
foregrounds with backgrounds; the authors' code pairs the sorted folders, which can mispair.
"""

import math
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from iicnet_jax.data.images import crop, require_one_size
from iicnet_jax.data.matting import Matting
from iicnet_jax.data.storage import Dataset
from iicnet_jax.imaging import RGB
from iicnet_jax.imaging.resizing import resize_bicubic

KINDS = ("fg", "alpha")


class Part(NamedTuple):
    """Where one part of the dataset is."""

    name: str  # in the names of the lists
    folder: str
    sources: tuple[str, ...]  # folders below, each with fg and alpha
    backgrounds: str

    def names_file(self, kind: str) -> str:
        """Path of the list of foregrounds ("fg") or backgrounds ("bg")."""
        return f"{self.folder}/{self.name}_{kind}_names.txt"


TRAINING = Part(
    "training", "Combined_Dataset/Training_set", ("Adobe-licensed images", "Other"), "train2014"
)
TEST = Part(
    "test",
    "Combined_Dataset/Test_set",
    ("Adobe-licensed images",),
    "VOCdevkit/VOC2008/JPEGImages",
)


def _patterns(part):
    """Of all images of a part."""
    folders = [f"{part.folder}/{source}/{kind}" for source in part.sources for kind in KINDS]
    return tuple(f"{folder}/*" for folder in [*folders, part.backgrounds])


class Composition(Matting):
    """Triples (composed image, background, foreground) of Adobe Deep Matting."""

    DATASET = Dataset(
        name="adobe_matting",
        counts={
            "validation": 10,  # foregrounds
            "test": 50,
            "training backgrounds": 100,  # for each foreground
            "test backgrounds": 20,
        },
        parts={"train": _patterns(TRAINING), "test": _patterns(TEST)},
        texts=tuple(part.names_file(kind) for part in (TRAINING, TEST) for kind in ("fg", "bg")),
        how_to_get=(
            "https://github.com/foamliu/Deep-Image-Matting-PyTorch says how to ask for the Adobe "
            "Deep Matting dataset; unpack it, train2014.zip of COCO "
            "(https://cocodataset.org/#download) and the two archives of VOC2008 "
            "(http://host.robots.ox.ac.uk/pascal/VOC/voc2008/), trainval and test, so that "
            "config.data.root holds Combined_Dataset, train2014 and VOCdevkit/VOC2008/JPEGImages"
        ),
    )

    def load(self, split, index):
        foreground, alpha, background = map(np.asarray, super().load(split, index))
        require_one_size(self.samples(split)[index][:2], (foreground, alpha))
        alpha = alpha[..., :1]  # grey: its channels are alike
        background = _cover(background, *foreground.shape[:2])
        return compose(foreground, alpha, background), background, foreground * (alpha > 0)

    def _find_samples(self, split):
        part = TEST if split == "test" else TRAINING
        pairs, backgrounds = self._foregrounds(part), self._backgrounds(part)
        each = self.store.counts[f"{part.name} backgrounds"]
        self._require(
            len(backgrounds) == each * len(pairs),
            f"{part.names_file('bg')} names {len(backgrounds)} backgrounds instead of {each} for "
            f"each of the {len(pairs)} foregrounds of {part.names_file('fg')}",
        )
        samples = [
            (*pairs[number // each], background) for number, background in enumerate(backgrounds)
        ]
        if split == "test":
            return samples
        first = len(samples) - each * self.store.counts["validation"]
        return samples[:first] if split == "train" else samples[first:]

    def _foregrounds(self, part):
        """Paths of the foregrounds and their alpha, in the order of the list."""
        names = self.store.lines(part.names_file("fg"))
        if part is TEST:
            expected = self.store.counts["test"]
            complete, wanted = len(names) == expected, str(expected)
        else:
            expected = self.store.counts["validation"]
            complete, wanted = len(names) > expected, f"more than {expected}"
        self._require(
            complete, f"{part.names_file('fg')} names {len(names)} foregrounds instead of {wanted}"
        )
        paths = [
            self._find(names, [f"{part.folder}/{source}/{kind}" for source in part.sources])
            for kind in KINDS
        ]
        return list(zip(*paths, strict=True))

    def _backgrounds(self, part):
        return self._find(self.store.lines(part.names_file("bg")), [part.backgrounds])

    def _find(self, names, folders):
        """Paths of files that are in any of the folders."""
        paths = [path for folder in folders for path in self.store.files(folder, "")]
        found = {path.rpartition("/")[2]: path for path in paths}
        for name in names:
            self._require(name in found, f"{name} is missing in {' and '.join(folders)}")
        return [found[name] for name in names]

    def _name(self, paths):
        foreground, _, background = map(PurePosixPath, paths)
        return f"{foreground.stem}_{background.stem}"


def compose(foreground: RGB, alpha: UInt8[np.ndarray, "h w 1"], background: RGB) -> RGB:
    """alpha * foreground + (1 - alpha) * background, rounded down; alpha is 1 at 255."""
    alpha = alpha.astype(np.uint16)  # 255 * 255 fits in
    return ((alpha * foreground + (255 - alpha) * background) // 255).astype(np.uint8)


def _cover(background, height, width):
    """A background cut to height x width, after enlarging it if a side is too short."""
    ratio = max(height / background.shape[0], width / background.shape[1])
    if ratio > 1:
        sides = [math.ceil(side * ratio) for side in background.shape[:2]]
        background = resize_bicubic(background, *sides)
    return crop(background, 0, 0, height, width)
