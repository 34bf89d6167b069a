"""Reads and writes embedding files: pictures with a record of their content."""

import dataclasses
import hashlib
import html
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL.PngImagePlugin import PngInfo

from iicnet_jax.core import json_files
from iicnet_jax.core.files import to_json
from iicnet_jax.imaging.carrier import Carrier
from iicnet_jax.imaging.picture_reader import MAX_PIXELS, Picture, read_picture
from iicnet_jax.media import diagnosis
from iicnet_jax.media.picture_file import LOSSLESS, LOSSY, check_sides, write_picture

FORMAT_VERSION = 1
CHUNK = "iicnet"  # keyword of the PNG's iTXt chunk
# A record of still images has about 300 characters; `about` may hold a few thousand numbers.
MAX_LENGTH = 65536
MAX_IMAGES = 1000
MAX_SIDE = 2**20
TASK = re.compile(r"[A-Za-z0-9_.-]{1,64}")
SHA256 = re.compile(r"[0-9a-f]{64}")

# In a JPEG file the record is a comment, behind this; a comment is shorter than a record may be.
COMMENT = b"iicnet "
MAX_COMMENT = 65533
QUALITY = 90  # of JPEG files, where none is asked for

# WebP has no text chunks; its XMP packet is XML, in which the record is one attribute.
XMP_PACKET = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:iicnet="urn:iicnet" iicnet:record="{}"/>'
    "</rdf:RDF></x:xmpmeta>"
)
XMP_RECORD = re.compile(rb'\biicnet:record\s*=\s*"([^"<]*)"')


@dataclasses.dataclass(frozen=True)
class Record:
    """What an embedding file says of itself.

    Raises:
      ValueError: a field has the wrong type, or a value out of its range.
    """

    task: str  # a short name: letters, digits, _ . and -
    images: int  # how many were embedded
    size: tuple[int, int]  # their height and width
    channels: int  # of the embedding: 3, or 1 for grey
    model: str  # fingerprint of the network that embedded them
    pixels: str  # fingerprint of the embedding's pixels
    about: Mapping[str, Any] = dataclasses.field(default_factory=dict)  # what the task adds

    def __post_init__(self):
        json_files.check(vars(self), FORM)

    def matches(self, pixels: UInt8[np.ndarray, "h w k"]) -> bool:
        """Whether these are the pixels that were embedded."""
        return self.pixels == pixel_fingerprint(pixels)

    def to_json(self) -> str:
        """One line of ASCII."""
        return to_json({"format": FORMAT_VERSION, **dataclasses.asdict(self)})

    @classmethod
    def from_json(cls, text: str | bytes) -> "Record":
        """Reads untrusted text. Raises ValueError unless it is a record of this version."""
        if len(text) > MAX_LENGTH:
            raise ValueError(f"it has {len(text)} characters, and at most {MAX_LENGTH} are read")
        fields = {"format": None, "about": {}} | json_files.parse(text)
        json_files.check(fields, {"format": lambda value: is_integer(value, 1, 2**31)})
        if (version := fields["format"]) > FORMAT_VERSION:
            raise ValueError(
                f"it has the format {version}, and this program reads up to {FORMAT_VERSION}: "
                "use a newer iicnet_jax"
            )
        if isinstance(fields.get("size"), list):
            fields["size"] = tuple(fields["size"])
        json_files.check(fields, FORM)
        # Fields that are not known may be added without a new version.
        return cls(**{name: fields[name] for name in FORM})


def describe(
    pixels: UInt8[np.ndarray, "h w k"],
    *,
    task: str,
    images: int,
    size: tuple[int, int],
    model: str,
    about: Mapping[str, Any] | None = None,
) -> Record:
    """The record of an embedding; see `Record` for the fields. Raises ValueError likewise."""
    return Record(
        task, images, size, pixels.shape[2], model, pixel_fingerprint(pixels), about or {}
    )


def pixel_fingerprint(pixels: UInt8[np.ndarray, "h w k"]) -> str:
    """SHA-256 of the line "height width channels" and the samples, row by row."""
    digest = hashlib.sha256(" ".join(map(str, pixels.shape)).encode() + b"\n")
    digest.update(np.ascontiguousarray(pixels).reshape(-1))
    return digest.hexdigest()


def is_lossy(path: Path) -> bool:
    """Whether an embedding file of that name loses something: a JPEG."""
    return path.suffix.lower() in LOSSY


def as_read(
    path: Path, pixels: UInt8[np.ndarray, "h w k"], quality: int = QUALITY
) -> UInt8[np.ndarray, "h w k"]:
    """What is read of an embedding that is written to a file of that name, of that JPEG quality.

    Raises UserError if it is too large for the format.
    """
    check_sides(path, pixels.shape)
    return Carrier("jpeg", quality)(pixels) if is_lossy(path) else pixels


def write_embedding(
    path: Path, pixels: UInt8[np.ndarray, "h w k"], record: Record, quality: int = QUALITY
) -> None:
    """Writes a PNG, lossless WebP or JPEG file with its record, as `write_picture`.

    `record`: of the pixels as they are read from the file. `quality`: of a JPEG file, 1 to 100.

    Raises:
      UserError: as `write_picture`.
      ValueError: the record is that of other pixels, or too long.
    """
    text = record.to_json()
    longest = MAX_COMMENT - len(COMMENT) if is_lossy(path) else MAX_LENGTH
    if len(text) > longest:
        raise ValueError(f"a record has at most {longest} characters, not {len(text)}")
    if not record.matches(as_read(path, pixels, quality)):
        raise ValueError("the record describes other pixels")
    options: dict[str, Any]
    if is_lossy(path):
        comment = COMMENT + text.encode()
        options = {**Carrier("jpeg", quality).options, "comment": comment}
    elif path.suffix.lower() == ".webp":
        options = {"xmp": XMP_PACKET.format(html.escape(text)).encode()}
    else:
        chunks = PngInfo()
        chunks.add_itxt(CHUNK, text)
        options = {"pnginfo": chunks}
    write_picture(path, pixels, **options)


@dataclasses.dataclass(frozen=True)
class EmbeddingFile:
    """A file that was read, whatever its state."""

    path: Path
    pixels: UInt8[np.ndarray, "h w k"]
    record: Record | None
    format: str  # of the picture: PNG, WEBP, ...
    problem: str | None  # why the images may not come back, a clause about the file
    # The same where the network survives compression, None if it is too much for that as well.
    tolerable: str | None = None
    quality: int | None = None  # from which a JPEG file seems to come, 1 to 100


def examine(path: Path, *, max_pixels: int = MAX_PIXELS) -> EmbeddingFile:
    """Reads an embedding file and says what is wrong with it. Raises UserError if no picture."""
    # EXIF data may ask viewers to turn the picture; the pixels that were written are those stored.
    picture = read_picture(path, max_pixels=max_pixels, upright=False)
    pixels = picture.pixels
    quality = diagnosis.jpeg_quality(path) if picture.format == "JPEG" else None
    loss = diagnosis.compression(path, picture)
    try:
        record = _find_record(picture)
    except ValueError as error:
        problem = f"has a record that cannot be used: {error}"
        return EmbeddingFile(path, pixels, None, picture.format, problem, None, quality)
    problem = tolerable = None
    if record is None:
        if picture.format not in LOSSLESS.values():
            problem = (
                f"is a {picture.format} file without a record: embeddings are PNG or lossless "
                "WebP files, and only what some models embed survives another format"
            )
        tolerable = (
            f"has no record of what was embedded ({loss or picture.format}): nothing shows whether "
            "this model embedded it, or whether it was resized or cropped since"
        )
        return EmbeddingFile(path, pixels, None, picture.format, problem, tolerable, quality)
    pixels = with_channels(pixels, record.channels)
    if pixels is None or not record.matches(pixels):
        pixels = picture.pixels if pixels is None else pixels
        happened = diagnosis.in_picture(path, picture, record.size, record.channels)
        problem = (
            f"has been changed since it was written: {happened}. The images do not come back as "
            "they were: look for the original file"
        )
        if not diagnosis.resized(picture.pixels.shape[:2], record.size):
            how = f"compressed again ({loss})" if loss else "changed, at the same size,"
            tolerable = (
                f"has been {how} since it was written: the images come back less exactly than from "
                "the original file"
            )
    return EmbeddingFile(path, pixels, record, picture.format, problem, tolerable, quality)


def inspect(path: Path, *, max_pixels: int = MAX_PIXELS) -> dict:
    """What an embedding file says of itself, for printing and as JSON.

    `record` is None where there is none; `intact` says whether the pixels are those that were
    embedded, None without a record; `problem` says why the images may not come back, and
    `tolerable` what is to be told instead where the network survives compression. `quality` is that
    from which a JPEG file seems to come.

    Raises:
      UserError: the file is no picture.
    """
    return facts(examine(path, max_pixels=max_pixels))


def facts(file: EmbeddingFile) -> dict:
    """The same of a file that was examined."""
    height, width = file.pixels.shape[:2]
    return {
        "file": str(file.path),
        "format": file.format,
        "height": height,
        "width": width,
        "record": None if file.record is None else dataclasses.asdict(file.record),
        "intact": None if file.record is None else file.record.matches(file.pixels),
        "problem": file.problem,
        "tolerable": file.tolerable,
        "quality": file.quality,
    }


def with_channels(pixels: UInt8[np.ndarray, "h w k"], channels: int):
    """The same picture with 1 or 3 channels; None if it has colours that one channel cannot hold.

    Programs that save space store grey pixels once, and WebP stores them three times.
    """
    if pixels.shape[2] == channels:
        return pixels
    if channels == 3:
        return np.repeat(pixels, 3, axis=2)
    grey = pixels[..., :1]
    return grey if (pixels == grey).all() else None


def _find_record(picture: Picture) -> Record | None:
    """Raises ValueError if there is a record that cannot be used."""
    if picture.format == "WEBP":
        packet = picture.metadata.get("xmp", b"")
        found = XMP_RECORD.search(packet[: 8 * MAX_LENGTH])
        text = html.unescape(found[1].decode("utf-8", "replace")) if found else None
    elif picture.format == "JPEG":
        comment = picture.metadata.get("comment", b"")
        found = isinstance(comment, bytes) and comment.startswith(COMMENT)
        text = comment.removeprefix(COMMENT).decode("utf-8", "replace") if found else None
    else:
        text = picture.metadata.get(CHUNK)
    return None if text is None else Record.from_json(text)


def is_integer(value, least: int, greatest: int) -> bool:
    """Whether a value from a file is a whole number in that range."""
    # For Python, True is an integer.
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= greatest


def _is_text(value, pattern: re.Pattern) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


FORM = {
    # One less: the record is around it.
    "about": lambda value: (
        isinstance(value, Mapping) and json_files.is_shallow(value, json_files.MAX_DEPTH - 1)
    ),
    "channels": lambda value: is_integer(value, 1, 3) and value != 2,
    "images": lambda value: is_integer(value, 1, MAX_IMAGES),
    "model": lambda value: _is_text(value, SHA256),
    "pixels": lambda value: _is_text(value, SHA256),
    "size": lambda value: (
        isinstance(value, tuple)
        and len(value) == 2
        and all(is_integer(side, 1, MAX_SIDE) for side in value)
    ),
    "task": lambda value: _is_text(value, TASK),
}
