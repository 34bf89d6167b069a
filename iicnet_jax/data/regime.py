"""What a task says of its images: which there are, how they are cut, and how they are grouped."""

import abc
from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from jaxtyping import UInt8

SPLITS = ("train", "validation", "test")


class Group(TypedDict):
    """One sample: the images that go into one embedding, and what that should look like."""

    frames: UInt8[np.ndarray, "n h w 3"]  # the reference image first
    reference: UInt8[np.ndarray, "h2 w2 k"]  # of the embedding's size and channels


class Regime(abc.ABC):
    """A task's data. Samples of a split are numbered from 0, in a fixed order."""

    @classmethod
    @abc.abstractmethod
    def from_config(cls, data, model) -> "Regime":
        """The regime that `config.data` describes, for the network of `config.model`."""

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
    def training_group(self, images: tuple[np.ndarray, ...], rng: np.random.Generator) -> Group:
        """A random crop of a sample's images, of the size used in training."""

    @abc.abstractmethod
    def evaluation_group(self, images: tuple[np.ndarray, ...]) -> Group:
        """A sample's images as they are evaluated."""
