"""Reads and crops the images of datasets (HWC uint8 RGB)."""

from collections.abc import Sequence

from iicnet_jax.core.errors import UserError


def require_one_size(paths: Sequence[str], images: Sequence) -> None:
    """Raises UserError, naming two files, unless all images have the first one's size."""
    for path, image in zip(paths, images, strict=True):
        if image.shape != images[0].shape:
            raise UserError(
                f"{path} ({image.shape[0]}x{image.shape[1]}) is not of the size of "
                f"{paths[0]} ({images[0].shape[0]}x{images[0].shape[1]}): replace the file"
            )


def crop(image, top, left, height, width):
    """The height x width rectangle with that upper left corner."""
    return image[top : top + height, left : left + width]


def centre_crop(image, height: int, width: int):
    """The middle of an image, which must be at least height x width; odd margins round down."""
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return crop(image, top, left, height, width)
