"""Splits video frames into groups of images, one an embedding, and joins them again.

Frames are HWC uint8; a group is (n, h, w, 3), the reference first, as networks take it.
"""

import abc
import itertools
from collections.abc import Iterable, Iterator

import numpy as np
from jaxtyping import UInt8

from iicnet_jax.core.errors import UserError

Frame = UInt8[np.ndarray, "h w 3"]
Images = UInt8[np.ndarray, "n h w 3"]


class Grouping(abc.ABC):
    """The contract: `spread` undoes `gather`, but for frames that filled up the last group."""

    name: str  # as records hold it
    frames: int  # in a group; so many times slower are the embeddings

    def image_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of a group's images. Raises UserError if frames do not split so."""
        return height, width

    def frame_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the frames, from those of a group's images."""
        return height, width

    @abc.abstractmethod
    def gather(self, frames: Iterable[Frame]) -> Iterator[tuple[Images, int]]:
        """Groups in time order, each with the number of frames in it that are not repeated."""

    @abc.abstractmethod
    def spread(self, group: Images) -> Iterable[Frame]:
        """The frames of one group in time order."""


class Blocks(Grouping):
    """N consecutive frames a group; the middle one is the reference, as in training.

    The last block is filled up by repeating the last frame.
    """

    name = "blocks"

    def __init__(self, frames: int):
        self.frames = frames
        order = list(range(frames))
        self._order = [order.pop(frames // 2), *order]

    def gather(self, frames):
        frames = iter(frames)
        while block := list(itertools.islice(frames, self.frames)):
            filled = block + block[-1:] * (self.frames - len(block))
            yield np.stack([filled[i] for i in self._order]), len(block)

    def spread(self, group):
        frames = np.empty_like(group)
        frames[self._order] = group
        return frames


class SideBySide(Grouping):
    """Two views a frame, side by side; the left one is the reference.

    Raises:
      UserError: the network embeds another number of `images` than two.
    """

    name = "side-by-side"
    frames = 1

    def __init__(self, images: int = 2):
        if images != 2:
            raise UserError(
                f"this model embeds {images} images, but two views need one that embeds 2: use "
                "another model"
            )

    def image_size(self, height, width):
        if width % 2:
            raise UserError(
                f"has {width} columns, which are no two views of one width: cut it to an even width"
            )
        return height, width // 2

    def frame_size(self, height, width):
        return height, 2 * width

    def gather(self, frames):
        for frame in frames:
            _, width = self.image_size(*frame.shape[:2])
            yield np.stack([frame[:, :width], frame[:, width:]]), 1

    def spread(self, group):
        return [np.concatenate(group, axis=1)]
