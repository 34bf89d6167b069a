"""Where a regime's image files are: the interface, and the folder that a user has on disk."""

import abc
from pathlib import Path

from iicnet_jax.data.images import RGB, image_size, read_image
from iicnet_jax.errors import UserError


class ImageStore(abc.ABC):
    """Image files by their path below the dataset's root, with slashes.

    Every method raises UserError, naming the file or folder, if it is missing or broken.
    """

    @abc.abstractmethod
    def files(self, folder: str, suffix: str) -> list[str]:
        """Sorted paths of the files directly in a folder whose names end with `suffix`."""

    @abc.abstractmethod
    def folders(self, folder: str) -> list[str]:
        """Sorted paths of the folders directly in a folder."""

    @abc.abstractmethod
    def read(self, path: str) -> RGB:
        """The decoded image."""

    @abc.abstractmethod
    def size(self, path: str) -> tuple[int, int]:
        """Height and width, without decoding the image."""


class FolderStore(ImageStore):
    """A dataset as its publishers lay it out.

    Args:
      root: the folder that `config.data.root` names.
      how_to_get: where the dataset is published and where to put it; ends the messages about
        what is missing.
    """

    def __init__(self, root: str | Path, how_to_get: str):
        self.root = Path(root).expanduser()
        self.how_to_get = how_to_get

    def files(self, folder, suffix):
        return self._children(folder, lambda path: path.name.endswith(suffix) and path.is_file())

    def folders(self, folder):
        return self._children(folder, Path.is_dir)

    def read(self, path):
        return read_image(self.root / path)

    def size(self, path):
        return image_size(self.root / path)

    def _children(self, folder, wanted):
        directory = self.root / folder
        if not directory.is_dir():
            raise UserError(f"the folder {directory} does not exist: {self.how_to_get}")
        return sorted(f"{folder}/{path.name}" for path in directory.iterdir() if wanted(path))
