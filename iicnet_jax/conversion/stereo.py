"""Stereo pictures through a network: embed the right view in the left one, restore."""

from collections.abc import Sequence
from pathlib import Path

from iicnet_jax.conversion.pictures import (
    Embedded,
    Network,
    Restored,
    embed_files,
    embed_pictures,
    restore_pictures,
)
from iicnet_jax.core.errors import UserError
from iicnet_jax.imaging.picture_reader import MAX_PIXELS, read_picture
from iicnet_jax.media.grouping import SideBySide
from iicnet_jax.media.outputs import FOLDER, check_form, write_folder
from iicnet_jax.media.picture_file import LOSSLESS, check_output, write_picture

VIEWS = ("left.png", "right.png")


def embed_stereo(
    network: Network,
    inputs: Sequence[Path],
    output: Path,
    *,
    fit: bool = False,
    overwrite: bool = False,
    max_pixels: int = MAX_PIXELS,
) -> Embedded:
    """Hides the right view in the left one, which is written as `output`.

    `inputs`: the left and the right view, or one picture with both side by side. `fit`: scale and
    crop the right view to the size of the left one.

    Raises:
      UserError: as `convert.embed_files`, or a picture of odd width holds no two views.
    """
    views = SideBySide(network.tiled.model.num_images)
    if len(inputs) == 2:
        return embed_files(
            network, inputs, output, fit=fit, overwrite=overwrite, max_pixels=max_pixels
        )
    if len(inputs) != 1:
        raise UserError(
            f"{len(inputs)} files are given: name the left and the right view, or one picture with "
            "both side by side"
        )
    (source,) = inputs
    check_output(output, overwrite)
    picture = read_picture(source, max_pixels=max_pixels)
    try:
        ((group, _),) = views.gather([picture.pixels])
    except UserError as error:
        raise UserError(f"{source} {error}") from error
    about = {"grouping": views.name}
    record = embed_pictures(network, group, output, about=about, overwrite=overwrite)
    return Embedded(output, record, tuple(f"{source} {note}" for note in picture.notes))


def restore_stereo(
    network: Network,
    embedding: Path,
    output: Path,
    *,
    size: tuple[int, int] | None = None,
    force: bool = False,
    overwrite: bool = False,
    max_pixels: int = MAX_PIXELS,
) -> Restored:
    """Gets both views back: side by side in one picture, or left.png and right.png in a folder.

    `size`: of a view, as `convert.restore_file`.

    Raises:
      UserError: as `convert.restore_file`.
    """
    views = SideBySide(network.tiled.model.num_images)
    form = check_form(output, (*LOSSLESS, FOLDER), overwrite)
    images, _, notes = restore_pictures(
        network, embedding, size=size, force=force, max_pixels=max_pixels
    )
    if form == FOLDER:
        return Restored(write_folder(output, zip(VIEWS, images, strict=True)), notes)
    (frame,) = views.spread(images)
    write_picture(output, frame, overwrite=overwrite)
    return Restored((output,), notes)
