"""Where a dataset's files are: the interface, and a folder on disk."""

import abc
import dataclasses
import functools
import logging
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from iicnet_jax.core import json_files
from iicnet_jax.core.errors import UserError, explaining
from iicnet_jax.core.files import typed_path
from iicnet_jax.data import videos
from iicnet_jax.imaging import RGB
from iicnet_jax.imaging.picture_reader import picture_size, read_picture

# In the root of a dataset that is not the whole published one: {"counts": {...}}.
MINIATURE = "miniature.json"
# What macOS and Windows leave in folders, in lower case; hidden files begin with a dot.
JUNK = ("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "$recycle.bin")

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Dataset:
    """What has been published as one dataset.

    Attributes:
      name: of its TensorFlow Datasets builder.
      how_to_get: where it is published and where to put it; ends the messages about what is
        missing.
      counts: how much there is of what; a folder with other counts is not the dataset.
      parts: its images and videos by part, as patterns of paths below the root.
      texts: its text files, by their paths.
    """

    name: str
    how_to_get: str
    counts: Mapping[str, int]
    parts: Mapping[str, tuple[str, ...]]
    texts: tuple[str, ...] = ()


class Store(abc.ABC):
    """Files of a dataset by their path below its root, with slashes.

    The frames of a video have paths too, below that of the video: `walk.mp4/000012`.
    Every method raises UserError, naming the file or folder, if it is missing or broken.
    """

    dataset: Dataset
    counts: Mapping[str, int]  # the dataset's own, or those of a miniature of it

    @abc.abstractmethod
    def files(self, folder: str, suffix: str) -> list[str]:
        """Sorted paths of the files directly in a folder whose names end with `suffix`.

        Without what operating systems leave there, such as `._0.png` and `Thumbs.db`.
        """

    @abc.abstractmethod
    def folders(self, folder: str) -> list[str]:
        """Sorted paths of the folders directly in a folder, without hidden ones."""

    @abc.abstractmethod
    def frames(self, video: str) -> list[str]:
        """Paths of the frames of a video, in time order."""

    @abc.abstractmethod
    def read(self, path: str) -> RGB:
        """The decoded image, or something that decodes what is sliced out of it."""

    @abc.abstractmethod
    def size(self, path: str) -> tuple[int, int]:
        """Height and width, without decoding the image."""

    @abc.abstractmethod
    def lines(self, path: str) -> list[str]:
        """The lines of a text file."""


class FolderStore(Store):
    """A dataset as its publishers lay it out, in the folder `root`."""

    def __init__(self, root: str | Path, dataset: Dataset):
        self.root = typed_path(root)
        self.dataset = dataset

    @functools.cached_property
    def counts(self):
        path = self.root / MINIATURE
        if not path.is_file():
            return self.dataset.counts
        form = {"counts": dict.fromkeys(self.dataset.counts, int)}
        with explaining(
            f"{path} does not describe a miniature of {self.dataset.name}, write it anew with "
            "`iicnet data sample`"
        ):
            counts = json_files.parse(path.read_bytes(), form)["counts"]
        log.info("%s is a miniature of %s", self.root, self.dataset.name)
        return counts

    def files(self, folder, suffix):
        return self._children(folder, lambda path: path.name.endswith(suffix) and path.is_file())

    def folders(self, folder):
        return self._children(folder, Path.is_dir)

    def frames(self, video):
        count = videos.count_frames(self._require_file(video))
        return [f"{video}/{number:06d}" for number in range(count)]

    def read(self, path):
        video, frame = split_frame(path)
        if frame is None:
            return read_picture(self._require_file(path)).pixels
        return videos.read_frame(self.root / video, frame)

    def size(self, path):
        video, frame = split_frame(path)
        if frame is None:
            return picture_size(self._require_file(path))
        return videos.size(self.root / video)

    def lines(self, path):
        try:
            return self._require_file(path).read_text(encoding="utf-8-sig").splitlines()
        except UnicodeDecodeError as error:
            raise UserError(f"{self.root / path} is no text ({error}): replace the file") from error

    def _require_file(self, path):
        if not (self.root / path).is_file():
            raise UserError(f"{self.root / path} is missing: {self.dataset.how_to_get}")
        return self.root / path

    def _children(self, folder, wanted):
        directory = self.root / folder
        if not directory.is_dir():
            raise UserError(f"the folder {directory} does not exist: {self.dataset.how_to_get}")
        found = [path for path in directory.iterdir() if not is_junk(path.name) and wanted(path)]
        return [str(PurePosixPath(folder) / name) for name in sorted(path.name for path in found)]


def cached(store: Store, images: int | None = None) -> Store:
    """The same store, which keeps the decoded images that were read last: so many, None for all."""
    return _CachedStore(store, images)


@Store.register
class _CachedStore:
    def __init__(self, store, images):
        self.store = store
        self.images = images
        self.read = functools.lru_cache(maxsize=images)(store.read)

    def __reduce__(self):
        # A worker process begins with a cache of its own.
        return _CachedStore, (self.store, self.images)

    def __getattr__(self, name):
        return getattr(self.store, name)


def is_junk(name: str) -> bool:
    """Whether a file or folder is hidden, or one that operating systems leave everywhere."""
    return name.startswith(".") or name.lower() in JUNK


def split_frame(path: str) -> tuple[str, int | None]:
    """A video's path and the number of its frame, or an image's path and None."""
    parent, _, name = path.rpartition("/")
    return (parent, int(name)) if parent.endswith(videos.SUFFIX) else (path, None)
