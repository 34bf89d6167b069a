"""Carriers: what a file of a usual format does to a picture. Written and read by Pillow, in memory.

Pictures are HWC uint8, of 3 channels (RGB) or 1 (grey).
"""

import dataclasses
import io
import re
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image, features

LOSSY = ("jpeg", "webp", "avif")
LOSSLESS = "png"
QUALITIES = range(1, 101)


@dataclasses.dataclass(frozen=True)
class Carrier:
    """A format, and for a lossy one a quality on the scale of its encoder.

    Args:
      form: one of `LOSSY`, or "png".
      quality: 1 to 100; None for "png".
      subsampling: of the chroma planes, "4:2:0" or "4:4:4"; WebP has the former alone.

    Raises:
      ValueError: the format is unknown or not supported by this Pillow, or the quality is none.
    """

    form: str
    quality: int | None = None
    subsampling: str = "4:2:0"

    def __post_init__(self):
        if self.form not in (LOSSLESS, *LOSSY):
            raise ValueError(f"{self.form!r} is no format of {LOSSLESS}, {', '.join(LOSSY)}")
        wanted = (None,) if self.form == LOSSLESS else QUALITIES
        if self.quality not in wanted:
            raise ValueError(f"{self.form} has a quality of 1 to 100 ({LOSSLESS} has none)")
        if self.form in ("webp", "avif") and not features.check(self.form):
            raise ValueError(f"this installation of Pillow cannot write {self.form}")

    def __str__(self):
        return f"{self.form}{self.quality or ''}"

    @property
    def options(self) -> dict[str, Any]:
        """Of Pillow's `save`."""
        options: dict[str, Any] = {} if self.form == LOSSLESS else {"quality": self.quality}
        if self.form in ("jpeg", "avif"):
            options["subsampling"] = self.subsampling
        return options

    def encode(self, pixels: UInt8[np.ndarray, "h w k"]) -> bytes:
        """The file."""
        file = io.BytesIO()
        image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
        image.save(file, format=self.form.upper(), **self.options)
        return file.getvalue()

    def __call__(self, pixels: UInt8[np.ndarray, "h w k"]) -> UInt8[np.ndarray, "h w k"]:
        """The picture as it is read from the file."""
        channels = pixels.shape[-1]
        with Image.open(io.BytesIO(self.encode(pixels))) as image:
            decoded = np.asarray(image.convert("L" if channels == 1 else "RGB"))
        return decoded.reshape(pixels.shape)


def parse(name: str) -> Carrier:
    """A carrier by its name: "png", "jpeg80", "webp80", "avif60". Raises ValueError."""
    found = re.fullmatch(r"([a-z]+)(\d{1,3})?", name)
    if not found:
        raise ValueError(f"{name!r} is no carrier: write a format and a quality, such as jpeg80")
    return Carrier(found[1], None if found[2] is None else int(found[2]))
