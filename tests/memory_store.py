"""Images that are no files, for datasets of many thousands."""

from collections.abc import Mapping
from pathlib import PurePosixPath

import numpy as np

from iicnet_jax.core.errors import UserError
from iicnet_jax.data.storage import Dataset, Store


class MemoryStore(Store):
    """Images by path; of black ones (height, width) is enough. Counts the calls of `size`."""

    def __init__(self, images: Mapping[str, np.ndarray | tuple[int, int]], dataset: Dataset):
        self.images = images
        self.dataset = dataset
        self.counts = dataset.counts
        self.sizes_read = 0

    def files(self, folder, suffix):
        return self._in_folder(folder, [path for path in self.images if path.endswith(suffix)])

    def folders(self, folder):
        parents = {str(parent) for path in self.images for parent in PurePosixPath(path).parents}
        return self._in_folder(folder, parents)

    def frames(self, video):
        raise NotImplementedError

    def lines(self, path):
        raise NotImplementedError

    def read(self, path):
        image = self.images[path]
        return np.zeros((*image, 3), np.uint8) if isinstance(image, tuple) else image

    def size(self, path):
        self.sizes_read += 1
        return self.read(path).shape[:2]

    def _in_folder(self, folder, paths):
        if not any(path.startswith(f"{folder}/") for path in self.images):
            raise UserError(f"the folder {folder} does not exist")
        return sorted(path for path in paths if path.rpartition("/")[0] == folder)
