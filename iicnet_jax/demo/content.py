"""Texts, previews and comparisons of the page, without Gradio.

Pictures reach the network as the files that were dropped, and the embedding leaves as the file
that `conversion.pictures` wrote: only previews are made here.
"""

import dataclasses
import html
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from iicnet_jax.core.wording import number_of
from iicnet_jax.evaluation.metrics import psnr
from iicnet_jax.evaluation.pictures import AMPLIFICATION, error_map
from iicnet_jax.imaging.picture_reader import MAX_PIXELS, read_picture
from iicnet_jax.inference.codec import Codec
from iicnet_jax.media.embedding_file import Record
from iicnet_jax.media.picture_file import read_group, write_picture

PREVIEW_SIDE = 480
FIT = "Scale and crop the others to the size of the reference"
FORCE = "Restore what can be restored"
# Options of the command line that messages name, and what they are on the page.
OPTIONS = {"--fit": f"“{FIT}”", "--force": f"“{FORCE}”"}


def describe(codec: Codec) -> str:
    """One or two sentences of what a network does."""
    model = codec.network
    count = model.num_images
    pictures = "one picture" if count == 1 else f"{count} pictures of one size"
    colour = "grey" if model.embedding_channels == 1 else "ordinary"
    size = " of half the height and width" if model.scale == 2 else ""
    text = f"Puts {pictures} into a single {colour} picture{size}, and gets them back from it."
    if count > 1:
        text += " The embedding looks like the first picture, the reference."
    return text


def title(index: int) -> str:
    """What a picture is called: its number from 1, and which one is the reference."""
    return "1 (reference)" if index == 0 else str(index + 1)


def previews(
    paths: Sequence[Path], *, max_pixels: int = MAX_PIXELS
) -> list[tuple[Image.Image, str]]:
    """Small copies of pictures with their numbers and names.

    Raises:
      UserError: a picture cannot be read.
    """
    result = []
    for i, path in enumerate(paths):
        image = Image.fromarray(read_picture(path, max_pixels=max_pixels).pixels)
        image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
        result.append((image, f"{title(i)}: {path.name}"))
    return result


@dataclasses.dataclass(frozen=True)
class Originals:
    """The pictures that were put into an embedding."""

    paths: tuple[Path, ...]
    fit: bool  # whether they were scaled and cropped to one size

    def frames(self, max_pixels: int) -> np.ndarray | None:
        """Their pixels as they were embedded, None if the files have been cleaned away."""
        if not all(path.exists() for path in self.paths):
            return None
        return read_group(self.paths, fit=self.fit, max_pixels=max_pixels)[0]


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A restored picture beside its original: PNG files, and the PSNR in dB."""

    original: Path
    restored: Path
    error: Path
    psnr: float


def compare(originals: np.ndarray, restored: Sequence[Path], folder: Path) -> list[Comparison]:
    """Compares restored pictures with originals of the same order; files go to `folder`."""
    result = []
    for i, (original, path) in enumerate(zip(originals, restored, strict=True)):
        pixels = read_picture(path).pixels
        comparison = Comparison(
            folder / f"original_{i:02d}.png",
            path,
            folder / f"error_{i:02d}.png",
            psnr(pixels, original),
        )
        write_picture(comparison.original, original)
        write_picture(comparison.error, error_map(pixels, original))
        result.append(comparison)
    return result


def in_page_words(text: str, paths: Sequence[Path]) -> str:
    """A message of the command line for the page, as HTML.

    Files are called by their names, without the folders where the page keeps them, and options by
    the words beside their boxes.
    """
    for path in sorted({str(path) for path in paths}, key=len, reverse=True):
        text = text.replace(path, Path(path).name)
    for option, words in OPTIONS.items():
        text = text.replace(option, words)
    text = text.replace("with --max-pixels", "by starting the page with --max-pixels")
    return html.escape(text, quote=False)


def row(index: int, pair: Comparison) -> list[tuple[str, str]]:
    """Three pictures with captions: original, restored, error."""
    return [
        (str(pair.original), f"{title(index)}: original"),
        (str(pair.restored), f"restored, PSNR {pair.psnr:.2f} dB"),
        (str(pair.error), f"error, {AMPLIFICATION} times"),
    ]


def originals_of(record: Record | None, embedded: Mapping[str, Originals], max_pixels: int):
    """Pixels of the pictures that this visitor put into an embedding, None if unknown."""
    originals = embedded.get(record.pixels) if record is not None else None
    return None if originals is None else originals.frames(max_pixels)


def embedding_facts(done, codec: Codec) -> list[str]:
    height, width = done.record.size
    rows, columns = codec.tiled.embedding_size(height, width)
    size = done.path.stat().st_size
    form = "PNG" if done.path.suffix == ".png" else "JPEG"
    keep = (
        "Keep the file as it is: any change of its pixels, such as that of a messenger or a photo "
        "editor, damages what is in it."
    )
    if (lowest := codec.survives.get("jpeg")) is not None:
        keep = (
            "What is in it survives being compressed again, as messengers and web sites do it "
            f"(JPEG of quality {lowest} or more), but not being made smaller or cut."
        )
    return [
        f"{number_of(done.record.images)} of {width} x {height} pixels are now in one of "
        f"{columns} x {rows}, a {form} file of {_bytes(size)}.",
        keep,
    ]


def embedding_name(codec: Codec, pictures: Sequence[Path]) -> str:
    """What the embedding of pictures is called: a JPEG file if the network survives it."""
    suffix = ".jpg" if "jpeg" in codec.survives else ".png"
    return f"{pictures[0].stem if pictures else ''}_embedding{suffix}"


def _bytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1e3))} kB"
