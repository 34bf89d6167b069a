"""Hidden pictures as the bytes of an image codec in the lowest bits of the reference.

The classical way, and a baseline: nothing is learnt. What the reference does not show is
compressed by AVIF or JPEG 2000, at the greatest quality whose bytes fit, and the bytes replace the
lowest one, two or three bits of the reference's samples. A lossless file keeps them; any other
destroys all of it.

What is stored, after the reference has been reduced or made grey where the embedding is to be so:
  - of a grey embedding of full size, the colours Cb and Cr of the first image (BT.601);
  - of one of half the size, the difference of the first image to its bicubic enlargement;
  - all other images, as they are.

Unlike networks it works on uint8 arrays, on the host, and has no parameters. It has the methods of
`inference.tiling.Tiled`. docs/formats.md describes the bits.
"""

import hashlib
import struct
import zlib
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Shaped, UInt8

from iicnet_jax.core.errors import Destroyed, UserError, explaining, require_choice
from iicnet_jax.imaging.colour import luma
from iicnet_jax.imaging.compression import CODECS, Pictures, compress, decompress
from iicnet_jax.imaging.resizing import half_size, imresize

NAME = "low_bits"
BEST = "best"  # of the codecs, for each embedding
REDUCTIONS = ("none", "bicubic", "mean")
MOST_BITS = 3
FORMAT_VERSION = 1
# One for all: an embedding says itself how it was made. Embedding files name it as their model.
FINGERPRINT = hashlib.sha256(f"{NAME} {FORMAT_VERSION}".encode()).hexdigest()

# What `iicnet --model low_bits:TASK` stands for.
TASKS: dict[str, dict] = {
    "hiding": {},
    "grayscale": {"num_images": 1, "embedding_channels": 1},
    "rescaling": {"num_images": 1, "downscaling": "bicubic"},
    "stereo": {},
    "video": {"num_images": 5},
}

MAGIC = b"LowB"
# Magic, version, bits, codec, scale; images, height, width, length, checksum.
HEADER = struct.Struct(">4sBBBBHIIII")
HEADER_BITS = 8 * HEADER.size
CODEC_NUMBERS = dict(enumerate(CODECS, start=1))
CB, CR = 1.772, 1.402  # B - Y and R - Y over Cb and Cr
MAX_SIDE = 2**20


class Header(NamedTuple):
    """What an embedding says of itself."""

    bits: int
    codec: str
    scale: int
    images: int
    size: tuple[int, int]  # height and width of the images
    length: int  # bytes that are stored


class LowBits:
    """Embeds a group of images in one, and restores them; facts of the same names as `Network`.

    Args:
      num_images: N; the first is the reference.
      embedding_channels: 3 for a colour embedding, 1 for a grey one.
      downscaling: "none", or how the reference is halved: "bicubic" or "mean" (of 2x2 pixels).
      bits: lowest bits of a sample that may be used, 1 to 3; no more are than need be. A sample
        moves by at most half of 2^bits levels, near 0 and 255 by up to 2^bits - 1.
      codec: "avif", "jpeg2000", or the "best" of both for each embedding.

    Raises:
      ValueError: an argument is out of range.
    """

    self_describing = True  # an embedding has a header with a checksum, and needs no record

    def __init__(
        self,
        num_images: int = 2,
        embedding_channels: int = 3,
        downscaling: str = "none",
        bits: int = 1,
        codec: str = BEST,
    ):
        require_choice("downscaling", downscaling, REDUCTIONS)
        require_choice("embedding_channels", embedding_channels, (1, 3))
        require_choice("bits", bits, range(1, MOST_BITS + 1))
        require_choice("codec", codec, (BEST, *CODECS))
        if not 1 <= num_images <= 1000:
            raise ValueError(f"num_images is {num_images}, but must be from 1 to 1000")
        self.num_images = num_images
        self.embedding_channels = embedding_channels
        self.downscaling = downscaling
        self.scale = 1 if downscaling == "none" else 2
        self.bits = bits
        self.codecs = tuple(CODECS) if codec == BEST else (codec,)
        self._size: tuple[int, int] | None = None  # of the images, where it is known

    @property
    def model(self) -> "LowBits":
        """Itself, as `Tiled.model` is the network of which these are the facts."""
        return self

    def embedding_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the embedding of images of that height and width."""
        return -(-height // self.scale), -(-width // self.scale)

    def fits(self, shape: tuple[int, int], size: tuple[int, int]) -> bool:
        """Whether an embedding of that shape may be one of images of that size."""
        return shape == self.embedding_size(*size)

    def images_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the images in an embedding of that height and width."""
        return self._size or (height * self.scale, width * self.scale)

    def embed(self, frames: Pictures, dtype: type = np.float32) -> Shaped[np.ndarray, "h2 w2 k"]:
        """The embedding: whole numbers from 0 to 255, of the given type.

        Raises:
          UserError: the images are too small to hold what is to be stored, or a codec is missing.
        """
        size = frames.shape[1:3]
        cover = self._cover(frames[0])
        samples = cover.reshape(-1)
        rest = max(0, samples.size - HEADER_BITS)
        room = rest * self.bits // 8
        codec, data = self._compressed(self._stored(frames, cover), room)
        if data is None or not rest:
            raise UserError(
                f"images of {size[1]}x{size[0]} pixels are too small to hide anything in their "
                f"lowest bits ({room} bytes): use larger ones or more bits"
            )
        # Where a codec comes as close as it can with less, fewer bits cost less.
        bits = max(1, -(-8 * len(data) // rest))
        _write(samples[HEADER_BITS:], data, bits)
        number = {name: number for number, name in CODEC_NUMBERS.items()}[codec]
        fields = (MAGIC, FORMAT_VERSION, bits, number, self.scale)
        header = HEADER.pack(*fields, self.num_images, *size, len(data), 0)
        checksum = zlib.crc32(samples[HEADER_BITS:].data, zlib.crc32(header))
        _write(samples[:HEADER_BITS], header[:-4] + checksum.to_bytes(4, "big"), 1)
        return cover.astype(dtype)

    def restore(
        self, embedding: np.ndarray, size: tuple[int, int], position: tuple[int, int] = (0, 0)
    ) -> UInt8[np.ndarray, "n h w 3"]:
        """The images, as the codec kept them; the first as the embedding shows it.

        Args:
          embedding: uint8, or floats that are rounded; not changed since it was made.
          size: height and width of the images.
          position: is not used; for networks, see `Network.restore`.

        Raises:
          Destroyed: the embedding was changed.
          UserError: it holds another number of images, or images of another size.
        """
        cover = np.clip(np.round(embedding), 0, 255).astype(np.uint8)
        header = read_header(cover)
        if (header.images, header.size, header.scale) != (self.num_images, size, self.scale):
            raise UserError(
                f"the embedding holds {header.images} images of {header.size[1]}x{header.size[0]} "
                f"at 1/{header.scale} of their size, not {self.num_images} of {size[1]}x{size[0]} "
                f"at 1/{self.scale}: use --model {NAME}:images={header.images}"
            )
        data = _read(cover.reshape(-1)[HEADER_BITS:], header.length, header.bits)
        count = self.num_images - 1 + self._parts
        stored = np.empty((0, *size, 3), np.uint8)
        if count:
            stored = decompress(data, header.codec, (count, *size))
        first = self._first(cover, stored[: self._parts])
        return np.concatenate([first[None], stored[self._parts :]])

    def for_embedding(self, pixels: UInt8[np.ndarray, "h w k"]) -> "LowBits":
        """The method with which an embedding was made, whatever this one's arguments are.

        A grey embedding may come in three equal channels.

        Raises:
          Destroyed: there is no header, or the pixels were changed.
        """
        pixels = _with_its_channels(pixels)
        header = read_header(pixels)
        reduction = "none" if header.scale == 1 else "bicubic"
        method = LowBits(header.images, pixels.shape[2], reduction, header.bits, header.codec)
        method._size = header.size
        return method

    @property
    def _parts(self) -> int:
        """How many pictures store what the embedding does not show of the first image."""
        if self.scale == 2:
            return 1
        return 2 if self.embedding_channels == 1 else 0

    def _cover(self, first) -> UInt8[np.ndarray, "h2 w2 k"]:
        if self.scale == 2:
            first = half_size(first, bicubic=self.downscaling == "bicubic")
        return np.array(luma(first) if self.embedding_channels == 1 else first, order="C")

    def _stored(self, frames, cover) -> Pictures:
        first = frames[0].astype(np.float32)
        if self.scale == 2:
            parts = [128 + first - self._enlarged(cover, frames.shape[1:3])]
        elif self.embedding_channels == 1:
            # A grey picture costs a codec of colours next to nothing more.
            differences = ((first[..., 2:] - cover) / CB, (first[..., :1] - cover) / CR)
            parts = [128 + np.repeat(difference, 3, axis=2) for difference in differences]
        else:
            parts = []
        return np.concatenate([*(_to_uint8(part)[None] for part in parts), frames[1:]])

    def _first(self, cover, parts) -> UInt8[np.ndarray, "h w 3"]:
        """The first image, from the embedding and what `_stored` adds to it."""
        differences = parts.astype(np.float32) - 128
        if self.scale == 2:
            (difference,) = differences
            return _to_uint8(self._enlarged(cover, difference.shape[:2]) + difference)
        if self.embedding_channels == 1:
            blue, red = CB * differences[0], CR * differences[1]
            # The luma of the three differences together is nothing.
            green = -(0.299 * red + 0.114 * blue) / 0.587
            return _to_uint8(cover + np.stack([red, green, blue], axis=-1)[..., 0, :])
        return cover

    def _enlarged(self, cover, size) -> UInt8[np.ndarray, "h w 3"]:
        height, width = cover.shape[:2]
        colours = np.broadcast_to(cover, (height, width, 3))
        return imresize(colours, 2 * height, 2 * width)[: size[0], : size[1]]

    def _compressed(self, pictures, room) -> tuple[str, bytes | None]:
        """The codec that comes closest, and its bytes; none where nothing fits."""
        if not len(pictures):
            return self.codecs[0], b""
        shape = pictures.shape[:3]
        found = [(codec, compress(pictures, room, codec)) for codec in self.codecs]
        found = [item for item in found if item[1] is not None]

        def error(item):
            codec, data = item
            return np.mean((decompress(data, codec, shape).astype(np.float32) - pictures) ** 2)

        return min(found, key=error) if found else ("", None)


def is_name(model: str) -> bool:
    """Whether `from_name` takes it: low_bits, or low_bits:OPTIONS."""
    return model.partition(":")[0] == NAME


def from_name(model: str) -> tuple[LowBits, str]:
    """The method that a name stands for, and its task.

    `low_bits` hides a picture in another; low_bits:OPTIONS has, separated by commas, a task of
    `TASKS`, bits=N, images=N and codec=NAME, such as low_bits:video,bits=1.

    Raises:
      UserError: an option is unknown or out of range.
    """
    task = "hiding"
    options: dict[str, Any] = {}
    for option in filter(None, model.partition(":")[2].split(",")):
        key, _, value = option.partition("=")
        if option in TASKS:
            task = option
        elif key in ("bits", "images") and value.isdecimal() and len(value) < 5:
            options["num_images" if key == "images" else key] = int(value)
        elif key == "codec":
            options[key] = value
        else:
            raise UserError(
                f"{model}: {option!r} is unknown; options, separated by commas, are a task "
                f"({', '.join(TASKS)}), bits=1 to bits={MOST_BITS}, images=N and "
                f"codec={', codec='.join((BEST, *CODECS))}"
            )
    with explaining(model):
        return LowBits(**TASKS[task] | options), task


def find_header(pixels: UInt8[np.ndarray, "h w k"]) -> Header | None:
    """What `read_header` reads in a picture of any origin, None if that is nothing."""
    try:
        return read_header(_with_its_channels(pixels))
    except Destroyed:
        return None


def read_header(pixels: UInt8[np.ndarray, "h w k"]) -> Header:
    """What an embedding says of itself.

    Raises:
      Destroyed: there is no header, or the pixels are not those that were embedded.
    """
    samples = np.ascontiguousarray(pixels).reshape(-1)
    header = b"" if samples.size < HEADER_BITS else _read(samples[:HEADER_BITS], HEADER.size, 1)
    if not header.startswith(MAGIC):
        raise Destroyed(
            f"the embedding holds nothing that {NAME} can read: another model made it, or it was "
            "compressed (JPEG), resized or edited since, which leaves nothing of what was in it. "
            "Look for the original file"
        )
    _, version, bits, number, scale, images, height, width, length, checksum = HEADER.unpack(header)
    if version > FORMAT_VERSION:
        raise Destroyed(
            f"the embedding has the format {version} of {NAME}, and this version reads "
            f"{FORMAT_VERSION}: use a newer iicnet_jax"
        )
    blank = header[:-4] + bytes(4)
    rest = samples[HEADER_BITS:]
    sound = (
        checksum == zlib.crc32(rest.data, zlib.crc32(blank))
        and 1 <= bits <= MOST_BITS
        and number in CODEC_NUMBERS
        and scale in (1, 2)
        and 1 <= images <= 1000
        and 1 <= min(height, width) <= max(height, width) <= MAX_SIDE
        and pixels.shape[:2] == (-(-height // scale), -(-width // scale))
        and 8 * length <= bits * rest.size
    )
    if not sound:
        raise Destroyed(
            "the embedding was changed since it was made: its checksum does not fit. What was in "
            "its lowest bits is lost: look for the original file"
        )
    return Header(bits, CODEC_NUMBERS[number], scale, images, (height, width), length)


def _write(samples: UInt8[np.ndarray, " s"], data: bytes, bits: int) -> None:
    """Puts bytes into the lowest bits of samples, evenly spread; each moves as little as may be."""
    stream = np.unpackbits(np.frombuffer(data, np.uint8))
    groups = np.pad(stream, (0, -stream.size % bits)).reshape(-1, bits)
    places = _places(samples.size, len(groups))
    step = 1 << bits
    lowest = np.packbits(groups, axis=1).reshape(-1) >> (8 - bits)
    before = samples[places].astype(np.int16)
    after = before // step * step + lowest
    # A neighbour with the same bits may be closer; of two that are not, the upper bits stay.
    after = after - step * ((after - before > step // 2) & (after >= step))
    after = after + step * ((before - after > step // 2) & (after + step <= 255))
    samples[places] = after.astype(np.uint8)


def _read(samples: UInt8[np.ndarray, " s"], length: int, bits: int) -> bytes:
    """The bytes that `_write` put there."""
    places = _places(samples.size, -(-8 * length // bits))
    lowest = samples[places] << (8 - bits)
    stream = np.unpackbits(lowest[:, None], axis=1, count=bits).reshape(-1)
    return np.packbits(stream[: 8 * length]).tobytes()


def _with_its_channels(pixels):
    """An embedding as it was made: three equal channels were a grey one."""
    grey = pixels[..., :1]
    return grey if (pixels == grey).all() else pixels


def _places(samples: int, count: int) -> np.ndarray:
    """So many places, evenly spread."""
    return np.arange(count) * samples // max(count, 1)


def _to_uint8(values) -> np.ndarray:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)
