"""Checks output paths before expensive work starts, then writes folders of pictures."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from iicnet_jax.core.errors import UserError
from iicnet_jax.core.files import TEMPORARY, filling
from iicnet_jax.media.grouping import Frame

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

    A symbolic link stands for the file that it leads to; one that leads nowhere exists, too.

    Raises:
      UserError: another suffix, a folder or a device in its place, a file there (without
        `overwrite`), a name that is too long, or a folder that cannot be written to.
    """
    if path.suffix.lower() not in suffixes:
        forms = [x or "no suffix, for a folder of pictures" for x in suffixes]
        raise UserError(f"{path} must end in {' or '.join(forms)}")
    if os.path.isdir(path):
        raise UserError(f"{path} is a folder: name a file")
    if os.path.exists(path) and not os.path.isfile(path):
        raise UserError(f"{path} is no ordinary file: name another file")
    if os.path.lexists(path) and not overwrite:
        raise UserError(f"{path} {_there(path)}: name another file, or pass --overwrite")
    _check_writable(path)


def check_folder(folder: Path, overwrite: bool, names: Sequence[str] | None = None) -> None:
    """The same for a folder that will get files of these `names`; None stands for any names.

    Raises:
      UserError: a file in its place, a folder in the place of a file, files there (without
        `overwrite`), a name that is too long, or no right to write.
    """
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise UserError(f"{folder} is a file: name a folder")
    _check_writable(folder)
    if not folder.exists():
        if folder.is_symlink() and not overwrite:
            raise UserError(f"{folder} {_there(folder)}: name another folder, or pass --overwrite")
        return
    there = [
        path
        for path in sorted(folder.iterdir())
        if (path.name in names if names is not None else not path.name.startswith(TEMPORARY))
    ]
    for path in there:
        if names is not None and path.is_dir():
            raise UserError(f"{path} is a folder: name another folder")
    if there and not overwrite:
        listed = ", ".join(path.name for path in there[:3])
        raise UserError(
            f"{folder} already holds {listed}: name another folder, or pass --overwrite"
        )


def _there(path: Path) -> str:
    return (
        "exists"
        if os.path.exists(path)
        else f"is a link to {os.readlink(path)}, which is not there"
    )


def _check_writable(path: Path) -> None:
    target = Path(os.path.realpath(path))
    place, missing = target.parent if os.path.isfile(target) else target, []
    while not os.path.exists(place):
        missing.append(place.name)
        place = place.parent
    if not place.is_dir():
        raise UserError(f"{path} cannot be written: {place} is a file")
    if not os.access(place, os.W_OK | os.X_OK):
        raise UserError(f"{path} cannot be written: {place} is read-only")
    for new in (target, *(place / name for name in missing)):
        try:
            os.lstat(new)
        except FileNotFoundError:
            pass
        except OSError as error:  # the disk does not take the name: too long, for most
            raise UserError(
                f"{path} cannot be written ({error.strerror}): choose another name"
            ) from error


def write_folder(
    folder: Path, pictures: Iterable[tuple[str, UInt8[np.ndarray, "h w 3"]]]
) -> tuple[Path, ...]:
    """Writes PNG files by name, all or none. Raises UserError if the disk refuses."""
    names = []
    with filling(folder) as temporary:
        for name, pixels in pictures:
            Image.fromarray(pixels).save(temporary / name, format="PNG")
            names.append(name)
    return tuple(folder / name for name in names)


def write_frames(folder: Path, frames: Iterable[Frame]) -> tuple[Path, ...]:
    """Writes 000000.png, 000001.png, ... Raises UserError as `write_folder`."""
    return write_folder(folder, ((f"{i:06d}.png", frame) for i, frame in enumerate(frames)))
