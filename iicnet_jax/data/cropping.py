"""Base of tasks whose training samples are crops of stored images.

How crops are drawn, and what a sample is made of them, is written once: for the host, where numbers
and images are NumPy's, and for the device (`on_device.py`), where they are JAX's and traced.
"""

import abc
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from iicnet_jax.core.errors import UserError
from iicnet_jax.data.images import crop
from iicnet_jax.data.task import FileTask, Sample


@runtime_checkable
class Draws(Protocol):
    """What is random, as `np.random.Generator` draws it."""

    def integers(self, high, /) -> Any:
        """A whole number from 0 to high - 1. Raises ValueError if there is none."""


class Rectangle(NamedTuple):
    """A part of an image; only where it lies may be random."""

    top: Any
    left: Any
    height: int
    width: int


def random_rectangle(rng: Draws, size, height: int, width: int) -> Rectangle:
    """A rectangle anywhere in an image of that height and width.

    Raises:
      UserError: the image is smaller than the rectangle.
    """
    try:
        top = rng.integers(size[0] - height + 1)
        left = rng.integers(size[1] - width + 1)
    except ValueError as error:
        raise UserError(
            f"an image of {size[0]}x{size[1]} is smaller than the crop of "
            f"{height}x{width}: choose a smaller config.data.crop"
        ) from error
    return Rectangle(top, left, height, width)


def stack(images: Sequence):
    """(n, h, w, c) of n images, NumPy's or JAX's."""
    return images[0].__array_namespace__().stack(images)


class CropTask(FileTask):
    """A task that cuts one rectangle out of each image of a training sample."""

    @abc.abstractmethod
    def training_crops(self, sizes, rng: Draws) -> Sequence[Rectangle]:
        """One rectangle for every image, at random.

        Args:
          sizes: (n, 2), height and width of the images.
          rng: is all that may be random.

        Raises:
          UserError: an image is smaller than the crop.
        """

    @abc.abstractmethod
    def sample(self, images: Sequence) -> Sample:
        """The sample that images (h, w, 3) make, which have been cut."""

    def training_sample(self, images, rng):
        places = self.training_crops(np.array([image.shape[:2] for image in images]), rng)
        pairs = zip(images, places, strict=True)
        return self.sample([crop(image, *place) for image, place in pairs])
