"""Writes files and folders atomically: whole or not at all."""

import contextlib
import fcntl
import json
import math
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from iicnet_jax.core.errors import UserError

# Temporary folders of ours. Short, so that a file may have the longest name that a disk takes.
TEMPORARY = ".iicnet."
_open_workspaces: set[Path] = set()


def typed_path(text: str) -> Path:
    """A path as a person types it: a leading ~ is the home folder, as in a shell."""
    return Path(os.path.expanduser(text))


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """An OSError of the body becomes a UserError which says that `path` cannot be written."""
    try:
        yield
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}") from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a temporary path, and moves the file there to `path` if the body succeeds.

    Where `path` is a symbolic link, the file that it leads to is replaced. The folder is made if
    need be. After an error nothing is left and an older file stays. The folder of the temporary
    path is on the same disk and private: the body may keep other files there, which go.

    Raises:
      UserError: the disk refuses, also in the body.
    """
    target = Path(os.path.realpath(path))
    with disk_errors(path), workspace(target.parent) as folder:
        temporary = folder / f"new{target.suffix}"
        yield temporary
        # Libraries may have made it private to the user.
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)


@contextlib.contextmanager
def filling(folder: Path) -> Iterator[Path]:
    """Gives a temporary folder, and moves its files into `folder` if the body succeeds.

    The folder is made if need be; of older files in it, those of the same names are replaced, as
    `replacing` does. After an error in the body nothing is left and older files stay.

    Raises:
      UserError: the disk refuses, also in the body.
    """
    target = Path(os.path.realpath(folder))
    # On the same disk, where a move is a renaming.
    with disk_errors(folder), workspace(target if target.exists() else target.parent) as place:
        temporary = place / "new"
        temporary.mkdir()
        yield temporary
        if not target.exists():
            temporary.replace(target)
            return
        for path in sorted(temporary.iterdir()):
            if (target / path.name).is_symlink():
                with replacing(target / path.name) as copy:
                    shutil.copyfile(path, copy)
            else:
                path.replace(target / path.name)


@contextlib.contextmanager
def workspace(place: Path, prefix: str = TEMPORARY) -> Iterator[Path]:
    """A private folder in `place`, which is made if need be; it is removed after the body.

    Those of programs that were killed are removed as well.
    """
    place.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(place, prefix)
    # It gets its name when it is locked: until then, nobody removes it.
    made = Path(tempfile.mkdtemp(prefix=f".new{prefix}", dir=place))
    handle = os.open(made, os.O_RDONLY)
    folder = made
    try:
        with contextlib.suppress(OSError):  # some disks have no locks, and keep what is left over
            fcntl.flock(handle, fcntl.LOCK_SH)  # released when the process ends, however it ends
        folder = made.rename(place / f"{prefix}{made.name.removeprefix(f'.new{prefix}')}")
        _open_workspaces.add(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _open_workspaces.discard(folder)
        os.close(handle)


def _remove_leftovers(place: Path, prefix: str) -> None:
    for path in place.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):  # held, just removed, or another user's
            handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path)
            finally:
                os.close(handle)


def writing() -> bool:
    """Whether something half-written would be left if the process ended now."""
    return bool(_open_workspaces)


_UMASK_LOCK = threading.Lock()


def _umask() -> int:
    """What ordinary files are made without."""
    with _UMASK_LOCK:  # reading it means to set it, for all threads
        umask = os.umask(0)
        os.umask(umask)
    return umask


def write_text(path: Path, text: str) -> None:
    """Writes a text file whole or not at all. Raises UserError as `replacing`."""
    with replacing(path) as temporary:
        # Names of files may have bytes that are no text.
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path: Path, value) -> None:
    """Writes a JSON file whole or not at all; infinite and undefined numbers become null."""
    write_text(path, to_json(value, indent=2) + "\n")


def to_json(value, **options) -> str:
    """JSON text, with null for infinite and undefined numbers, which JSON does not have."""
    return json.dumps(_finite(value), allow_nan=False, **options)


def _finite(value):
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
