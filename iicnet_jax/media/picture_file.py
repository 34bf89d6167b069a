"""Reads pictures of one size into an array; writes PNG, lossless WebP and JPEG files."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps

from iicnet_jax.core.errors import UserError
from iicnet_jax.core.files import replacing
from iicnet_jax.core.wording import width_x_height
from iicnet_jax.imaging.picture_reader import MAX_PIXELS, Picture, picture_of, read_picture
from iicnet_jax.media.outputs import check_file

# A file, an image of Pillow's, or an array.
Source = str | os.PathLike | Image.Image | np.ndarray

LOSSLESS = {".png": "PNG", ".webp": "WEBP"}
LOSSY = {".jpg": "JPEG", ".jpeg": "JPEG"}
# Pixels that a side has at most.
GREATEST_SIDE = {"WEBP": 16383, "JPEG": 65500}


def write_picture(path: Path, pixels: UInt8[np.ndarray, "h w k"], **options) -> None:
    """Writes 1 or 3 channels as a PNG, lossless WebP or JPEG file, as the suffix says, or not.

    WebP has no grey: one channel is written as three equal ones. `options` go to Pillow's `save`.
    A file that is there is replaced: `check_output` comes first.

    Raises:
      UserError: the picture is too large for the format, or the disk refuses.
    """
    check_sides(path, pixels.shape)
    image = to_pillow(pixels)
    file_format = (LOSSLESS | LOSSY)[path.suffix.lower()]
    if file_format == "WEBP":
        options = {"lossless": True, **options}
    with replacing(path) as temporary:
        image.save(temporary, format=file_format, **options)


def check_sides(path: Path, shape: Sequence[int]) -> None:
    """Raises UserError if a picture of that shape is too large for the format of the file."""
    file_format, side = (LOSSLESS | LOSSY)[path.suffix.lower()], max(shape[:2])
    if side > (greatest := GREATEST_SIDE.get(file_format, side)):
        name = file_format.replace("WEBP", "WebP")
        raise UserError(
            f"{path}: a {name} file has at most {greatest} pixels a side, and this picture {side}: "
            "write a PNG file"
        )


def to_pillow(pixels: UInt8[np.ndarray, "h w k"]) -> Image.Image:
    """An image of Pillow's, of 1 or 3 channels."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def check_output(path: Path, overwrite: bool, *, lossy: bool = False) -> None:
    """Raises UserError unless `write_picture` may write there; tells before the long work.

    `lossy`: whether a JPEG file will do.
    """
    check_file(path, (*LOSSLESS, *(LOSSY if lossy else ())), overwrite)


def read_group(
    sources: Sequence[Source] | np.ndarray, *, fit: bool = False, max_pixels: int = MAX_PIXELS
) -> tuple[UInt8[np.ndarray, "n h w 3"], tuple[str, ...]]:
    """Pictures of one size as one array, and a line for everything that was changed of them.

    Raises:
      UserError: a picture cannot be read, an array is not (h, w, 3) uint8, or sizes differ from
        the first one's, without `fit`.
    """
    notes = []
    for number, source in enumerate(sources):
        name, picture = _picture(source, number, max_pixels)
        notes += [f"{name} {note}" for note in picture.notes]
        pixels = picture.pixels
        if number == 0:
            first, frames = name, np.empty((len(sources), *pixels.shape), np.uint8)
        if pixels.shape != frames.shape[1:]:
            reference = f"the reference {first} {width_x_height(frames[0].shape)}"
            sizes = f"{width_x_height(pixels.shape)} pixels, and {reference}"
            if not fit:
                raise UserError(
                    f"{name} has {sizes}: all pictures need one size; --fit scales and crops "
                    "the others to that of the reference"
                )
            notes.append(f"{name} has {sizes}: it is scaled and its edges are cut off to fit")
            pixels = fit_to(pixels, frames.shape[1:3])
        frames[number] = pixels
    return frames, tuple(notes)


def _picture(source: Source, number: int, max_pixels: int) -> tuple[str, Picture]:
    """A picture and what it is called."""
    if isinstance(source, (str, os.PathLike)):
        return str(source), read_picture(Path(source), max_pixels=max_pixels)
    name = f"image {number}"
    if isinstance(source, Image.Image):
        return name, picture_of(source, name, max_pixels=max_pixels)
    pixels = np.asarray(source)
    if pixels.dtype != np.uint8 or pixels.shape[2:] != (3,) or 0 in pixels.shape:
        raise UserError(
            f"{name} is an array {pixels.shape} of {pixels.dtype}: give uint8 values from 0 to 255 "
            "of the shape (height, width, 3)"
        )
    return name, Picture(pixels, (), "array", {})


def resize(
    pixels: UInt8[np.ndarray, "h w k"], size: tuple[int, int]
) -> UInt8[np.ndarray, "h2 w2 k"]:
    """A picture of 1 or 3 channels in another height and width (Lanczos)."""
    resized = to_pillow(pixels).resize(size[::-1], Image.Resampling.LANCZOS)
    return np.asarray(resized).reshape(*size, pixels.shape[2])


def fit_to(pixels: UInt8[np.ndarray, "h w 3"], size: tuple[int, int]) -> UInt8[np.ndarray, "..."]:
    """Scales a picture until it covers height and width of `size`, and keeps the middle."""
    height, width = size
    return np.asarray(ImageOps.fit(Image.fromarray(pixels), (width, height)))
