"""Animated GIFs through a network: embed in a still picture, restore."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from iicnet_jax.conversion.pictures import Embedded, Restored
from iicnet_jax.core.errors import UserError
from iicnet_jax.core.files import replacing
from iicnet_jax.imaging.picture_reader import MAX_PIXELS, MODES, decode, opened
from iicnet_jax.inference.codec import Codec
from iicnet_jax.media.embedding_file import EmbeddingFile, is_integer
from iicnet_jax.media.grouping import Blocks, Frame
from iicnet_jax.media.outputs import FOLDER, check_form, write_frames

GIF, APNG = ".gif", ".png"
LONGEST = 655_350  # milliseconds that a GIF can show a frame


class Timing(NamedTuple):
    """When frames are shown."""

    durations: tuple[int, ...]  # of every frame, in milliseconds
    loop: int | None  # how often it is repeated; 0: for ever, None: not at all


def embed_gif(
    codec: Codec,
    source: Path,
    output: Path,
    *,
    quality: int | None = None,
    overwrite: bool = False,
    max_pixels: int = MAX_PIXELS,
) -> Embedded:
    """Hides an animated GIF in its middle frame, which is written as `output`.

    Of fewer frames than the network takes, the last one is repeated. `quality`: of a JPEG file.

    Raises:
      UserError: the file is no GIF, damaged, or has more frames than the network takes; or
        `output` cannot be written.
    """
    codec.check_output(output, overwrite, quality)
    count = codec.network.num_images
    frames, timing, notes = _read(source, count, max_pixels)
    blocks = Blocks(count)
    ((group, _),) = blocks.gather(frames)
    about = {
        "grouping": blocks.name,
        "durations": list(timing.durations),
        "loop": timing.loop,
    }
    record = codec.write_frames(output, group, about, quality)
    return Embedded(output, record, tuple(f"{source} {note}" for note in notes))


def restore_gif(
    codec: Codec,
    file: EmbeddingFile,
    output: Path,
    *,
    size: tuple[int, int] | None = None,
    force: bool = False,
    overwrite: bool = False,
) -> Restored:
    """Gets the animation back: a GIF, an animated PNG of all colours, or a folder of PNG files.

    `size`: as `pictures.restore_file`.

    Raises:
      UserError: as `pictures.restore_file`; without `force`, also if the file holds no animation.
    """
    form = check_form(output, (GIF, APNG, FOLDER), overwrite)
    images, notes = codec.restore_file(file, size=size, force=force)
    count = len(images)
    timing = None if file.record is None else _timing(file.record.about, count)
    if timing is None:
        problem = f"{file.path} does not say when the frames of an animation are shown"
        if not force:
            raise UserError(
                f"{problem}: get single pictures from it (--force shows each for 0.1 seconds)"
            )
        notes, timing = (*notes, problem), Timing((100,) * count, 0)
    frames = Blocks(count).spread(images)[: len(timing.durations)]
    if form == FOLDER:
        return Restored(write_frames(output, frames), notes)
    if form == GIF:
        notes = (*notes, f"{output} has 256 colours a frame, as GIFs have: {APNG} keeps all")
    with replacing(output) as temporary:
        _write(temporary, frames, timing, form)
    return Restored((output,), notes)


def _read(path: Path, count: int, max_pixels: int) -> tuple[list[Frame], Timing, list[str]]:
    """At most `count` frames, and clauses about the file."""
    frames, durations, notes = [], [], []
    with opened(path, max_pixels=max_pixels, formats=("GIF",)) as image:
        loop = image.info.get("loop")
        while _stands_at(image, len(frames)):
            if len(frames) == count:
                raise UserError(
                    f"has more than {count} frames, and this model embeds {count}: shorten it, use "
                    "another model, or convert it to a video"
                )
            picture = decode(image, max_pixels)
            if frames and picture.pixels.shape != frames[0].shape:
                raise UserError(f"changes its size at frame {len(frames)}: cut it there")
            frames.append(picture.pixels)
            durations.append(min(int(picture.metadata.get("duration", 0)), LONGEST))
            # Every GIF has a palette or is grey.
            notes += [note for note in picture.notes if note not in MODES.values()]
    return frames, Timing(tuple(durations), loop), list(dict.fromkeys(notes))


def _stands_at(image: Image.Image, number: int) -> bool:
    try:
        image.seek(number)
    except EOFError:
        return False
    return True


def _timing(about: Mapping, count: int) -> Timing | None:
    """What a record says, None if nothing usable; it is not trusted."""
    durations, loop = about.get("durations"), about.get("loop")
    usable = (
        isinstance(durations, list)
        and 1 <= len(durations) <= count
        and all(is_integer(duration, 0, LONGEST) for duration in durations)
        and (loop is None or is_integer(loop, 0, 65_535))
    )
    return Timing(tuple(durations), loop) if usable else None


def _write(path: Path, frames: Iterable[Frame], timing: Timing, form: str) -> None:
    images = [Image.fromarray(frame) for frame in frames]
    loop = {"loop": timing.loop}
    if form == GIF:
        images = [image.quantize(256) for image in images]
        if timing.loop is None:
            loop = {}
    else:
        # APNG counts how often it is shown, GIF how often it is repeated.
        loop = {"loop": 0 if timing.loop == 0 else (timing.loop or 0) + 1}
    images[0].save(
        path, save_all=True, append_images=images[1:], duration=list(timing.durations), **loop
    )
