"""Reads and crops the images of datasets (HWC uint8 RGB)."""

from collections.abc import Sequence

import numpy as np

from iicnet_jax.core.errors import UserError


def require_one_size(paths: Sequence[str], images: Sequence) -> None:
    """Raises UserError, naming two files, unless all images have the first one's size."""
    for path, image in zip(paths, images, strict=True):
        if image.shape != images[0].shape:
            raise UserError(
                f"{path} ({image.shape[0]}x{image.shape[1]}) is not of the size of "
                f"{paths[0]} ({images[0].shape[0]}x{images[0].shape[1]}): replace the file"
            )


def crop(image, top: int, left: int, height: int, width: int):
    """The height x width rectangle with that upper left corner."""
    return image[top : top + height, left : left + width]


def centre_crop(image, height: int, width: int):
    """The middle of an image, which must be at least height x width; odd margins round down."""
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return crop(image, top, left, height, width)


def random_corner(
    rng: np.random.Generator, shape: Sequence[int], height: int, width: int
) -> tuple[int, int]:
    """Upper left corner of a random height x width rectangle within an image of that shape.

    Raises:
      UserError: the image is smaller than the rectangle.
    """
    if shape[0] < height or shape[1] < width:
        raise UserError(
            f"an image of {shape[0]}x{shape[1]} is smaller than the crop of "
            f"{height}x{width}: choose a smaller config.data.crop"
        )
    top = rng.integers(shape[0] - height + 1)
    left = rng.integers(shape[1] - width + 1)
    return int(top), int(left)
