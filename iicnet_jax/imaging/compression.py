"""Compresses 8-bit RGB pictures in memory, into as many bytes as there are (Pillow's codecs)."""

import contextlib
import io

import numpy as np
from jaxtyping import UInt8
from PIL import Image, features

from iicnet_jax.core.errors import UserError
from iicnet_jax.imaging.picture_reader import opened

Pictures = UInt8[np.ndarray, "n h w 3"]

# By name: as it is called in Pillow's list of features.
CODECS = {"avif": "avif", "jpeg2000": "jpg_2000"}
AVIF_SIDE = 65535  # of a picture, in pixels, at most
_RATE_STEP = 1.02
_GROWTH = 0.05  # of the bytes of an AVIF, from one quality to the next, by which one is guessed


def compress(pictures: Pictures, limit: int, codec: str) -> bytes | None:
    """Pictures of one size at the greatest quality whose bytes fit; None where none does.

    Args:
      pictures: with AVIF several are a sequence, in which one predicts the next; with JPEG 2000
        they stand above one another in one picture.
      limit: the greatest number of bytes.
      codec: a name of `CODECS`.

    Raises:
      UserError: this installation of Pillow cannot write with the codec.
    """
    require(codec)
    return {"avif": _avif, "jpeg2000": _jpeg2000}[codec](pictures, limit)


def decompress(data: bytes, codec: str, shape: tuple[int, int, int]) -> Pictures:
    """The pictures in what `compress` made.

    Args:
      data: not trusted.
      codec: a name of `CODECS`.
      shape: number, height and width of the pictures.

    Raises:
      UserError: the codec is missing, or `data` holds something else; the latter is a clause.
    """
    require(codec)
    count, height, width = shape
    stacked = codec == "jpeg2000"
    size = (width, count * height) if stacked else (width, height)
    stream, pixels = io.BytesIO(data), count * height * width
    name, formats = f"the {codec} data", (codec.upper(),)
    with opened(stream, name, max_pixels=pixels, formats=formats) as image:
        if image.size != size or getattr(image, "n_frames", 1) != (1 if stacked else count):
            raise UserError("hold other pictures than were announced")
        if stacked:
            return np.asarray(image.convert("RGB")).reshape(count, height, width, 3)
        pictures = np.empty((count, height, width, 3), np.uint8)
        for number in range(count):
            image.seek(number)
            pictures[number] = np.asarray(image.convert("RGB"))
        return pictures


def require(codec: str) -> None:
    """Raises UserError unless this installation of Pillow has the codec."""
    with contextlib.suppress(ValueError):  # older versions do not know all features
        if features.check(CODECS[codec]):
            return
    others = ", ".join(name for name in CODECS if name != codec)
    raise UserError(
        f"this installation of Pillow has no {codec}: install a newer one (pip install -U pillow), "
        f"or use {others}"
    )


def _avif(pictures, limit):
    """The greatest of the qualities from 0 to 100, found by guesses between two bounds."""
    if max(pictures.shape[1:3]) > AVIF_SIDE:
        return None
    first, *others = map(Image.fromarray, pictures)
    options = {"save_all": True, "append_images": others} if others else {}
    found, least, greatest, quality = None, 0, 100, 80
    while least <= greatest:
        data = _saved(first, format="AVIF", quality=quality, subsampling="4:4:4", **options)
        data = _without_times(data) if others else data
        if len(data) <= limit:
            found, least = data, quality + 1
        else:
            greatest = quality - 1
        guess = quality + round(np.log(max(limit, 1) / len(data)) / _GROWTH)
        quality = min(max(guess, least), greatest)
    return found


def _without_times(data: bytes) -> bytes:
    """A sequence that does not say when it was made: the same pictures give the same bytes."""
    result = bytearray(data)
    for box in (b"mvhd", b"tkhd", b"mdhd"):  # of ISO base media files; of version 1 here
        start = data.index(box) + 8
        result[start : start + 16] = bytes(16)  # creation and modification
    return bytes(result)


def _jpeg2000(pictures, limit):
    """At a given rate; again at a slightly smaller one where the codec overshoots."""
    stack = Image.fromarray(pictures.reshape(-1, *pictures.shape[2:]))
    # Every resolution halves the sides of the one before.
    resolutions = min(6, int(np.log2(min(stack.size))) + 1)
    rate = max(1.0, pictures.size / max(limit, 1))
    while rate < pictures.size:
        data = _saved(
            stack,
            format="JPEG2000",
            quality_mode="rates",
            quality_layers=[rate],
            irreversible=True,
            mct=1,
            no_jp2=True,
            num_resolutions=resolutions,
        )
        if len(data) <= limit:
            return data
        rate *= max(_RATE_STEP, len(data) / limit)
    return None


def _saved(image: Image.Image, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, **options)
    return stream.getvalue()
