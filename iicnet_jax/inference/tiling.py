"""Compiles a network, and computes images of any size in tiles with exact halos.

Every pixel of a result depends on a square of the input, whose half width is the halo. A tile is
read with a halo around the part that is kept, and lies wholly within the image. Where the kept
part reaches the border of the image, so does the tile: the network's zero padding then stands
where it would stand for the whole image. So the result is that of the whole image, up to the
rounding of sums in another order, and memory depends on the tile alone.

Lengths are pixels of the embedding; with down-scaling, each is two pixels of the images. Where a
network works on a coarser grid (`Network.grid_stride`), tiles and halos are multiples of it, and so
are the sides of the embedding: of a square that is cut, the images would not come back.
"""

import copy
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Float32, Shaped, UInt8

from iicnet_jax.core.errors import UserError
from iicnet_jax.models.network import Network

PEAK = 255.0
# A tile that no image exceeds.
WHOLE = 2**30
# Tiles of nearly equal images get the same shape, which is compiled once.
MULTIPLE = 64


def to_uint8(values: np.ndarray) -> np.ndarray:
    """Rounds and clips values on the scale of 0 to 255."""
    return np.clip(np.round(values), 0, PEAK).astype(np.uint8)


class Span(NamedTuple):
    """A tile along one axis: reads [start, stop), keeps [first, last) of the result."""

    start: int
    stop: int
    first: int
    last: int


def spans(length: int, tile: int, halo: int) -> list[Span]:
    """Equal tiles, no longer than `tile` and than need be, whose kept parts make up the length.

    A kept part is at least `halo` away from the ends of its tile, except at the ends of the
    image, which are ends of a tile. `tile` must be greater than 2 halo.
    """
    if length <= tile:
        return [Span(0, length, 0, length)]
    inner = length - 2 * halo
    count = -(-inner // (tile - 2 * halo))
    needed = -(-inner // count) + 2 * halo
    tile = min(tile, -(-needed // MULTIPLE) * MULTIPLE)
    starts = [*range(0, length - tile, tile - 2 * halo), length - tile]
    lasts = [start + tile - halo for start in starts[:-1]] + [length]
    firsts = [0, *lasts[:-1]]
    return [
        Span(start, start + tile, first, last)
        for start, first, last in zip(starts, firsts, lasts, strict=True)
    ]


class Tiled:
    """A network for images of any size.

    Values are on the scale of 0 to 255. Images that fit into a tile are computed whole. A new shape
    of tiles is compiled anew. The work is done on JAX's default device, which keeps a copy of the
    parameters; threads may have different ones.

    Args:
      model: a network with its parameters, or with their shapes, for `with_params`.
      tile: height and width of a tile in pixels of the images; by default the
        network's own, or more where the halo is so wide that little would be kept; `WHOLE` for no
        tiles.
      progress: wraps the list of tiles in an iterable that shows progress, such as `tqdm`.

    Raises:
      UserError: the halo leaves nothing of such a tile.
    """

    self_describing = False  # of its embeddings, only a file's record says what is in them

    def __init__(
        self,
        model: Network,
        *,
        tile: int | None = None,
        progress: Callable[[Sequence], Iterable] = iter,
    ):
        self.model = model
        graph, self._params = nnx.split(model, nnx.Param)
        self._copies = {}  # of the parameters, by device
        self._embed = jax.jit(lambda params, x: nnx.merge(graph, params).embed(x))
        self._restore = jax.jit(
            lambda params, x, size, position: nnx.merge(graph, params).restore(x, size, position),
            static_argnums=2,
        )
        self._progress = progress
        stride = model.grid_stride
        self._halo = -(-model.receptive_field_radius // stride) * stride
        if tile is None:
            tile = max(model.tile, 4 * self._halo * model.scale)
        self._tile = tile // (model.scale * stride) * stride
        if self._tile <= 2 * self._halo:
            least = (2 * self._halo + stride) * model.scale
            raise UserError(
                f"tiles of {tile} pixels are too small: this network needs at least {least}, and "
                f"is fast from about {2 * least} on"
            )

    def with_params(self, params: nnx.State) -> "Tiled":
        """The same network with other parameters; what has been compiled is shared."""
        other = copy.copy(self)
        other._params, other._copies = params, {}
        return other

    def embedding_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the embedding of such images: whole squares of the network's grid."""
        stride = self.model.grid_stride
        rows, columns = self.model.embedding_size(height, width)
        return -(-rows // stride) * stride, -(-columns // stride) * stride

    def fits(self, shape: tuple[int, int], size: tuple[int, int]) -> bool:
        """Whether an embedding of that shape may be one of images of that size.

        Earlier versions cut embeddings to the images' size, or to half of it.
        """
        return shape in (self.embedding_size(*size), self.model.embedding_size(*size))

    def embed(
        self, frames: UInt8[np.ndarray, "n h w 3"], dtype: type = np.float32
    ) -> Shaped[np.ndarray, "h2 w2 k"]:
        """The embedding as the network computes it, or as a file holds it with `np.uint8`.

        The first is neither rounded nor clipped; the second takes a quarter of the memory.
        """
        size = self.embedding_size(*frames.shape[1:3])
        result = np.empty((*size, self.model.embedding_channels), dtype)
        for rows, columns in self._tiles(size):
            values = self._embed_tile(self._read(frames, rows, columns))
            values = to_uint8(values) if dtype == np.uint8 else values
            target = result[rows.first : rows.last, columns.first : columns.last]
            top, left = rows.first - rows.start, columns.first - columns.start
            target[:] = values[top : top + target.shape[0], left : left + target.shape[1]]
        return result

    def restore(self, embedding: np.ndarray, size: tuple[int, int]) -> UInt8[np.ndarray, "n h w 3"]:
        """The images of the given height and width, from an embedding, uint8 or float.

        Raises:
          ValueError: images of that size do not embed to the size of `embedding`.
        """
        if not self.fits(embedding.shape[:2], size):
            raise ValueError(
                f"images of {size[0]}x{size[1]} do not embed to the shape {embedding.shape}"
            )
        scale = self.model.scale
        result = np.empty((self.model.num_images, *size, 3), np.uint8)
        for rows, columns in self._tiles(embedding.shape[:2]):
            tile = embedding[rows.start : rows.stop, columns.start : columns.stop]
            whole = (tile.shape[0] * scale, tile.shape[1] * scale)
            images = self._restore_tile(tile, whole, (rows.start, columns.start))
            # What lies beyond the images' size is cut off by the slices of `result`.
            target = result[:, _pixels(rows, scale), _pixels(columns, scale)]
            top, left = (scale * (span.first - span.start) for span in (rows, columns))
            height, width = target.shape[1:3]
            target[:] = images[:, top : top + height, left : left + width]
        return result

    def for_embedding(self, pixels: UInt8[np.ndarray, "h w k"]) -> "Tiled":
        """Itself: networks restore every embedding in one way, see `LowBits.for_embedding`."""
        return self

    def _embed_tile(self, frames: np.ndarray) -> Float32[np.ndarray, "h2 w2 k"]:
        batch = jnp.asarray(frames[None], jnp.float32) / PEAK
        return np.asarray(self._embed(self._local_params(), batch))[0] * np.float32(PEAK)

    def _restore_tile(self, embedding, size, position) -> UInt8[np.ndarray, "n h w 3"]:
        batch = jnp.asarray(embedding[None], jnp.float32) / PEAK
        images = self._restore(self._local_params(), batch, size, position)
        return to_uint8(np.asarray(images)[0] * PEAK)

    def _local_params(self):
        default = jax.config.jax_default_device  # type: ignore[attr-defined]
        device = default or jax.local_devices()[0]
        if device not in self._copies:
            self._copies[device] = jax.device_put(self._params, device)
        return self._copies[device]

    def _read(self, frames, rows: Span, columns: Span):
        """A tile of the images; beyond their end the last pixels are repeated, as networks do."""
        scale = self.model.scale
        height, width = (scale * (span.stop - span.start) for span in (rows, columns))
        top, left = scale * rows.start, scale * columns.start
        tile = frames[:, top : top + height, left : left + width]
        missing = ((0, height - tile.shape[1]), (0, width - tile.shape[2]))
        return np.pad(tile, ((0, 0), *missing, (0, 0)), mode="edge")

    def _tiles(self, size):
        stride = self.model.grid_stride
        axes = [spans(-(-length // stride) * stride, self._tile, self._halo) for length in size]
        return self._progress(list(itertools.product(*axes)))


def _pixels(span: Span, scale: int) -> slice:
    return slice(span.first * scale, span.last * scale)
