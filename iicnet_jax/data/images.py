"""Reading, cutting and resizing 8-bit RGB images (HWC uint8)."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError

from iicnet_jax.errors import UserError

RGB = UInt8[np.ndarray, "h w 3"]


def read_image(path: Path) -> RGB:
    """Decodes an image file.

    Raises:
      UserError: the file is missing, damaged, or no image.
    """
    return decode_image(path, path)


def decode_image(file: Path | BytesIO, name: Path | str) -> RGB:
    """Decodes an image from a file or a stream that messages call `name`; see `read_image`."""
    try:
        with Image.open(file) as image:
            return np.asarray(image.convert("RGB"))
    except FileNotFoundError as error:
        raise UserError(f"{name} is missing: complete the dataset") from error
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise UserError(f"{name} cannot be read as an image ({error}): replace the file") from error


def image_size(path: Path) -> tuple[int, int]:
    """Height and width, from the file's header alone. Raises UserError like `read_image`."""
    try:
        with Image.open(path) as image:
            return image.height, image.width
    except (OSError, Image.DecompressionBombError) as error:
        raise UserError(f"{path} cannot be read as an image ({error}): replace the file") from error


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


def shrink(image: RGB, factor: int) -> UInt8[np.ndarray, "h2 w2 3"]:
    """Bicubic reduction by a whole factor (antialiased, a = -0.5); remainders are cut off."""
    height, width = image.shape[0] // factor, image.shape[1] // factor
    image = crop(image, 0, 0, height * factor, width * factor)
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))


def halve(image: RGB) -> UInt8[np.ndarray, "h2 w2 3"]:
    """Bilinear reduction by two: the mean of every 2x2 square, rounded, halves upwards.

    Height and width must be even.
    """
    height, width = image.shape[0] // 2, image.shape[1] // 2
    squares = image.reshape(height, 2, width, 2, 3)
    return ((squares.sum(axis=(1, 3), dtype=np.uint16) + 2) // 4).astype(np.uint8)
