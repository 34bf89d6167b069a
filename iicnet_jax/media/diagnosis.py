"""Guesses how a changed embedding was altered: resized, recompressed, recoloured."""

from collections.abc import Iterable
from pathlib import Path

from iicnet_jax.imaging.jpeg_tables import quality_of
from iicnet_jax.imaging.picture_reader import MODES, Picture, opened

# Of FFmpeg's codecs, those that a lossless copy may be coded in.
LOSSLESS_CODECS = ("ffv1", "huffyuv", "ffvhuff", "utvideo", "png", "rawvideo", "qtrle")
GRIDS = (1, 2, 4, 8, 16, 32)  # strides of networks: `levels` of IICNet is at most 5
# What Pillow finds in files of programs that manage colours; an embedding file has none of it.
COLOUR_DATA = ("icc_profile", "gamma", "chromaticity")


def in_picture(path: Path, picture: Picture, size: tuple[int, int], channels: int) -> str:
    """The signs in a picture file, of images of that size and an embedding of so many channels."""
    grey = bool((picture.pixels == picture.pixels[..., :1]).all())
    signs = [resized(picture.pixels.shape[:2], size)]
    if loss := compression(path, picture):
        signs.append(f"recompressed with loss ({loss})")
    if MODES["P"] in picture.notes:
        signs.append("reduced to a palette")
    if channels == 3 and grey:
        signs.append("reduced to grey")
    if channels == 1 and not grey:
        signs.append("tinted")
    if any(name in picture.metadata for name in COLOUR_DATA):
        signs.append("colour-managed (it has a colour profile)")
    return _listed(signs, "edited, recompressed or colour-managed, at the same size")


def compression(path: Path, picture: Picture) -> str | None:
    """How a picture file loses something, and from what quality it seems to come; None if not."""
    if picture.format == "WEBP" and _is_lossy_webp(path):
        return "lossy WebP"
    if picture.format != "JPEG":
        return None
    quality = jpeg_quality(path)
    return "JPEG" if quality is None else f"JPEG, quality about {quality}"


def jpeg_quality(path: Path) -> int | None:
    """The quality from which a JPEG file seems to come, 1 to 100; None if its tables do not say."""
    with opened(path, formats=("JPEG",)) as image:
        return quality_of(getattr(image, "quantization", {}))


def in_video(
    shape: tuple[int, int], size: tuple[int, int], codec: str, frames: int, embeddings: int
) -> str:
    """The signs in a video with frames of `shape`: so many, instead of so many embeddings."""
    signs = [resized(shape, size)]
    if codec not in LOSSLESS_CODECS:
        signs.append(f"recompressed ({codec})")
    if frames < embeddings:
        signs.append(f"cut ({frames} of {embeddings} frames are there)")
    elif frames > embeddings:
        signs.append(f"lengthened ({frames} frames instead of {embeddings})")
    return _listed(signs, "edited, or recompressed and coded without loss again")


def resized(shape: tuple[int, int], size: tuple[int, int]) -> str | None:
    """What happened to an embedding of images of that size that it has this shape, None: nothing.

    It has that of the images, or half of it, perhaps rounded up to whole squares of a network's
    grid.
    """
    shapes = {
        tuple(-(-side // (scale * square)) * square for side in size)
        for scale in (1, 2)
        for square in GRIDS
    }
    if shape in shapes:
        return None
    height, width = shape
    if shape[::-1] in shapes:
        return f"turned ({width}x{height} pixels)"
    return f"resized or cropped ({width}x{height} pixels, of images of {size[1]}x{size[0]})"


def _listed(signs: Iterable[str | None], otherwise: str) -> str:
    found = [sign for sign in signs if sign]
    return f"it looks {' and '.join(found) or otherwise}"


def _is_lossy_webp(path: Path) -> bool:
    """Whether the first picture in a RIFF file is coded as VP8, and not as VP8L."""
    data = path.read_bytes()
    position = 12
    while position + 8 <= len(data):
        name = data[position : position + 4]
        if name in (b"VP8 ", b"VP8L"):
            return name == b"VP8 "
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        position += 8 + length + length % 2
    return False
