"""Decodes picture files of any origin, damaged and hostile ones included, into 8-bit RGB.

Pixels are HWC uint8 on the host.
"""

import contextlib
import dataclasses
import threading
import warnings
from collections.abc import Collection, Iterator, Mapping
from io import BufferedIOBase
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import ExifTags, Image, TiffImagePlugin, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from iicnet_jax.core.errors import UserError, reading
from iicnet_jax.imaging import RGB

# Pillow has decoders for dozens of formats; what nobody needs only widens the way in.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
# Of their files; the content decides, this is for finding them in folders.
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
MAX_PIXELS = 200_000_000

# What is told of a picture whose pixels are stored in that mode.
MODES = {
    **dict.fromkeys(("RGB", "RGBA", "RGBX", "RGBa")),
    "1": "is black and white, and becomes RGB",
    **dict.fromkeys(
        ("L", "LA", "La", "I;16", "I;16L", "I;16B", "I;16N"), "is grey, and becomes RGB"
    ),
    **dict.fromkeys(("P", "PA"), "has a palette, and becomes RGB"),
    "CMYK": "is CMYK, and becomes RGB without its ink profile: colours are approximate",
    "YCbCr": "is YCbCr, and becomes RGB",
}

# How a picture is turned upright, by its EXIF orientation.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Of grey PNG files, by Pillow's raw mode: bits of a pixel, and what its value is multiplied with.
_PNG_GREY = {"1": (8, 1), "L;2": (2, 85), "L;4": (4, 17), "L": (8, 1), "I;16B": (16, 1)}

# Of TIFF files that are not compressed, Pillow itself decodes 16-bit planes and YCbCr wrongly.
TiffImagePlugin.READ_LIBTIFF = True
# About metadata that are not used. As a context, this would not be safe in threads.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
# Pillow's limit belongs to the whole process.
_pillow = threading.Lock()


@dataclasses.dataclass(frozen=True)
class Picture:
    """A decoded picture file."""

    pixels: RGB
    notes: tuple[str, ...]  # what was changed on the way, a clause each: "is grey, and ..."
    format: str  # Pillow's name of the file format
    metadata: Mapping  # what the file holds besides pixels, as Pillow names it; not trusted


def read_picture(
    file: Path | BufferedIOBase,
    name: Path | str | None = None,
    *,
    max_pixels: int = MAX_PIXELS,
    formats: Collection[str] = FORMATS,
    upright: bool = True,
) -> Picture:
    """Decodes a picture of one of the `formats` into 8-bit RGB.

    Transparent parts become white, and of several pictures in a file the first is taken; notes
    say so. `upright`: turn it as its EXIF data say. `name`: of a stream, for messages.

    Raises:
      UserError: the file is missing, no such picture, damaged, has more than `max_pixels`, or
        has values without a defined range (32-bit and floating-point pixels, Lab colours).
    """
    with opened(file, name, max_pixels=max_pixels, formats=formats) as image:
        several = getattr(image, "is_animated", False)
        picture = decode(image, max_pixels, upright)
    if several:
        note = "holds several pictures; only the first is used"
        picture = dataclasses.replace(picture, notes=(*picture.notes, note))
    return picture


def picture_size(path: Path) -> tuple[int, int]:
    """Height and width, from the file's header alone. Raises UserError like `read_picture`."""
    with opened(path) as image:
        width, height = image.size
        if image.format == "PNG" and "exif" not in image.info:
            return height, width  # looking for EXIF data behind the pixels would decode them
        # Of TIFF files, this is the size when upright.
        on_its_side = image.format != "TIFF" and _orientation(image) in (5, 6, 7, 8)
        return (width, height) if on_its_side else (height, width)


@contextlib.contextmanager
def opened(
    file: Path | BufferedIOBase,
    name: Path | str | None = None,
    *,
    max_pixels: int = MAX_PIXELS,
    formats: Collection[str] = FORMATS,
) -> Iterator[ImageFile]:
    """A picture file whose header has been read; the body decodes as much of it as it needs.

    Raises:
      UserError: as `read_picture`, whatever the body meets in the file; a UserError of the body
        is the second half of a sentence about the file.
    """

    def describe(error):
        if isinstance(error, UnidentifiedImageError):
            listed = ", ".join(formats)
            return f"is not a picture that can be read: convert it to one of {listed}"
        return _damage(error)

    with reading(name or file, describe), _open(file, formats) as image:
        _require_at_most(max_pixels, image)
        yield image


def _damage(error: Exception) -> str:
    """A clause about a file, from what its decoder raises."""
    if isinstance(error, OSError) and error.errno:
        return f"cannot be read: {error.strerror}"
    # Decoders raise nearly anything on damaged files.
    return f"is damaged ({str(error) or type(error).__name__}): replace the file"


def _open(file, formats) -> ImageFile:
    with _pillow:
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(file, formats=formats)
        finally:
            Image.MAX_IMAGE_PIXELS = before


def _require_at_most(max_pixels, image):
    if image.width * image.height > max_pixels:
        raise UserError(
            f"has more than {max_pixels / 1e6:g} megapixels: make it smaller, or allow more with "
            "--max-pixels where the command has it"
        )


def picture_of(image: Image.Image, name: str, *, max_pixels: int = MAX_PIXELS) -> Picture:
    """The same of an image that Pillow has opened or made. Raises UserError as `read_picture`."""
    with reading(name, _damage):
        return decode(image, max_pixels)


def decode(image: Image.Image, max_pixels: int = MAX_PIXELS, upright: bool = True) -> Picture:
    """The picture at which the file stands. Raises UserError with the second half of a sentence."""
    _require_at_most(max_pixels, image)  # a GIF may grow on the way
    tags = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else None
    _require_a_range(image.mode, tags or {})
    notes = [note] if (note := MODES[image.mode]) else []
    # Before `load`, which forgets how pixels are stored and turns TIFF files itself.
    file = getattr(image, "filename", None) or getattr(image, "fp", None)
    raw_mode = _raw_mode(image)
    orientation = 1 if tags is None else _orientation(image)
    if tags is None:
        # In BMP files, 16 bits are those of a pixel.
        bits = 16 if image.format == "PNG" and ";16" in raw_mode else 8
        white_is_zero = False
    else:
        bits = max(8, *tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,)))
        white_is_zero = tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0
    if bits > 8:
        notes.append(f"has {bits} bits a channel, and is reduced to 8")
    image.load()
    if 0 in image.size:
        raise UserError("is empty: replace the file")
    if upright and tags is None:
        orientation = _orientation(image)
    if _profile_matters(image.info.get("icc_profile", b"")):
        notes.append("has a colour profile other than sRGB, which is left out: colours may shift")
    if orientation is None:
        notes.append("has damaged EXIF data, which are ignored")
    elif orientation in _UPRIGHT:
        notes.append("is turned upright, as its EXIF data say")

    result: Image.Image = image
    if image.mode.startswith("I;16"):
        result = _reduced(image, bits, white_is_zero)
    key_alpha = _key_alpha(image, raw_mode, file)
    if key_alpha is not None:
        result = Image.fromarray(np.dstack([np.asarray(result.convert("RGB")), key_alpha]))
    if result.has_transparency_data:
        result = result.convert("RGBA")
        if np.asarray(result)[..., 3].min() < 255:
            notes.append("is transparent in places, which become white")
            result = Image.alpha_composite(Image.new("RGBA", result.size, "white"), result)
    if result.mode != "RGB":
        result = result.convert("RGB")
    if tags is None and orientation in _UPRIGHT:
        result = result.transpose(_UPRIGHT[orientation])
    return Picture(np.asarray(result), tuple(notes), image.format or "", dict(image.info))


def _require_a_range(mode: str, tags: Mapping) -> None:
    """Raises UserError unless it is clear which values are black and white, and where they are."""
    kind = mode if mode not in MODES else None
    if set(tags.get(TiffImagePlugin.SAMPLEFORMAT, (1,))) != {1}:
        kind = f"{mode}, signed or floating-point"
    # libtiff would take the first half of the pixels for both.
    if mode in ("LA", "PA") and tags.get(TiffImagePlugin.PLANAR_CONFIGURATION) == 2:
        kind = f"{mode} in planes"
    if kind:
        raise UserError(
            f"has pixels of the kind {kind}, whose meaning is open: convert it to 8-bit RGB"
        )


def _raw_mode(image: Image.Image) -> str:
    """Pillow's name of how pixels are stored, such as "L;4"; empty where they are not in a file."""
    tile = getattr(image, "tile", None)
    arguments = tile[0].args if tile else ""
    return str(arguments[0] if isinstance(arguments, tuple) else arguments)


def _reduced(image, bits: int, white_is_zero: bool) -> Image.Image:
    """A grey picture of more than 8 bits in 8."""
    greatest = 2**bits - 1
    grey = np.asarray(image).astype(np.uint32)
    grey = ((grey * 255 + greatest // 2) // greatest).astype(np.uint8)
    return Image.fromarray(255 - grey if white_is_zero else grey)


def _key_alpha(image, raw_mode: str, file) -> UInt8[np.ndarray, "h w"] | None:
    """Alpha of a PNG of which one colour is transparent; Pillow's is wrong unless it has 8 bits."""
    key = image.info.get("transparency")
    if image.format != "PNG" or image.mode == "P" or key is None or not raw_mode:
        return None
    if image.mode == "RGB":
        pixels = np.asarray(image)
        if raw_mode == "RGB;16B":
            pixels = pixels.astype(np.uint16) << 8 | _low_bytes(file)
        bits = 8 * pixels.itemsize
        same = (pixels == np.array(key) % 2**bits).all(axis=-1)
    else:
        bits, factor = _PNG_GREY[raw_mode]
        pixels = np.asarray(image.convert("L") if image.mode == "1" else image)
        same = pixels == key % 2**bits * factor
    return np.where(same, 0, 255).astype(np.uint8)


def _low_bytes(file) -> RGB:
    """Of the values in a 16-bit RGB PNG, of which Pillow gives the high bytes."""
    with _open(file, ("PNG",)) as image:
        image.tile = [image.tile[0]._replace(args="RGB;16L")]
        return np.asarray(image)


def _orientation(image) -> int | None:
    """As the EXIF data say, 1 to 8; None if they are damaged."""
    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # as for decoders; the pixels are good
        return None


def _profile_matters(profile: bytes) -> bool:
    # The description stands in ASCII or, in newer profiles, in UTF-16.
    return bool(profile) and b"sRGB" not in profile.replace(b"\0", b"")
