"""What a command may write: one file, or a folder of pictures, told before the long work."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from iicnet_jax.errors import UserError
from iicnet_jax.files import filling
from iicnet_jax.media.groups import Frame

FOLDER = ""  # the suffix of a folder


def check_form(path: Path, suffixes: Sequence[str], overwrite: bool) -> str:
    """The suffix of the result in lower case; `FOLDER` among `suffixes` allows a folder.

    Raises:
      UserError: another suffix, a file in the place of a folder or the other way round, or
        something is there already (without `overwrite`).
    """
    suffix = path.suffix.lower()
    if suffix not in suffixes:
        forms = [x or "no suffix, for a folder of pictures" for x in suffixes]
        raise UserError(f"{path} must end in {' or '.join(forms)}")
    if suffix == FOLDER and path.exists() and not path.is_dir():
        raise UserError(f"{path} is a file: name a folder, or a file that ends in {suffixes[0]}")
    if suffix != FOLDER and path.is_dir():
        raise UserError(f"{path} is a folder: name a file")
    if not overwrite and path.exists():
        if suffix != FOLDER:
            raise UserError(f"{path} exists: name another file, or pass --overwrite")
        if any(path.iterdir()):
            raise UserError(f"{path} is not empty: name another folder, or pass --overwrite")
    return suffix


def write_folder(
    folder: Path, pictures: Iterable[tuple[str, UInt8[np.ndarray, "h w 3"]]]
) -> tuple[Path, ...]:
    """Writes PNG files by name, all or none. Raises UserError if the disk refuses."""
    names = []
    try:
        with filling(folder) as temporary:
            for name, pixels in pictures:
                Image.fromarray(pixels).save(temporary / name, format="PNG")
                names.append(name)
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror or error}") from error
    return tuple(folder / name for name in names)


def write_frames(folder: Path, frames: Iterable[Frame]) -> tuple[Path, ...]:
    """Writes 000000.png, 000001.png, ... Raises UserError as `write_folder`."""
    return write_folder(folder, ((f"{i:06d}.png", frame) for i, frame in enumerate(frames)))
