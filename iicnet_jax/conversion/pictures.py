"""Picture files through a network: embed, restore, measure."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps

from iicnet_jax.core.errors import UserError
from iicnet_jax.evaluation import metrics
from iicnet_jax.imaging.colour import luma
from iicnet_jax.imaging.picture_reader import MAX_PIXELS, read_picture
from iicnet_jax.imaging.resizing import halve, imresize
from iicnet_jax.inference.tiling import Tiled
from iicnet_jax.media import embedding_file
from iicnet_jax.media.embedding_file import Record
from iicnet_jax.media.outputs import check_folder, write_folder
from iicnet_jax.media.picture_file import check_output
from iicnet_jax.weights.model_dir import fingerprint, load_config, load_model

# Clauses about a file.
NO_RECORD = "has no record of what was embedded: another program wrote it or removed the record"
COLOURED = "has colours, but this model embeds into a grey picture: use the model that embedded it"


@dataclasses.dataclass(frozen=True)
class Network:
    """A trained network, loaded once for any number of files."""

    tiled: Tiled
    task: str
    fingerprint: str


def load_network(
    folder: Path,
    *,
    tile: int | None = None,
    progress: Callable[[Sequence], Iterable] = iter,
) -> Network:
    """Loads a model directory; `tile` and `progress` are those of `Tiled`.

    Raises:
      UserError: the folder holds no usable model, or the tile is too small for it.
    """
    model = load_model(folder)
    config = load_config(folder)
    about = config.get("about", {})
    task = str(about.get("task", about.get("regime", "")))
    if not embedding_file.TASK.fullmatch(task):
        task = "unknown"
    return Network(
        Tiled(model, tile=tile, progress=progress), task, fingerprint(model, config["model"])
    )


@dataclasses.dataclass(frozen=True)
class Embedded:
    """What `embed_files` did."""

    path: Path
    record: Record
    notes: tuple[str, ...]  # what was changed of the pictures, a line each


@dataclasses.dataclass(frozen=True)
class Restored:
    """What `restore_file` did."""

    paths: tuple[Path, ...]  # in the order of embedding, the reference first
    notes: tuple[str, ...]  # why they may differ from what was embedded, a line each


def embed_files(
    network: Network,
    inputs: Sequence[Path],
    output: Path,
    *,
    fit: bool = False,
    overwrite: bool = False,
    max_pixels: int = MAX_PIXELS,
) -> Embedded:
    """Hides pictures in one, which is written as `output`; the first is the reference.

    `fit`: scale and crop pictures of another size than the first's to that size.

    Raises:
      UserError: the number of pictures is not the network's, a picture cannot be read or has
        another size (without `fit`), or `output` cannot be written.
    """
    check_count(network, inputs)
    check_output(output, overwrite)
    frames, notes = read_group(inputs, fit=fit, max_pixels=max_pixels)
    record = embed_pictures(network, frames, output, overwrite=overwrite)
    return Embedded(output, record, notes)


def embed_pictures(
    network: Network,
    frames: UInt8[np.ndarray, "n h w 3"],
    output: Path,
    *,
    about: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Record:
    """Hides as many pictures as the network takes in an embedding file; the first is the reference.

    `about`: what the task adds to the record.

    Raises:
      UserError: `output` cannot be written.
    """
    pixels = network.tiled.embed_uint8(frames)
    record = embedding_file.describe(
        pixels,
        task=network.task,
        images=network.tiled.model.num_images,
        size=frames.shape[1:3],
        model=network.fingerprint,
        about=about,
    )
    embedding_file.write_embedding(output, pixels, record, overwrite=overwrite)
    return record


def check_count(network: Network, inputs: Sequence[Path]) -> None:
    """Raises UserError unless there are as many pictures as the network embeds."""
    count = network.tiled.model.num_images
    if len(inputs) != count:
        embeds = "1 picture" if count == 1 else f"{count} pictures"
        given = "1 is" if len(inputs) == 1 else f"{len(inputs)} are"
        name = "one file" if count == 1 else f"{count} files, the reference first"
        raise UserError(
            f"this model embeds {embeds}, but {given} given: name {name}, or use another model"
        )


def read_group(
    paths: Sequence[Path], *, fit: bool, max_pixels: int = MAX_PIXELS
) -> tuple[UInt8[np.ndarray, "n h w 3"], tuple[str, ...]]:
    """Pictures of one size as one array, and a line for everything that was changed of them.

    Raises:
      UserError: a picture cannot be read, or differs in size from the first, without `fit`.
    """
    frames, notes = None, []
    for i, path in enumerate(paths):
        picture = read_picture(path, max_pixels=max_pixels)
        notes += [f"{path} {note}" for note in picture.notes]
        pixels = picture.pixels
        if frames is None:
            frames = np.empty((len(paths), *pixels.shape), np.uint8)
        if pixels.shape != frames.shape[1:]:
            sizes = f"{_size(pixels)} pixels, and the reference {paths[0]} {_size(frames[0])}"
            if not fit:
                raise UserError(
                    f"{path} has {sizes}: all pictures need one size; --fit scales and crops "
                    "the others to that of the reference"
                )
            notes.append(f"{path} has {sizes}: it is scaled and its edges are cut off to fit")
            pixels = fit_to(pixels, frames.shape[1:3])
        frames[i] = pixels
    return frames, tuple(notes)


def fit_to(pixels: UInt8[np.ndarray, "h w 3"], size: tuple[int, int]) -> UInt8[np.ndarray, "..."]:
    """Scales a picture until it covers height and width of `size`, and keeps the middle."""
    height, width = size
    return np.asarray(ImageOps.fit(Image.fromarray(pixels), (width, height)))


def restore_file(
    network: Network,
    embedding: Path,
    folder: Path,
    *,
    size: tuple[int, int] | None = None,
    force: bool = False,
    overwrite: bool = False,
    max_pixels: int = MAX_PIXELS,
) -> Restored:
    """Gets the pictures back from an embedding file: 00.png, 01.png, ... in `folder`.

    All of them are written, or none. `size`: height and width of the pictures, for files without
    a usable record; by default those of the embedding, or their double with down-scaling.

    Raises:
      UserError: no picture, `size` does not fit, files exist (without `overwrite`), or `folder`
        cannot be written. Without `force` also: the file has no usable record, its pixels were
        changed, or another network embedded the pictures.
    """
    names = [f"{i:02d}.png" for i in range(network.tiled.model.num_images)]
    check_folder(folder, overwrite, names)
    restored, _, notes = restore_pictures(
        network, embedding, size=size, force=force, max_pixels=max_pixels
    )
    return Restored(write_folder(folder, zip(names, restored, strict=True)), notes)


def restore_pictures(
    network: Network,
    embedding: Path,
    *,
    size: tuple[int, int] | None = None,
    force: bool = False,
    max_pixels: int = MAX_PIXELS,
) -> tuple[UInt8[np.ndarray, "n h w 3"], Record | None, tuple[str, ...]]:
    """The pictures in an embedding file, its record, and notes as in `Restored`.

    Raises:
      UserError: as `restore_file`.
    """
    model = network.tiled.model
    file = embedding_file.examine(embedding, max_pixels=max_pixels)
    notes = [f"{embedding} {problem}" for problem in _problems(file, network)]
    if notes and not force:
        raise UserError(f"{notes[0]} (--force restores what can be restored)")

    pixels = embedding_file.with_channels(file.pixels, model.embedding_channels)
    if pixels is None:
        raise UserError(f"{embedding} {COLOURED}")
    restored = network.tiled.restore(pixels, _restored_size(file, pixels, size, model, embedding))
    return restored, file.record, tuple(notes)


def measure_files(
    network: Network, inputs: Sequence[Path], *, fit: bool = False, max_pixels: int = MAX_PIXELS
) -> tuple[dict, tuple[str, ...]]:
    """Embeds pictures into 8 bits, restores them, and measures both; writes nothing.

    Returns:
      PSNR (dB) and SSIM, of `embedding` against `reference_of` the first picture; of the pictures
      `restored`, on average, and of each in `frames`; and what was changed of the pictures.

    Raises:
      UserError: see `embed_files`.
    """
    check_count(network, inputs)
    frames, notes = read_group(inputs, fit=fit, max_pixels=max_pixels)
    embedding = network.tiled.embed_uint8(frames)
    restored = network.tiled.restore(embedding, frames.shape[1:3])
    each = [_compare(*pair) for pair in zip(restored, frames, strict=True)]
    mean = {name: float(np.mean([measures[name] for measures in each])) for name in each[0]}
    measures = {"embedding": _compare(embedding, reference_of(network, frames[0]))}
    return measures | {"restored": mean, "frames": each}, notes


def reference_of(
    network: Network, picture: UInt8[np.ndarray, "h w 3"]
) -> UInt8[np.ndarray, "h2 w2 k"]:
    """What the embedding is to look like: the first picture as its network has learnt it.

    Of half the size with down-scaling (bicubic for rescaling, else means of 2x2 squares; an odd
    last row or column is repeated), and its luma where the embedding is grey.
    """
    model = network.tiled.model
    if model.scale == 2:
        height, width = picture.shape[:2]
        even = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        if network.task == "rescaling":
            picture = imresize(even, *model.embedding_size(height, width))
        else:
            picture = halve(even)
    return luma(picture) if model.embedding_channels == 1 else picture


def inspect_file(path: Path, *, max_pixels: int = MAX_PIXELS) -> dict:
    """What an embedding file says of itself, for printing and as JSON.

    `record` is None where there is none; `intact` says whether the pixels are those that were
    embedded, None without a record; `problem` says why the images may not come back.

    Raises:
      UserError: the file is no picture.
    """
    file = embedding_file.examine(path, max_pixels=max_pixels)
    height, width = file.pixels.shape[:2]
    record = file.record
    return {
        "file": str(path),
        "format": file.format,
        "height": height,
        "width": width,
        "record": None if record is None else dataclasses.asdict(record),
        "intact": None if record is None else record.matches(file.pixels),
        "problem": file.problem,
    }


def _problems(file: embedding_file.EmbeddingFile, network: Network) -> list[str]:
    """Why the images may not come back with this network, clauses about the file."""
    problems = [] if file.problem is None else [file.problem]
    record = file.record
    if record is None:
        return problems or [NO_RECORD]
    return problems + other_model(record, network)


def other_model(record: Record, network: Network) -> list[str]:
    """A clause about the file if another network wrote it, else nothing."""
    if record.model == network.fingerprint:
        return []
    images = network.tiled.model.num_images
    return [
        f"was written by another model: {_describe(record.model, record.task, record.images)}, "
        f"and this is {_describe(network.fingerprint, network.task, images)}"
    ]


def _compare(image, target) -> dict[str, float]:
    measures = metrics.compare(image, target, y_border=0)
    return {name: measures[name] for name in ("psnr", "ssim")}


def _describe(model: str, task: str, images: int) -> str:
    return f"{model[:12]} (task {task}, {images} images)"


def _restored_size(file, pixels, size, model, path) -> tuple[int, int]:
    """Height and width of the images; the embedding's own where the record does not fit it."""
    shape = pixels.shape[:2]
    if file.record is not None and model.embedding_size(*file.record.size) == shape:
        return file.record.size
    if size is None:
        return shape[0] * model.scale, shape[1] * model.scale
    if min(size) < 1 or model.embedding_size(*size) != shape:
        raise UserError(
            f"pictures of {size[1]}x{size[0]} pixels do not embed into {path}, which has "
            f"{_size(pixels)}: leave the size out, or name the right one"
        )
    return size


def _size(pixels) -> str:
    """Width x height, as users know it."""
    return f"{pixels.shape[1]}x{pixels.shape[0]}"
