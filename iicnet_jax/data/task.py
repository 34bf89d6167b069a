"""The contract of a task: its samples, how they are cropped for training and evaluation."""

import abc
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import ClassVar, TypedDict

import numpy as np
from jaxtyping import UInt8

from iicnet_jax.core.errors import UserError
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
        return tuple(self.store.read(path) for path in self.samples(split)[index])

    def _name(self, paths: tuple[str, ...]) -> str:
        """A sample's name, unique within its split."""
        return PurePosixPath(paths[0]).stem

    def _require(self, complete: bool, problem: str) -> None:
        """Raises UserError, which says how to get the dataset, unless it is complete."""
        if not complete:
            raise UserError(f"{problem}: {self.store.dataset.how_to_get}")
