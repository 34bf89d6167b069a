"""DIV2K: photographs of 2K resolution and what bicubic reduction makes of them.

The files are where the publishers' archives put them: DIV2K_train_HR/0001.png and
DIV2K_train_LR_bicubic/X2/0001x2.png, 800 of each for training, 100 for validation ("valid").
"""

import numpy as np
from jaxtyping import UInt8

from iicnet_jax.data.images import RGB
from iicnet_jax.data.store import ImageStore
from iicnet_jax.errors import UserError

IMAGES = {"train": 800, "valid": 100}
HOW_TO_GET = (
    "DIV2K is published at https://data.vision.ee.ethz.ch/cvl/DIV2K/; unpack the training and "
    "validation images, high resolution and bicubic, so that config.data.root holds "
    "DIV2K_{train,valid}_HR and DIV2K_{train,valid}_LR_bicubic/X2 (X4, X8)"
)


def pairs(store: ImageStore, part: str, scale: int) -> list[tuple[str, str]]:
    """Paths of the low- and the high-resolution images of "train" or "valid", in order.

    Raises:
      UserError: images are missing, or there are too many.
    """
    folders = [f"DIV2K_{part}_LR_bicubic/X{scale}", f"DIV2K_{part}_HR"]
    low, high = (store.files(folder, ".png") for folder in folders)
    for folder, found in zip(folders, (low, high), strict=True):
        if len(found) != IMAGES[part]:
            raise UserError(
                f"{folder} holds {len(found)} PNG files instead of {IMAGES[part]}: {HOW_TO_GET}"
            )
    return list(zip(low, high, strict=True))


def read_pair(
    store: ImageStore, pair: tuple[str, str], scale: int
) -> tuple[RGB, UInt8[np.ndarray, "h2 w2 3"]]:
    """The low- and the high-resolution image.

    Raises:
      UserError: a file is missing or broken, or the sizes do not belong together.
    """
    low, high = (store.read(path) for path in pair)
    sides = zip(low.shape[:2], high.shape[:2], strict=True)
    if any(abs(small * scale - large) >= scale for small, large in sides):
        raise UserError(
            f"{pair[1]} ({high.shape[0]}x{high.shape[1]}) is not {scale} times the "
            f"size of {pair[0]} ({low.shape[0]}x{low.shape[1]}): replace both files"
        )
    return low, high
