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
from iicnet_jax.imaging.colour import luma
from iicnet_jax.imaging.picture_reader import MAX_PIXELS
from iicnet_jax.inference.tiling import Tiled
from iicnet_jax.media import embedding_file
from iicnet_jax.media.embedding_file import EmbeddingFile, Record
from iicnet_jax.media.embedding_video import EmbeddingVideo
from iicnet_jax.media.picture_file import Source, check_output, read_group, resize
from iicnet_jax.models import Network
from iicnet_jax.models.baselines import low_bits
from iicnet_jax.models.baselines.low_bits import LowBits
from iicnet_jax.weights.model_dir import read_model

# Clauses about a file.
NO_RECORD = "has no record of what was embedded: another program wrote it or removed the record"
NEARLY_GREY = 8  # levels between the channels
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
    tiled = Tiled(found.network, tile=tile, progress=progress)
    return Codec(tiled, task, found.fingerprint, found.survives)


@dataclasses.dataclass(frozen=True)
class Codec:
    """Embeds N images in one and restores them; `load` makes it.

    Messages of its errors are those of the command line: what they call `--fit`, `--force`,
    `--size` and `--overwrite` are the arguments of these names.

    Attributes:
      tiled: the network on float values, to measure it; or the method without one.
      task: what the network was trained for, such as "hiding".
      fingerprint: SHA-256 of what the network computes; embedding files name it.
      survives: the lowest quality of a file that its embeddings survive, by format, such as
        {"jpeg": 50}; empty for most networks, whose embeddings only files without loss keep.
    """

    tiled: Tiled | LowBits
    task: str
    fingerprint: str
    survives: Mapping[str, int] = dataclasses.field(default_factory=dict, hash=False)

    @property
    def network(self) -> Network | LowBits:
        """The network: `num_images`, `embedding_channels`, `scale`, `grid_stride`, ..."""
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
          The embedding, (h2, w2, k): h and w divided by `network.scale`, rounded up to multiples
          of `network.grid_stride`.

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
            which may be a little more than they were: see `embed`.

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
        quality: int | None = None,
        overwrite: bool = False,
        max_pixels: int = MAX_PIXELS,
    ) -> Record:
        """Hides images in a PNG or lossless WebP file, which says what is in it.

        Or in a JPEG file, if the network's embeddings survive that.

        Args:
          path: ends in .png, .webp or .jpg.
          images: as for `embed`.
          fit: as for `embed`.
          quality: of a JPEG file, from the lowest that the network survives to 100; 90 without it.
          overwrite: replace a file that is there.
          max_pixels: of an image.

        Raises:
          UserError: as `embed`; or `path` exists (without `overwrite`) or cannot be written, or is
            a JPEG file that the network's embeddings do not survive.
        """
        path = Path(path)
        self.check_output(path, overwrite, quality)
        return self.write_frames(path, self._read(images, fit, max_pixels), quality=quality)

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
            network embedded the images. A network that survives compression takes changed pixels
            and files without a record, but none of another size than the record's; with `force`
            they are scaled back where their sides have the same ratio.
        """
        file = embedding_file.examine(Path(path), max_pixels=max_pixels)
        return self.restore_file(file, size=size, force=force)[0]

    # For the rooms above.

    def check_output(self, path: Path, overwrite: bool, quality: int | None = None) -> None:
        """Raises UserError unless `write` may write there; tells before the long work."""
        if not embedding_file.is_lossy(path):
            if quality is not None:
                raise UserError(f"{path} is no JPEG file: only those have a quality")
            check_output(path, overwrite)
            return
        lowest = self.survives.get("jpeg")
        if lowest is None:
            names = bundled.surviving("jpeg")
            others = f", or use a model that does: {', '.join(names)}" if names else ""
            raise UserError(
                f"{path}: what this model embeds does not survive a JPEG file: write a .png or "
                f".webp file{others}"
            )
        if not lowest <= self._quality(quality) <= 100:
            raise UserError(
                f"the quality of {path} is {quality}: what this model embeds survives JPEG files "
                f"of qualities from {lowest} to 100, as far as it was measured"
            )
        check_output(path, overwrite, lossy=True)

    def _quality(self, quality: int | None) -> int:
        lowest = self.survives.get("jpeg", 1)
        return max(embedding_file.QUALITY, lowest) if quality is None else quality

    def write_frames(
        self,
        path: Path,
        frames: UInt8[np.ndarray, "n h w 3"],
        about: Mapping[str, Any] | None = None,
        quality: int | None = None,
    ) -> Record:
        """`write` for a group of images, a path and a quality that were checked.

        `about`: what the task adds to the record.

        Raises:
          UserError: the disk refuses.
        """
        pixels = self.tiled.embed(frames, np.uint8)
        quality = self._quality(quality)
        record = embedding_file.describe(
            embedding_file.as_read(path, pixels, quality),
            task=self.task,
            images=self.network.num_images,
            size=frames.shape[1:3],
            model=self.fingerprint,
            about=about,
        )
        embedding_file.write_embedding(path, pixels, record, quality)
        return record

    def restore_file(
        self, file: EmbeddingFile, *, size: tuple[int, int] | None = None, force: bool = False
    ) -> tuple[UInt8[np.ndarray, "n h w 3"], tuple[str, ...]]:
        """`read` for a file that was examined; and why the images may differ, a line each."""
        codec, notes = self.for_file(file, force)
        pixels = codec.with_channels(file.pixels, file.path)
        if (original := codec._scaled_from(file)) is not None:
            pixels = resize(pixels, original)
            notes = (*notes, f"{file.path} is scaled back to {width_x_height(original)} pixels")
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
        problems, tolerable = [] if file.problem is None else [file.problem], []
        remedy = "--force restores what can be restored"
        if self.survives and isinstance(file, EmbeddingFile):
            problems, tolerable = self._after_compression(file)
            if (size := self._scaled_from(file)) is not None:
                remedy = f"--force scales it back to {width_x_height(size)}"
        if file.record is None:
            problems = problems or ([] if tolerable else [NO_RECORD])
        elif file.record.model != self.fingerprint:
            theirs = _describe(file.record.model, file.record.task, file.record.images)
            ours = _describe(self.fingerprint, self.task, self.network.num_images)
            problems = [*problems, f"was written by another model: {theirs}, and this is {ours}"]
        if problems and not force:
            raise UserError(f"{file.path} {problems[0]} ({remedy})")
        return tuple(f"{file.path} {clause}" for clause in [*problems, *tolerable])

    def _after_compression(self, file: EmbeddingFile) -> tuple[list[str], list[str]]:
        """What is wrong with a file, and what is only told of it, by a network that survives some.

        That is: compression, but no change of the size.
        """
        if file.tolerable is None:
            return [] if file.problem is None else [file.problem], []
        then = self._changed_size(file)
        if then is not None:  # to half or twice of what it was: the file alone does not show it
            sizes = f"{width_x_height(file.pixels.shape)} pixels instead of {width_x_height(then)}"
            return [f"has {sizes}: it was resized since it was written"], []
        lowest = self.survives.get("jpeg")
        if file.quality is None or lowest is None or file.quality >= lowest:
            return [], [file.tolerable]
        measured = f"(this model was measured from JPEG quality {lowest} on)"
        return [], [f"{file.tolerable} {measured}"]

    def _changed_size(self, file: EmbeddingFile) -> tuple[int, int] | None:
        """Height and width that this network's embedding has by its record, unless it has those."""
        if file.record is None or file.record.model != self.fingerprint:
            return None
        fits = self.tiled.fits(file.pixels.shape[:2], file.record.size)
        return None if fits else self.tiled.embedding_size(*file.record.size)

    def _scaled_from(self, file: EmbeddingFile) -> tuple[int, int] | None:
        """The same, where the sides have kept their ratio: then it seems to have been scaled.

        Only for networks that survive compression: of others' embeddings nothing would be left.
        """
        size = self._changed_size(file) if self.survives else None
        if size is None:
            return None
        height, width = size
        rows, columns = file.pixels.shape[:2]
        # Sides are whole numbers, before and after.
        return size if abs(columns * height - rows * width) <= height + width else None

    def with_channels(
        self, pixels: UInt8[np.ndarray, "h w c"], name: Path | str
    ) -> UInt8[np.ndarray, "h w k"]:
        """An embedding with the network's channels. Raises UserError if it has colours to lose."""
        found = embedding_file.with_channels(pixels, self.network.embedding_channels)
        if found is not None:
            return found
        # Programs store grey in three channels, which a lossy file leaves nearly equal.
        if self.survives and np.ptp(pixels, axis=2).max() <= NEARLY_GREY:
            return luma(pixels)
        raise UserError(f"{name} {COLOURED}")

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
        if record is not None and self.tiled.fits(shape, record.size):
            return record.size
        if size is None:
            return self.network.images_size(*shape)
        if min(size) < 1 or not self.tiled.fits(shape, size):
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
