"""A trained network for images and files of any size: 8-bit images in, 8-bit images out.

Images are HWC uint8 RGB from 0 to 255; a group of them is (n, h, w, 3), the reference first. An
embedding is (h', w', k) uint8 with k = 3, or 1 where it is grey.
"""

import dataclasses
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from iicnet_jax import bundled
from iicnet_jax.core.errors import Destroyed, UserError
from iicnet_jax.core.wording import number_of, width_x_height
from iicnet_jax.imaging.picture_reader import MAX_PIXELS
from iicnet_jax.inference.tiling import Tiled
from iicnet_jax.media import embedding_file
from iicnet_jax.media.embedding_file import EmbeddingFile, Record
from iicnet_jax.media.embedding_video import EmbeddingVideo
from iicnet_jax.media.picture_file import Source, check_output, read_group
from iicnet_jax.models import Network
from iicnet_jax.models.baselines import low_bits
from iicnet_jax.models.baselines.low_bits import LowBits
from iicnet_jax.weights.model_dir import read_model

# Clauses about a file.
NO_RECORD = "has no record of what was embedded: another program wrote it or removed the record"
COLOURED = "has colours, but this model embeds into a grey picture: use the model that embedded it"


def load(
    model: str | os.PathLike,
    *,
    tile: int | None = None,
    progress: Callable[[Sequence], Iterable] = iter,
) -> "Codec":
    """Loads a trained network, or the method without one that is called "low_bits".

    Args:
      model: a bundled model ("hiding", "grayscale", "rescaling", "video" or "stereo"), a folder
        with `model.safetensors` and `config.json`, the workdir of a finished run, or "low_bits",
        with options such as "low_bits:video,bits=1" (see `models.baselines.low_bits.from_name`).
      tile: side in pixels of the tiles in which large images are computed, by default those
        that need about 2 GB; smaller ones need less. The result is the same.
      progress: wraps the list of tiles in an iterable that shows progress, such as `tqdm`.

    Raises:
      UserError: there is no such model, its files are damaged or of a newer version, the tile is
        too small for it, or an option is unknown.
    """
    path = bundled.find(os.fspath(model))
    if low_bits.is_name(str(path)) and not path.exists():
        method, task = low_bits.from_name(str(path))
        return Codec(method, task, low_bits.FINGERPRINT)
    found = read_model(path)
    task = found.task if embedding_file.TASK.fullmatch(found.task) else "unknown"
    return Codec(Tiled(found.network, tile=tile, progress=progress), task, found.fingerprint)


@dataclasses.dataclass(frozen=True)
class Codec:
    """Embeds N images in one and restores them; `load` makes it.

    Messages of its errors are those of the command line: what they call `--fit`, `--force`,
    `--size` and `--overwrite` are the arguments of these names.

    Attributes:
      tiled: the network on float values, to measure it; or the method without one.
      task: what the network was trained for, such as "hiding".
      fingerprint: SHA-256 of what the network computes; embedding files name it.
    """

    tiled: Tiled | LowBits
    task: str
    fingerprint: str

    @property
    def network(self) -> Network | LowBits:
        """The network: `num_images`, `embedding_channels`, `scale`, `embedding_size`, ..."""
        return self.tiled.model

    def embed(
        self, images: Sequence[Source] | Source, *, fit: bool = False
    ) -> UInt8[np.ndarray, "h2 w2 k"]:
        """Hides images in one that looks like the first, rounded to 8 bits as in a file.

        Args:
          images: N of one size, the reference first: arrays (h, w, 3) uint8, PIL images or files;
            a single one need not be in a list.
          fit: scale and crop images of another size to that of the first.

        Returns:
          The embedding, (ceil(h / scale), ceil(w / scale), k).

        Raises:
          UserError: another number of images, an array of another type or shape, a file that cannot
            be read, or sizes that differ (without `fit`).
        """
        return self.tiled.embed(self._read(images, fit), np.uint8)

    def restore(
        self, embedding: np.ndarray | Image.Image, size: tuple[int, int] | None = None
    ) -> UInt8[np.ndarray, "n h w 3"]:
        """The N images in an embedding.

        Args:
          embedding: (h, w, k) uint8, not changed since it was made.
          size: height and width of the images; by default those of the embedding times `scale`,
            which may be one more than they were where a network scales down.

        Raises:
          UserError: the embedding has another type or shape, or colours where it is to be grey;
            images of that size do not embed to it; or, of `low_bits`, it was changed.
        """
        pixels = np.asarray(embedding)
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in (1, 3):
            raise UserError(
                f"the embedding is an array {pixels.shape} of {pixels.dtype}: give uint8 values "
                "from 0 to 255 of the shape (height, width, 3), or (height, width, 1) for grey"
            )
        name = "the embedding"
        codec = dataclasses.replace(self, tiled=self.tiled.for_embedding(pixels))
        size = codec.images_size(pixels.shape[:2], size, name)
        return codec.tiled.restore(codec.with_channels(pixels, name), size)

    def write(
        self,
        path: str | os.PathLike,
        images: Sequence[Source] | Source,
        *,
        fit: bool = False,
        overwrite: bool = False,
        max_pixels: int = MAX_PIXELS,
    ) -> Record:
        """Hides images in a PNG or lossless WebP file, which says what is in it.

        Args:
          path: ends in .png or .webp.
          images: as for `embed`.
          fit: as for `embed`.
          overwrite: replace a file that is there.
          max_pixels: of an image.

        Raises:
          UserError: as `embed`; or `path` exists (without `overwrite`) or cannot be written.
        """
        path = Path(path)
        check_output(path, overwrite)
        return self.write_frames(path, self._read(images, fit, max_pixels))

    def read(
        self,
        path: str | os.PathLike,
        *,
        size: tuple[int, int] | None = None,
        force: bool = False,
        max_pixels: int = MAX_PIXELS,
    ) -> UInt8[np.ndarray, "n h w 3"]:
        """The N images in an embedding file, which is verified against its record.

        Args:
          path: what `write` or the command line wrote.
          size: height and width of the images, for a file without a usable record.
          force: restore what can be restored from a file that is not as it should be.
          max_pixels: of the embedding.

        Raises:
          UserError: no picture; without `force`, also: no usable record, changed pixels, or another
            network embedded the images.
        """
        file = embedding_file.examine(Path(path), max_pixels=max_pixels)
        return self.restore_file(file, size=size, force=force)[0]

    # For the rooms above.

    def write_frames(
        self,
        path: Path,
        frames: UInt8[np.ndarray, "n h w 3"],
        about: Mapping[str, Any] | None = None,
    ) -> Record:
        """`write` for a group of images and a path that were checked.

        `about`: what the task adds to the record.

        Raises:
          UserError: the disk refuses.
        """
        pixels = self.tiled.embed(frames, np.uint8)
        record = embedding_file.describe(
            pixels,
            task=self.task,
            images=self.network.num_images,
            size=frames.shape[1:3],
            model=self.fingerprint,
            about=about,
        )
        embedding_file.write_embedding(path, pixels, record)
        return record

    def restore_file(
        self, file: EmbeddingFile, *, size: tuple[int, int] | None = None, force: bool = False
    ) -> tuple[UInt8[np.ndarray, "n h w 3"], tuple[str, ...]]:
        """`read` for a file that was examined; and why the images may differ, a line each."""
        codec, notes = self.for_file(file, force)
        pixels = codec.with_channels(file.pixels, file.path)
        size = codec.images_size(pixels.shape[:2], size, file.path, file.record)
        return codec.tiled.restore(pixels, size), notes

    def for_file(self, file: EmbeddingFile, force: bool) -> tuple["Codec", tuple[str, ...]]:
        """This codec as a file needs it, and why the images may differ, a line each.

        Of networks it is the same; how `low_bits` made an embedding, that says itself.

        Raises:
          UserError: as `notes`; or nothing of the images is left, `force` or not.
        """
        notes = self.notes(file, force)
        try:
            return dataclasses.replace(self, tiled=self.tiled.for_embedding(file.pixels)), notes
        except Destroyed as error:
            raise Destroyed(f"{file.path}: {error}") from error

    def notes(self, file: EmbeddingFile | EmbeddingVideo, force: bool) -> tuple[str, ...]:
        """Why the images of a file may not come back with this network, a line each.

        Raises:
          UserError: there is a reason, and no `force`.
        """
        if file.record is None and self.tiled.self_describing:
            return ()
        problems = [] if file.problem is None else [file.problem]
        if file.record is None:
            problems = problems or [NO_RECORD]
        elif file.record.model != self.fingerprint:
            theirs = _describe(file.record.model, file.record.task, file.record.images)
            ours = _describe(self.fingerprint, self.task, self.network.num_images)
            problems.append(f"was written by another model: {theirs}, and this is {ours}")
        notes = tuple(f"{file.path} {problem}" for problem in problems)
        if notes and not force:
            raise UserError(f"{notes[0]} (--force restores what can be restored)")
        return notes

    def with_channels(
        self, pixels: UInt8[np.ndarray, "h w c"], name: Path | str
    ) -> UInt8[np.ndarray, "h w k"]:
        """An embedding with the network's channels. Raises UserError if it has colours to lose."""
        found = embedding_file.with_channels(pixels, self.network.embedding_channels)
        if found is None:
            raise UserError(f"{name} {COLOURED}")
        return found

    def images_size(
        self,
        shape: tuple[int, int],
        size: tuple[int, int] | None,
        name: Path | str,
        record: Record | None = None,
    ) -> tuple[int, int]:
        """Height and width of the images in an embedding of that shape.

        Those of the record where they fit, else `size`, else those of the embedding times `scale`.

        Raises:
          UserError: images of that `size` do not embed to that shape.
        """
        if record is not None and self.network.embedding_size(*record.size) == shape:
            return record.size
        if size is None:
            return self.network.images_size(*shape)
        if min(size) < 1 or self.network.embedding_size(*size) != shape:
            raise UserError(
                f"pictures of {width_x_height(size)} pixels do not embed into {name}, which has "
                f"{width_x_height(shape)}: leave the size out, or name the right one"
            )
        return size

    def check_count(self, given: int) -> None:
        """Raises UserError unless the network embeds so many images."""
        count = self.network.num_images
        if given != count:
            are = "1 is" if given == 1 else f"{given} are"
            name = "one file" if count == 1 else f"{count} files, the reference first"
            raise UserError(
                f"this model embeds {number_of(count)}, but {are} given: name {name}, or use "
                "another model"
            )

    def _read(self, images, fit: bool, max_pixels: int = MAX_PIXELS):
        if isinstance(images, (str, os.PathLike, Image.Image)) or getattr(images, "ndim", 4) == 3:
            images = [images]
        self.check_count(len(images))
        return read_group(images, fit=fit, max_pixels=max_pixels)[0]


def _describe(model: str, task: str, images: int) -> str:
    return f"{model[:12]} (task {task}, {images} images)"
