"""Groups of N images in a folder of one's own.

A group is a sub-folder of N images, or the files whose names have the same {group} in a pattern
like "{group}_{image}.png". Groups in folders named train, validation and test belong to these
splits; without such folders, of the groups sorted by name the last tenth tests (at least one), the
tenth before it validates, the others train. Images are in the order of their names; one of them,
by default the first, is the reference. For a network that scales down it is halved.
"""

import re
from pathlib import PurePosixPath

from iicnet_jax.core.errors import UserError
from iicnet_jax.data.aligned import AlignedImages
from iicnet_jax.data.storage import Dataset, Store
from iicnet_jax.data.task import SPLITS
from iicnet_jax.imaging.picture_reader import SUFFIXES

FIELDS = ("group", "image")
# Names of files in a message.
SHOWN = 10


def _in_any_case(text: str) -> str:
    """A pattern of file names for a text in capitals or not."""
    return "".join(f"[{letter}{letter.upper()}]" if letter.isalpha() else letter for letter in text)


class CustomFolder(AlignedImages):
    """Groups of images of one's own.

    Args:
      pattern: of file names, with {group} and {image}; empty where a group is a sub-folder.
      reference: which image of a group is the reference, counted from 0.
    """

    ONE_SIZE = True
    OPTIONS = ("pattern", "reference")
    DATASET = Dataset(
        name="custom_folder",
        counts={},
        parts={"images": tuple(f"**/*{_in_any_case(suffix)}" for suffix in SUFFIXES)},
        how_to_get=(
            "config.data.root must hold sub-folders of as many images as config.model.num_images "
            "says, or config.data.pattern must say how files are named; see docs/data.md"
        ),
    )

    def __init__(
        self,
        store: Store,
        num_images: int,
        crop: int,
        pattern: str = "",
        reference: int = 0,
        scale: int = 1,
    ):
        if not 0 <= reference < num_images:
            raise UserError(
                f"config.data.reference must be between 0 and {num_images - 1}, for groups of "
                f"{num_images} images, not {reference}"
            )
        super().__init__(store, num_images, crop, scale)
        self.reference = reference
        self._name_of_file = _compile(pattern) if pattern else None

    def _find_samples(self, split):
        if {PurePosixPath(folder).name for folder in self.store.folders(".")} >= set(SPLITS):
            groups = self._groups(split)
        else:
            found = self._groups(".")
            tenth = max(1, len(found) // 10)
            self._require(len(found) >= 3, f"{len(found)} groups of images, at least 3 are needed")
            groups = {
                "train": found[: -2 * tenth],
                "validation": found[-2 * tenth : -tenth],
                "test": found[-tenth:],
            }[split]
        self._require(bool(groups), f"there are no groups of images in {split}")
        return [self._reference_first(group) for group in groups]

    def _name(self, paths):
        if self._name_of_file is None:
            return PurePosixPath(paths[0]).parent.name
        return self._name_of_file.fullmatch(PurePosixPath(paths[0]).name)["group"]

    def _groups(self, folder):
        """Of every group in a folder, the paths of its images."""
        if self._name_of_file is None:
            groups = {path: self._images(path) for path in self.store.folders(folder)}
        else:
            groups = {}
            for path in self._images(folder):
                if match := self._name_of_file.fullmatch(PurePosixPath(path).name):
                    groups.setdefault(match["group"], []).append(path)
        for name, images in groups.items():
            self._require(
                len(images) == self.num_images,
                f"{name} has {len(images)} images instead of {self.num_images}{_named(images)}",
            )
        return [groups[name] for name in sorted(groups)]

    def _images(self, folder):
        paths = self.store.files(folder, "")
        return [path for path in paths if path.lower().endswith(SUFFIXES)]

    def _reference_first(self, group):
        others = [path for place, path in enumerate(group) if place != self.reference]
        return (group[self.reference], *others)


def _named(paths) -> str:
    names = [PurePosixPath(path).name for path in paths]
    more = ", ..." if len(names) > SHOWN else ""
    return f" ({', '.join(names[:SHOWN])}{more})" if names else ""


def _compile(pattern: str) -> re.Pattern:
    """A regular expression for file names, from a pattern with {group} and {image}."""
    parts = re.split(r"\{(\w+)\}", pattern)
    if sorted(parts[1::2]) != sorted(FIELDS):
        raise UserError(
            f"config.data.pattern is {pattern!r}, but must have {{group}} and {{image}} once each, "
            "like {group}_{image}.png"
        )
    parts[::2] = map(re.escape, parts[::2])
    parts[1::2] = (f"(?P<{name}>.+)" for name in parts[1::2])
    return re.compile("".join(parts))
