"""Reading pictures of users, which may be of any kind, damaged or hostile; writing pictures.

Pixels are HWC uint8 on the host.
"""

import contextlib
import dataclasses
import threading
import warnings
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from iicnet_jax.errors import UserError
from iicnet_jax.files import replacing
from iicnet_jax.media.blame import blaming
from iicnet_jax.media.outputs import check_file

# Pillow has decoders for dozens of formats; what nobody needs only widens the way in.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
# Of their files; the content decides, this is for finding them in folders.
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
LOSSLESS = {".png": "PNG", ".webp": "WEBP"}
MAX_PIXELS = 200_000_000
WEBP_SIDE = 16383

# What is told of a picture whose pixels are stored in that mode.
MODES = {
    "RGB": None,
    "RGBA": None,
    "RGBX": None,
    "RGBa": None,
    "1": "is black and white, and becomes RGB",
    "L": "is grey, and becomes RGB",
    "LA": "is grey, and becomes RGB",
    "La": "is grey, and becomes RGB",
    "P": "has a palette, and becomes RGB",
    "PA": "has a palette, and becomes RGB",
    "I;16": "is grey, and becomes RGB",
    "I;16L": "is grey, and becomes RGB",
    "I;16B": "is grey, and becomes RGB",
    "CMYK": "is CMYK, and becomes RGB without its ink profile: colours are approximate",
    "YCbCr": "is YCbCr, and becomes RGB",
}

# Pillow's limit and Python's warning filters belong to the whole process.
_pillow = threading.Lock()


@dataclasses.dataclass(frozen=True)
class Picture:
    """A decoded picture file."""

    pixels: UInt8[np.ndarray, "h w 3"]
    notes: tuple[str, ...]  # what was changed on the way, a clause each: "is grey, and ..."
    format: str  # Pillow's name of the file format
    metadata: Mapping  # what the file holds besides pixels, as Pillow names it; not trusted


def read_picture(
    path: Path,
    *,
    max_pixels: int = MAX_PIXELS,
    formats: Collection[str] = FORMATS,
    upright: bool = True,
) -> Picture:
    """Decodes a picture of one of the `formats` into 8-bit RGB.

    Transparent parts become white, and of several pictures in a file the first is taken; notes
    say so. `upright`: turn it as its EXIF data say.

    Raises:
      UserError: the file is missing, no such picture, damaged, has more than `max_pixels`, or
        has values without a defined range (32-bit and floating-point pixels, Lab colours).
    """
    with opened(path, max_pixels=max_pixels, formats=formats) as image:
        several = getattr(image, "is_animated", False)
        picture = decode(image, upright)
    if several:
        note = "holds several pictures; only the first is used"
        picture = dataclasses.replace(picture, notes=(*picture.notes, note))
    return picture


@contextlib.contextmanager
def opened(
    path: Path, *, max_pixels: int = MAX_PIXELS, formats: Collection[str] = FORMATS
) -> Iterator[Image.Image]:
    """A picture file whose header has been read; the body decodes as much of it as it needs.

    Raises:
      UserError: as `read_picture`, whatever the body meets in the file; a UserError of the body
        is the second half of a sentence about the file.
    """

    def describe(error):
        if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
            return (
                f"has more than {max_pixels / 1e6:g} megapixels: make it smaller, or allow more "
                "with --max-pixels"
            )
        if isinstance(error, UnidentifiedImageError):
            listed = ", ".join(formats)
            return f"is not a picture that can be read: convert it to one of {listed}"
        # Decoders raise nearly anything on damaged files.
        return f"is damaged ({error}): replace the file"

    with (
        blaming(path, describe),
        _limited(max_pixels),
        Image.open(path, formats=formats) as image,
    ):
        yield image


def write_picture(
    path: Path, pixels: UInt8[np.ndarray, "h w k"], *, overwrite: bool = False, **options
) -> None:
    """Writes 1 or 3 channels as a PNG or lossless WebP file, as the suffix says, or not at all.

    WebP has no grey: one channel is written as three equal ones. `options` go to Pillow's `save`.

    Raises:
      UserError: the file exists and `overwrite` is false, the suffix is another, the picture is
        too large for WebP, or the disk refuses.
    """
    check_output(path, overwrite)
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    file_format = LOSSLESS[path.suffix.lower()]
    if file_format == "WEBP":
        if max(image.size) > WEBP_SIDE:
            raise UserError(
                f"{path}: a WebP file has at most {WEBP_SIDE} pixels a side, and this picture "
                f"{max(image.size)}: write a PNG file"
            )
        options = {"lossless": True, **options}
    try:
        with replacing(path) as temporary:
            image.save(temporary, format=file_format, **options)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}") from error


def check_output(path: Path, overwrite: bool) -> None:
    """Raises UserError unless `write_picture` may write there; tells before the long work."""
    check_file(path, tuple(LOSSLESS), overwrite)


@contextlib.contextmanager
def _limited(max_pixels: int) -> Iterator[None]:
    """Makes Pillow check the number of pixels before it decodes, and hides its warnings."""
    with _pillow, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, max_pixels
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before


def decode(image: Image.Image, upright: bool = True) -> Picture:
    """The picture at which the file stands. Raises UserError with the second half of a sentence."""
    if image.mode not in MODES:
        raise UserError(
            f"has pixels of the kind {image.mode}, whose meaning is open: convert it to 8-bit RGB"
        )
    notes = [MODES[image.mode]] if MODES[image.mode] else []
    # Before `load`, which forgets how pixels are stored.
    if any(";16" in str(tile[-1]) for tile in image.tile):
        notes.append("has 16 bits a channel, and is reduced to 8")
    image.load()
    if 0 in image.size:
        raise UserError("is empty: replace the file")
    file_format, metadata = image.format, dict(image.info)
    if _profile_matters(metadata.get("icc_profile", b"")):
        notes.append("has a colour profile other than sRGB, which is left out: colours may shift")
    if upright:
        image, turned = _turned(image)
        notes += turned
    if image.mode.startswith("I;16"):
        # 65535 = 255 * 257
        grey = (np.asarray(image).astype(np.uint32) + 128) // 257
        image = Image.fromarray(grey.astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if image.getextrema()[3][0] < 255:
            notes.append("is transparent in places, which become white")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return Picture(np.asarray(image.convert("RGB")), tuple(notes), file_format, metadata)


def _turned(image: Image.Image):
    """The picture as its EXIF data say it is to be seen, and notes."""
    try:
        if image.getexif().get(ExifTags.Base.Orientation, 1) not in range(2, 9):
            return image, []
        return ImageOps.exif_transpose(image), ["is turned upright, as its EXIF data say"]
    except Exception:  # as for decoders; the pixels are good
        return image, ["has damaged EXIF data, which are ignored"]


def _profile_matters(profile: bytes) -> bool:
    # The description stands in ASCII or, in newer profiles, in UTF-16.
    return bool(profile) and b"sRGB" not in profile.replace(b"\0", b"")
