"""Base of tasks on DIV2K: pairs of low- and high-resolution images.

The files are where the publishers' archives put them: DIV2K_train_HR/0001.png and
DIV2K_train_LR_bicubic/X2/0001x2.png, 800 of each for training, 100 for validation ("valid").
"""

from iicnet_jax.core.errors import UserError
from iicnet_jax.data.cropping import CropTask
from iicnet_jax.data.storage import Dataset

DATASET = Dataset(
    name="div2k",
    counts={"train": 800, "valid": 100, "validation": 50},  # validation: of the training images
    parts={
        part: (f"DIV2K_{part}_HR/*.png", f"DIV2K_{part}_LR_bicubic/X*/*.png")
        for part in ("train", "valid")
    },
    how_to_get=(
        "DIV2K is published at https://data.vision.ee.ethz.ch/cvl/DIV2K/; unpack the training "
        "and validation images, high resolution and bicubic, so that config.data.root holds "
        "DIV2K_{train,valid}_HR and DIV2K_{train,valid}_LR_bicubic/X2 (X4, X8)"
    ),
)


class Div2k(CropTask):
    """What the tasks on DIV2K share: samples are (low resolution, high resolution)."""

    DATASET = DATASET
    scale: int  # how many times smaller the low-resolution image is

    def check(self, paths, images):
        low, high = images
        sides = zip(low.shape[:2], high.shape[:2], strict=True)
        if any(abs(small * self.scale - large) >= self.scale for small, large in sides):
            low_path, high_path = paths
            raise UserError(
                f"{high_path} ({high.shape[0]}x{high.shape[1]}) is not {self.scale} times the "
                f"size of {low_path} ({low.shape[0]}x{low.shape[1]}): replace both files"
            )

    def _pairs(self, part: str) -> list[tuple[str, str]]:
        """Paths of the low- and the high-resolution images of "train" or "valid", in order."""
        folders = [f"DIV2K_{part}_LR_bicubic/X{self.scale}", f"DIV2K_{part}_HR"]
        low, high = (self.store.files(folder, ".png") for folder in folders)
        for folder, found in zip(folders, (low, high), strict=True):
            self._require_count(f"{folder} holds", found, "PNG files", part)
        return list(zip(low, high, strict=True))
