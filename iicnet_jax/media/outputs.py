"""What a command may write: one file, or a folder of pictures, told before the long work."""

import os
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
      UserError: another suffix, or as `check_folder` and `check_file`.
    """
    if FOLDER in suffixes and path.suffix == FOLDER:
        check_folder(path, overwrite)
    else:
        check_file(path, suffixes, overwrite)
    return path.suffix.lower()


def check_file(path: Path, suffixes: Sequence[str], overwrite: bool) -> None:
    """Tells before the long work what would be wrong with a file at its end.

    Raises:
      UserError: another suffix, a folder in its place, a file there (without `overwrite`), or a
        folder that cannot be written to.
    """
    if path.suffix.lower() not in suffixes:
        forms = [x or "no suffix, for a folder of pictures" for x in suffixes]
        raise UserError(f"{path} must end in {' or '.join(forms)}")
    if path.is_dir():
        raise UserError(f"{path} is a folder: name a file")
    if path.exists() and not overwrite:
        raise UserError(f"{path} exists: name another file, or pass --overwrite")
    _check_writable(path)


def check_folder(folder: Path, overwrite: bool, names: Sequence[str] | None = None) -> None:
    """The same for a folder that will get files of these `names`; None stands for any names.

    Raises:
      UserError: a file in its place, a folder in the place of a file, files there (without
        `overwrite`), or no right to write.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file: name a folder")
    _check_writable(folder)
    if not folder.exists():
        return
    there = [path for path in sorted(folder.iterdir()) if names is None or path.name in names]
    for path in there:
        if names is not None and path.is_dir():
            raise UserError(f"{path} is a folder: name another folder")
    if there and not overwrite:
        listed = ", ".join(path.name for path in there[:3])
        raise UserError(
            f"{folder} already holds {listed}: name another folder, or pass --overwrite"
        )


def _check_writable(path: Path) -> None:
    place = path if path.is_dir() else path.absolute().parent
    while not place.exists():
        place = place.parent
    if not place.is_dir():
        raise UserError(f"{path} cannot be written: {place} is a file")
    if not os.access(place, os.W_OK | os.X_OK):
        raise UserError(f"{path} cannot be written: {place} is read-only")


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
