"""Datasets as ArrayRecord files: TensorFlow Datasets builders, and reading what they wrote.

A builder takes the images of a dataset as its publishers lay it out (`manual_dir`) to ArrayRecord
files: each image file as it is, or cut into tiles, coded losslessly. `PreparedStore` reads them
back under their old paths, so that a task cannot tell them from the folder. TensorFlow itself is
not used.
"""

import contextlib
import dataclasses
import functools
import io
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

import tensorflow_datasets as tfds
from PIL import Image
from tqdm import tqdm

from iicnet_jax.core.errors import UserError
from iicnet_jax.core.files import typed_path
from iicnet_jax.data import tiles, videos
from iicnet_jax.data.storage import Dataset, FolderStore, Store, is_junk, split_frame
from iicnet_jax.imaging import RGB
from iicnet_jax.imaging.picture_reader import read_picture

# A prepared dataset is the folder with this file in it.
INFO = "dataset_info.json"


@dataclasses.dataclass
class Storage(tfds.core.BuilderConfig):
    """How images are stored: as files (tile is None), or in tiles of that side in pixels."""

    tile: int | None = None


class Builder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """The images of one dataset, part by part, in the order of their paths.

    A record is an image file or a tile. The metadata says where an image's records begin, and
    holds the dataset's text files and counts.
    """

    VERSION = tfds.core.Version("1.0.0")
    DATASET: Dataset

    def _info(self):
        return self.dataset_info_from_configs(
            description=f"{self.name} as published, for reversible image conversion",
            features=tfds.features.FeaturesDict({"image": tfds.features.Image()}),
            metadata=tfds.core.MetadataDict(),
            disable_shuffling=True,  # the order is how an image is found
        )

    def _split_generators(self, dl_manager):
        store = FolderStore(str(dl_manager.manual_dir), self.DATASET)
        paths = {part: _find(store, globs) for part, globs in self.DATASET.parts.items()}
        self.info.metadata.update(
            tile=self.builder_config.tile,
            counts=dict(store.counts),
            texts={path: store.lines(path) for path in self.DATASET.texts},
            images={
                part: [(path, *store.size(path)) for path in found] for part, found in paths.items()
            },
        )
        return {part: self._generate_examples(store, found) for part, found in paths.items()}

    def _generate_examples(self, store, paths):
        number = 0
        for path, image in _decode_videos(store, tqdm(paths, unit="image", disable=None)):
            if image is None and self.builder_config.tile is None:
                records = [(store.root / path).read_bytes()]
            else:
                if image is None:
                    image = store.read(path)
                    if image.shape[:2] != store.size(path):
                        # The exception in `picture_size`.
                        raise UserError(
                            f"{store.root / path} says only behind its pixels that it is to be "
                            "turned: save it anew"
                        )
                side = self.builder_config.tile or max(image.shape)
                records = map(_png, tiles.cut(image, side))
            for record in records:
                yield number, {"image": record}
                number += 1


def builder_class(dataset: Dataset) -> type[Builder]:
    """The builder of a dataset, named like it."""
    attributes = {
        "name": dataset.name,
        "DATASET": dataset,
        "MANUAL_DOWNLOAD_INSTRUCTIONS": dataset.how_to_get,
        # TFDS looks beside a class for a README and citations, which ours do not have.
        "pkg_dir_path": Path(__file__).parent,
    }
    return type(dataset.name, (Builder,), attributes, skip_registration=True)


def prepare(dataset: Dataset, root: Path, out: Path, tile: int | None = None) -> Path:
    """Prepares a dataset, unless that has been done.

    Args:
      dataset: what to prepare.
      root: its folder, as published.
      out: receives NAME/STORAGE/VERSION. An interrupted preparation leaves no such folder; the
        next call removes what it left, and begins anew.
      tile: side of the tiles in pixels; None stores image files as they are.

    Returns:
      The folder of the prepared dataset, for `config.data.root`.

    Raises:
      UserError: a file is missing or broken.
    """
    storage = Storage(name=f"tiles_{tile}" if tile else "files", tile=tile)
    builder = builder_class(dataset)(data_dir=out, config=storage, file_format="array_record")
    folder = Path(builder.data_dir)
    if not (folder / INFO).is_file():
        for leftover in folder.parent.glob(f"*{folder.name}.incomplete*"):
            shutil.rmtree(leftover)
        config = tfds.download.DownloadConfig(manual_dir=root)
        with _quiet(), tempfile.TemporaryDirectory() as nothing:
            builder.download_and_prepare(download_dir=nothing, download_config=config)
    return folder


class PreparedStore(Store):
    """A dataset that `prepare` wrote to `folder`."""

    def __init__(self, folder: str | Path, dataset: Dataset):
        self.folder = typed_path(folder)
        self.dataset = dataset
        builder = tfds.builder_from_directory(self.folder)
        if builder.name != dataset.name:
            raise UserError(
                f"{self.folder} holds {builder.name}, but the configuration needs {dataset.name}: "
                "change config.data.root or config.data.task"
            )
        metadata = builder.info.metadata
        self.counts = metadata["counts"]
        self._texts = metadata["texts"]
        self._tile = metadata["tile"]
        self._sources = {
            part: builder.as_data_source(part, decoders={"image": tfds.decode.SkipDecoding()})
            for part in metadata["images"]
        }
        self._images = {}  # by path: part, first record, height, width
        self._children = {}  # by folder: names of what is in it
        for part, images in metadata["images"].items():
            record = 0
            for path, height, width in images:
                self._images[path] = (part, record, height, width)
                record += tiles.count(height, width, self._tile) if self._tile else 1
                child = PurePosixPath(path)
                for parent in child.parents:
                    self._children.setdefault(str(parent), set()).add(child.name)
                    child = parent

    def __reduce__(self):
        # A worker process opens the files itself.
        return PreparedStore, (self.folder, self.dataset)

    def files(self, folder, suffix):
        return [
            path
            for path in self._in(folder)
            if path.endswith(suffix) and (path in self._images or path.endswith(videos.SUFFIX))
        ]

    def folders(self, folder):
        return [path for path in self._in(folder) if path in self._children]

    def frames(self, video):
        return self._in(video)

    def read(self, path):
        part, record, height, width = self._find(path, self._images)
        decode = functools.partial(self._decode, path, part)
        if self._tile is None:
            return decode(record)
        return tiles.TiledImage(
            (height, width, 3), self._tile, lambda number: decode(record + number)
        )

    def size(self, path):
        return self._find(path, self._images)[2:]

    def lines(self, path):
        return self._find(path, self._texts)

    def _decode(self, path, part, record) -> RGB:
        coded = self._sources[part][record]["image"]
        return read_picture(io.BytesIO(coded), f"{path} in {self.folder}").pixels

    def _in(self, folder):
        names = sorted(self._find(folder, self._children))
        return [str(PurePosixPath(folder) / name) for name in names]

    def _find(self, path, where):
        if path not in where:
            raise UserError(
                f"{self.folder} has no {path}: prepare the dataset again; {self.dataset.how_to_get}"
            )
        return where[path]


def _find(store: FolderStore, patterns: Sequence[str]) -> list[str]:
    """Sorted paths of the images and of the frames of the videos."""
    found = []
    for pattern in patterns:
        for file in sorted(store.root.glob(pattern)):
            path = file.relative_to(store.root)
            if any(map(is_junk, path.parts)):
                continue
            if file.name.endswith(videos.SUFFIX):
                found += store.frames(path.as_posix())
            elif file.is_file():
                found.append(path.as_posix())
    return found


def _decode_videos(store: FolderStore, paths: Iterable[str]) -> Iterator[tuple[str, RGB | None]]:
    """Every path, that of a frame with its pixels: a video is decoded once, from its beginning."""
    for path in paths:
        video, number = split_frame(path)
        if number is None:
            yield path, None
            continue
        if number == 0:
            frames = videos.read_frames(store.root / video)
        image = next(frames, None)
        if image is None:
            raise UserError(f"{store.root / video} ends before frame {number}: replace the file")
        yield path, image


def _png(image: RGB) -> bytes:
    buffer = io.BytesIO()
    # Level 1 is several times faster to write than the default, and a little larger.
    Image.fromarray(image).save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()


@contextlib.contextmanager
def _quiet():
    """Without what TFDS prints of downloads, of which there are none, and its progress bars."""
    tfds.disable_progress_bar()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        yield
