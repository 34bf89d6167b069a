"""The contract of a task: its samples, how they are cropped for training and evaluation.

To add a task, write a `FileTask` in a file of its own in `data/tasks/` and name it in
`data/tasks/__init__.py`; a configuration that sets `data.task` then uses it.
"""

import abc
from collections.abc import Sequence, Sized
from pathlib import PurePosixPath
from typing import ClassVar, TypedDict

import numpy as np
from jaxtyping import UInt8
from tqdm import tqdm

from iicnet_jax.core.errors import UserError
from iicnet_jax.data.images import require_one_size
from iicnet_jax.data.storage import Dataset, Store

SPLITS = ("train", "validation", "test")


class Sample(TypedDict):
    """One sample: the images that go into one embedding, and what that should look like."""

    frames: UInt8[np.ndarray, "n h w 3"]  # the reference image first
    reference: UInt8[np.ndarray, "h2 w2 k"]  # of the embedding's size and channels


class Task(abc.ABC):
    """A task's data. Samples of a split are numbered from 0, in a fixed order."""

    @abc.abstractmethod
    def names(self, split: str) -> Sequence[str]:
        """A name for every sample of the split: "train", "validation" or "test".

        Raises:
          UserError: the dataset is missing or incomplete; the message says how to get it.
        """

    @abc.abstractmethod
    def load(self, split: str, index: int) -> tuple[np.ndarray, ...]:
        """The whole images of a sample.

        Raises:
          UserError: a file is missing or broken; the message names it.
        """

    @abc.abstractmethod
    def training_sample(self, images: tuple[np.ndarray, ...], rng: np.random.Generator) -> Sample:
        """A random crop of a sample's images, of the size used in training."""

    @abc.abstractmethod
    def evaluation_sample(self, images: tuple[np.ndarray, ...]) -> Sample:
        """A sample's images as they are evaluated."""


class FileTask(Task):
    """A task whose samples are files of a published dataset.

    Args:
      store: where the files are.
      crop: side in pixels of the squares used in training.
    """

    DATASET: ClassVar[Dataset]
    ONE_SIZE: ClassVar[bool] = False  # whether the images of a sample must have the same size

    def __init__(self, store: Store, crop: int):
        self.store = store
        self.crop = crop
        self._samples = {}

    @classmethod
    def from_config(cls, store: Store, data, model) -> "FileTask":
        """The task that `config.data` describes, for the network of `config.model`."""
        return cls(store, data.crop)

    @abc.abstractmethod
    def _find_samples(self, split: str) -> list[tuple[str, ...]]:
        """Paths of the images of every sample. Raises UserError, see `names`."""

    def samples(self, split: str) -> list[tuple[str, ...]]:
        """Paths of the images of every sample. The first call may take a while."""
        if split not in self._samples:
            self._samples[split] = self._find_samples(split)
        return self._samples[split]

    def names(self, split):
        return [self._name(paths) for paths in self.samples(split)]

    def load(self, split, index):
        paths = self.samples(split)[index]
        images = tuple(self.store.read(path) for path in paths)
        self.check(paths, images)
        return images

    def check(self, paths: Sequence[str], images: Sequence) -> None:
        """Raises UserError, naming files, unless the shapes of a sample's images fit together."""
        if self.ONE_SIZE:
            require_one_size(paths, images)

    def _name(self, paths: tuple[str, ...]) -> str:
        """A sample's name, unique within its split."""
        return PurePosixPath(paths[0]).stem

    def _require(self, complete: bool, problem: str) -> None:
        """Raises UserError, which says how to get the dataset, unless it is complete."""
        if not complete:
            raise UserError(f"{problem}: {self.store.dataset.how_to_get}")

    def _require_count(self, where: str, found: Sized, what: str, name: str) -> None:
        """Likewise, unless as many were found as the dataset's counts say under that name."""
        expected = self.store.counts[name]
        self._require(len(found) == expected, f"{where} {len(found)} {what} instead of {expected}")

    def _large_images(self, folder: str, suffix: str, what: str, side: int) -> list[str]:
        """Paths of the images that are nowhere smaller; reading all sizes takes a while."""
        found = self.store.files(folder, suffix)
        self._require_count(f"{folder} holds", found, what, "images")
        progress = tqdm(found, desc=f"image sizes of {folder}", unit="image", disable=None)
        return [path for path in progress if min(self.store.size(path)) >= side]
