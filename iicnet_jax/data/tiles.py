"""Images stored in tiles, so that a crop decodes only the tiles it needs."""

import dataclasses
import math
from collections.abc import Callable, Iterator

import numpy as np

from iicnet_jax.data.images import crop
from iicnet_jax.imaging import RGB


def cut(image: RGB, tile: int) -> Iterator[RGB]:
    """The tiles of an image, row by row; those at the right and at the bottom may be smaller."""
    for top in range(0, image.shape[0], tile):
        for left in range(0, image.shape[1], tile):
            yield crop(image, top, left, tile, tile)


def count(height: int, width: int, tile: int) -> int:
    """How many tiles an image of that size has."""
    return math.ceil(height / tile) * math.ceil(width / tile)


@dataclasses.dataclass(frozen=True)
class TiledImage:
    """An image that decodes the tiles it is asked for.

    `image[top:bottom, left:right]` and `np.asarray(image)` are arrays (h, w, 3), uint8.

    Attributes:
      shape: height, width, 3.
      tile: side of the tiles in pixels.
      read: decodes the tile of that number, counted row by row.
    """

    shape: tuple[int, int, int]
    tile: int
    read: Callable[[int], RGB]

    def __getitem__(self, place: tuple[slice, slice]) -> RGB:
        (top, bottom, _), (left, right, _) = (
            which.indices(length) for which, length in zip(place, self.shape, strict=False)
        )
        columns = math.ceil(self.shape[1] / self.tile)
        pixels = np.empty((bottom - top, right - left, 3), np.uint8)
        for row in range(top // self.tile, math.ceil(bottom / self.tile)):
            for column in range(left // self.tile, math.ceil(right / self.tile)):
                tile = self.read(row * columns + column)
                # Where the tile begins, seen from the crop.
                y, x = row * self.tile - top, column * self.tile - left
                visible = tile[max(-y, 0) : bottom - top - y, max(-x, 0) : right - left - x]
                y, x = max(y, 0), max(x, 0)
                pixels[y : y + visible.shape[0], x : x + visible.shape[1]] = visible
        return pixels

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self[:, :], dtype)
