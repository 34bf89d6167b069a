"""SHA-256 of every file in a folder, in the folder, as `sha256sum -c SHA256SUMS` reads it."""

import hashlib
import re
from collections.abc import Collection
from pathlib import Path

NAME = "SHA256SUMS"
LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def write(folder: Path, leave_out: Collection[str] = ()) -> None:
    """Writes the checksums; of files right in the folder, some may be left out."""
    lines = [
        f"{_sha256(folder / name)}  {name}" for name in _names(folder) if name not in leave_out
    ]
    (folder / NAME).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def problem(folder: Path, leave_out: Collection[str] = ()) -> str | None:
    """The first difference between a folder and its checksums, None if there is none.

    Raises:
      FileNotFoundError: the folder has no checksums.
      OSError: a file cannot be read.
    """
    lines = (folder / NAME).read_text(encoding="utf-8", errors="replace").splitlines()
    found = [match for line in lines if (match := LINE.fullmatch(line))]
    if not found or len(found) < len(lines):
        return f"{NAME} is damaged"
    sums = {match[2]: match[1] for match in found}
    names = set(_names(folder)) - set(leave_out)
    if missing := sorted(sums.keys() - names):
        return f"{missing[0]} is missing"
    if unknown := sorted(names - sums.keys()):
        return f"{unknown[0]} is not in {NAME}"
    return next(
        (f"{name} was changed" for name, sha in sums.items() if _sha256(folder / name) != sha),
        None,
    )


def _names(folder: Path) -> list[str]:
    """Of all files but the checksums', with the folders that they are in."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [path.relative_to(folder).as_posix() for path in paths]
    # Systems leave hidden files of their own.
    return [name for name in names if name != NAME and not name.rpartition("/")[2].startswith(".")]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
