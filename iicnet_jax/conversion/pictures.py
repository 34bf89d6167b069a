"""Picture files through a network: embed, restore, measure."""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from iicnet_jax.evaluation import metrics, protocol
from iicnet_jax.imaging.carrier import Carrier
from iicnet_jax.imaging.colour import luma
from iicnet_jax.imaging.picture_reader import MAX_PIXELS
from iicnet_jax.imaging.resizing import half_size
from iicnet_jax.inference.codec import Codec
from iicnet_jax.media.embedding_file import EmbeddingFile, Record
from iicnet_jax.media.outputs import check_folder, write_folder
from iicnet_jax.media.picture_file import read_group


@dataclasses.dataclass(frozen=True)
class Embedded:
    """An embedding file that was written."""

    path: Path
    record: Record
    notes: tuple[str, ...]  # what is not kept of the originals, a line each


@dataclasses.dataclass(frozen=True)
class Restored:
    """Files that were written from an embedding."""

    paths: tuple[Path, ...]  # in the order of embedding, the reference first
    notes: tuple[str, ...]  # why they may differ from what was embedded, a line each


def embed_files(
    codec: Codec,
    inputs: Sequence[Path],
    output: Path,
    *,
    fit: bool = False,
    quality: int | None = None,
    overwrite: bool = False,
    max_pixels: int = MAX_PIXELS,
) -> Embedded:
    """Hides pictures in one, which is written as `output`; the first is the reference.

    `fit`: scale and crop pictures of another size than the first's to that size. `quality`: of a
    JPEG file, for a network that survives it.

    Raises:
      UserError: the number of pictures is not the network's, a picture cannot be read or has
        another size (without `fit`), or `output` cannot be written.
    """
    codec.check_count(len(inputs))
    codec.check_output(output, overwrite, quality)
    frames, notes = read_group(inputs, fit=fit, max_pixels=max_pixels)
    return Embedded(output, codec.write_frames(output, frames, quality=quality), notes)


def restore_file(
    codec: Codec,
    file: EmbeddingFile,
    folder: Path,
    *,
    size: tuple[int, int] | None = None,
    force: bool = False,
    overwrite: bool = False,
) -> Restored:
    """Gets the pictures back from an embedding file: 00.png, 01.png, ... in `folder`.

    All of them are written, or none. `size`: height and width of the pictures, for files without
    a usable record; by default those of the embedding, or their double with down-scaling.

    Raises:
      UserError: `size` does not fit, files exist (without `overwrite`), or `folder` cannot be
        written. Without `force` also: the file has no usable record, its pixels were changed, or
        another network embedded the pictures.
    """
    codec, _ = codec.for_file(file, force)
    names = [f"{i:02d}.png" for i in range(codec.network.num_images)]
    check_folder(folder, overwrite, names)
    images, notes = codec.restore_file(file, size=size, force=force)
    return Restored(write_folder(folder, zip(names, images, strict=True)), notes)


def measure_files(
    codec: Codec,
    inputs: Sequence[Path],
    *,
    carriers: Sequence[Carrier] = (),
    fit: bool = False,
    max_pixels: int = MAX_PIXELS,
) -> tuple[dict, tuple[str, ...]]:
    """Embeds pictures into 8 bits, restores them, and measures both; writes nothing.

    Returns:
      PSNR (dB) and SSIM, of `embedding` against `reference_of` the first picture; of the pictures
      `restored`, on average, also `restored_without_reference`, and of each in `frames`; the same
      by carrier in `carriers`, from the embedding in a file of that kind, and in `without_network`
      what the reference in such a file shows of the pictures; and what was changed of the pictures.
      Where such a file leaves nothing of the pictures, their measures are undefined (nan).

    Raises:
      UserError: see `embed_files`.
    """
    codec.check_count(len(inputs))
    frames, notes = read_group(inputs, fit=fit, max_pixels=max_pixels)
    embedding, reference = codec.embed(frames), reference_of(codec, frames[0])

    def measure(embedding):
        restored = protocol.restore_what_is_left(codec, embedding, frames.shape[1:3])
        return {
            "embedding": _compare(protocol.shown(embedding, reference), reference),
            **_compare_all(restored, frames),
        }

    measures = measure(embedding)
    if carriers:
        measures["carriers"] = {
            str(carrier): {
                **measure(carrier(embedding)),
                "without_network": _compare_all(
                    protocol.reference_alone(carrier(reference), frames.shape), frames
                ),
            }
            for carrier in carriers
        }
    return measures, notes


def reference_of(codec: Codec, picture: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h2 w2 k"]:
    """What the embedding is to look like: the first picture as its network has learnt it.

    Of half the size with down-scaling (bicubic for rescaling, else means of 2x2 squares; an odd
    last row or column is repeated), and its luma where the embedding is grey.
    """
    model = codec.network
    if model.scale == 2:
        picture = half_size(picture, bicubic=codec.task == "rescaling")
    return luma(picture) if model.embedding_channels == 1 else picture


def _compare_all(restored, frames) -> dict:
    if restored is None:
        each = [dict.fromkeys(("psnr", "ssim"), math.nan) for _ in frames]
    else:
        each = [_compare(*pair) for pair in zip(restored, frames, strict=True)]
    measures = {"restored": protocol.mean(each), "frames": each}
    if len(each) > 1:
        measures["restored_without_reference"] = protocol.mean(each[1:])
    return measures


def _compare(image, target) -> dict[str, float]:
    measures = metrics.compare(image, target, y_border=0)
    return {name: measures[name] for name in ("psnr", "ssim")}
