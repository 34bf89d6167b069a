"""Stereo pictures through a network: embed the right view in the left one, restore."""

from collections.abc import Sequence
from pathlib import Path

from iicnet_jax.conversion.pictures import Embedded, Restored, embed_files
from iicnet_jax.core.errors import UserError, reading
from iicnet_jax.imaging.picture_reader import MAX_PIXELS, read_picture
from iicnet_jax.inference.codec import Codec
from iicnet_jax.media.embedding_file import EmbeddingFile
from iicnet_jax.media.grouping import SideBySide
from iicnet_jax.media.outputs import FOLDER, check_form, write_folder
from iicnet_jax.media.picture_file import LOSSLESS, write_picture

VIEWS = ("left.png", "right.png")


def embed_stereo(
    codec: Codec,
    inputs: Sequence[Path],
    output: Path,
    *,
    fit: bool = False,
    quality: int | None = None,
    overwrite: bool = False,
    max_pixels: int = MAX_PIXELS,
) -> Embedded:
    """Hides the right view in the left one, which is written as `output`.

    `inputs`: the left and the right view, or one picture with both side by side. `fit`: scale and
    crop the right view to the size of the left one. `quality`: of a JPEG file.

    Raises:
      UserError: as `pictures.embed_files`, or a picture of odd width holds no two views.
    """
    views = SideBySide(codec.network.num_images)
    if len(inputs) == 2:
        return embed_files(
            codec,
            inputs,
            output,
            fit=fit,
            quality=quality,
            overwrite=overwrite,
            max_pixels=max_pixels,
        )
    if len(inputs) != 1:
        raise UserError(
            f"{len(inputs)} files are given: name the left and the right view, or one picture with "
            "both side by side"
        )
    (source,) = inputs
    codec.check_output(output, overwrite, quality)
    picture = read_picture(source, max_pixels=max_pixels)
    with reading(source):
        ((group, _),) = views.gather([picture.pixels])
    record = codec.write_frames(output, group, {"grouping": views.name}, quality)
    return Embedded(output, record, tuple(f"{source} {note}" for note in picture.notes))


def restore_stereo(
    codec: Codec,
    file: EmbeddingFile,
    output: Path,
    *,
    size: tuple[int, int] | None = None,
    force: bool = False,
    overwrite: bool = False,
) -> Restored:
    """Gets both views back: side by side in one picture, or left.png and right.png in a folder.

    `size`: of a view, as `pictures.restore_file`.

    Raises:
      UserError: as `pictures.restore_file`.
    """
    views = SideBySide(codec.network.num_images)
    form = check_form(output, (*LOSSLESS, FOLDER), overwrite)
    images, notes = codec.restore_file(file, size=size, force=force)
    if form == FOLDER:
        return Restored(write_folder(output, zip(VIEWS, images, strict=True)), notes)
    (frame,) = views.spread(images)
    write_picture(output, frame)
    return Restored((output,), notes)
