"""Files that are either written whole or not at all."""

import contextlib
import json
import math
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a temporary path beside `path`, and renames it to `path` if the body succeeds.

    The folder is made if need be. After an error nothing is left and an older file stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # Only now: the body may have put another file in its place, private to the user.
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def filling(folder: Path) -> Iterator[Path]:
    """Gives a temporary folder, and moves its files into `folder` if the body succeeds.

    The folder is made if need be; of older files in it, those of the same names are replaced.
    After an error in the body nothing is left and older files stay.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    # On the same disk, where a move is a renaming.
    place = folder if folder.exists() else folder.parent
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=place))
    temporary.chmod(0o777 & ~_umask())
    try:
        yield temporary
        if folder.exists():
            for path in sorted(temporary.iterdir()):
                path.replace(folder / path.name)
        else:
            temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


_UMASK_LOCK = threading.Lock()


def _umask() -> int:
    """Temporary files are private to the user; results are ordinary files."""
    with _UMASK_LOCK:  # reading it means to set it, for all threads
        umask = os.umask(0)
        os.umask(umask)
    return umask


def write_text(path: Path, text: str) -> None:
    """Writes a text file whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


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
