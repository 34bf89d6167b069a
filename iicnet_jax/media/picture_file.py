"""Reads untrusted picture files into 8-bit RGB; writes PNG and lossless WebP."""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from iicnet_jax.core.errors import UserError
from iicnet_jax.core.files import replacing
from iicnet_jax.media.outputs import check_file

LOSSLESS = {".png": "PNG", ".webp": "WEBP"}
WEBP_SIDE = 16383


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
