"""Videos through a network, group by group: embed, restore.

Memory holds one group of frames at a time, whatever the length of the video.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np

from iicnet_jax.conversion.pictures import Embedded, Restored
from iicnet_jax.core.errors import UserError, reading
from iicnet_jax.core.files import replacing
from iicnet_jax.imaging import video_reader
from iicnet_jax.imaging.video_reader import FASTEST, LIMITS, SLOWEST, Limits
from iicnet_jax.inference.codec import Codec
from iicnet_jax.media import embedding_video, video_file
from iicnet_jax.media.embedding_file import Record, is_integer
from iicnet_jax.media.embedding_video import EmbeddingVideo
from iicnet_jax.media.grouping import Blocks, Frame, Grouping, SideBySide
from iicnet_jax.media.outputs import FOLDER, check_form, write_frames
from iicnet_jax.media.video_file import LOSSLESS, LOSSY

# Called with an iterable of groups and `total`, their expected number; `tqdm` is one.
Progress = Callable[..., Iterable]


def silent(groups: Iterable, total: int) -> Iterable:
    """Shows no progress."""
    return groups


@dataclasses.dataclass(frozen=True)
class EmbeddedVideo(Embedded):
    """An embedding video that was written."""

    frames: int  # of the original video
    embeddings: int  # frames of the embedding video
    rate: Fraction  # of the embedding video, frames a second


def embed_video(
    codec: Codec,
    source: Path,
    output: Path,
    *,
    side_by_side: bool = False,
    sound: bool = True,
    overwrite: bool = False,
    limits: Limits = LIMITS,
    progress: Progress = silent,
) -> EmbeddedVideo:
    """Hides a video in one of 1/N of the frame rate and the same duration, an MKV without loss.

    `side_by_side`: the frames are two views side by side; they are hidden in the left one, at the
    same frame rate. `sound`: copy the first sound track. The file is read back and compared.

    Raises:
      UserError: the video cannot be read, or is beyond the limits; the network does not fit; or
        `output` exists (without `overwrite`), does not end in .mkv, or cannot be written.
    """
    grouping = _grouping(codec, side_by_side)
    check_form(output, (LOSSLESS,), overwrite)
    video = video_reader.examine(source, limits)
    with reading(source):
        size = grouping.image_size(*video.size)
    model, read = codec.network, 0

    def embeddings():
        nonlocal read
        groups = grouping.gather(video_reader.read_frames(video))
        for group, frames in progress(groups, total=-(-video.frames // grouping.frames)):
            read += frames
            yield codec.tiled.embed(group, np.uint8)

    def describe(pixels: str) -> Record:
        about = {
            "grouping": grouping.name,
            "frames": read,
            "rate": [video.rate.numerator, video.rate.denominator],
        }
        return Record(
            codec.task,
            model.num_images,
            size,
            model.embedding_channels,
            codec.fingerprint,
            pixels,
            about,
        )

    rate = video.rate / grouping.frames
    record, notes = embedding_video.write_embedding_video(
        output,
        embeddings(),
        codec.tiled.embedding_size(*size),
        rate,
        describe,
        sound=video if sound else None,
    )
    lines = [f"{source} {note}" for note in video.notes] + [f"{output} {note}" for note in notes]
    embeddings = -(-read // grouping.frames)
    return EmbeddedVideo(output, record, tuple(lines), read, embeddings, rate)


def restore_video(
    codec: Codec,
    file: EmbeddingVideo,
    output: Path,
    *,
    side_by_side: bool | None = None,
    size: tuple[int, int] | None = None,
    sound: bool = True,
    force: bool = False,
    overwrite: bool = False,
    progress: Progress = silent,
) -> Restored:
    """Gets the video back: .mkv without loss, .mp4 with little loss, or a folder of PNG files.

    `side_by_side` and `size`, height and width of the images, are for files without a usable
    record; where there is one, it says both.

    Raises:
      UserError: the file is damaged, or `output` exists (without `overwrite`) or cannot be
        written. Without `force` also: the file has no usable record, its pixels were changed,
        or another network embedded the video.
    """
    form = check_form(output, (LOSSLESS, LOSSY, FOLDER), overwrite)
    file = _with_usable_record(file)
    notes = list(codec.notes(file, force))
    plan = _plan(file, codec, side_by_side, size)
    changes = []
    embeddings = embedding_video.read_embeddings(file, changes if force else None)
    groups = (
        codec.tiled.restore(codec.with_channels(pixels, file.path), plan.size)
        for pixels in progress(embeddings, total=file.video.frames)
    )
    frames = (frame for group in groups for frame in plan.grouping.spread(group))
    if plan.frames is not None:
        # What filled up the last block is dropped; the embeddings are read to their end.
        frames = (frame for number, frame in enumerate(frames) if number < plan.frames)
    if form == FOLDER:
        paths = write_frames(output, frames)
        if file.video.sound and sound:
            notes.append(f"{output} has no sound: a folder of pictures cannot hold it")
    else:
        paths, track = (output,), file.video if sound else None
        notes += [f"{output} {note}" for note in _write_video(output, frames, plan, track)]
    if changes:
        notes.append(f"{file.path} {embedding_video.describe_changes(file, changes)}")
    return Restored(paths, tuple(notes))


@dataclasses.dataclass(frozen=True)
class _Plan:
    """How frames come out of an embedding video."""

    grouping: Grouping
    size: tuple[int, int]  # of a group's images
    rate: Fraction
    frames: int | None  # None: all that come


def _grouping(codec: Codec, side_by_side: bool) -> Grouping:
    return (SideBySide if side_by_side else Blocks)(codec.network.num_images)


def _with_usable_record(file: EmbeddingVideo) -> EmbeddingVideo:
    """The same file; a record that says nothing usable of the video becomes a problem."""
    if file.record is None:
        return file
    problem = _unusable(file.record.about, file.record.images, len(file.hashes))
    if problem is None:
        return file
    problem = f"has a record that cannot be used: {problem}"
    return dataclasses.replace(file, record=None, hashes=(), problem=problem)


def _unusable(about: Mapping, images: int, embeddings: int) -> str | None:
    """What is wrong with the part of a record that is about the video; it is not trusted."""
    grouping, frames, rate = (about.get(name) for name in ("grouping", "frames", "rate"))
    per_group = {Blocks.name: images, SideBySide.name: 1}.get(str(grouping))
    if per_group is None:
        return f"its grouping cannot be {repr(grouping)[:80]}"
    if not (is_integer(frames, 1, 2**31 - 1) and -(-frames // per_group) == embeddings):
        return f"{embeddings} embeddings cannot hold {repr(frames)[:80]} frames"
    if not (
        isinstance(rate, list)
        and len(rate) == 2
        and all(is_integer(number, 1, 2**31 - 1) for number in rate)
        and SLOWEST <= Fraction(*rate) <= FASTEST
    ):
        return f"its rate cannot be {repr(rate)[:80]}"
    return None


def _plan(file: EmbeddingVideo, codec: Codec, side_by_side, size) -> _Plan:
    record, video = file.record, file.video
    if record is not None:
        side_by_side = record.about["grouping"] == SideBySide.name
    grouping = _grouping(codec, bool(side_by_side))
    if record is not None and record.images == codec.network.num_images:
        rate, frames = Fraction(*record.about["rate"]), record.about["frames"]
    else:
        rate, frames = video.rate * grouping.frames, None
    if rate > FASTEST:
        raise UserError(
            f"{video.path} would be restored to {float(rate):.6g} frames a second, and at most "
            f"{float(FASTEST):g} are possible: use the model that embedded it"
        )
    return _Plan(grouping, codec.images_size(video.size, size, video.path, record), rate, frames)


def _write_video(output: Path, frames: Iterator[Frame], plan: _Plan, sound) -> tuple[str, ...]:
    size, container, notes = plan.grouping.frame_size(*plan.size), output.suffix.lower(), ()
    if container == LOSSY:
        if size[0] % 2 or size[1] % 2:
            raise UserError(
                f"{output} would have {size[1]}x{size[0]} pixels, and {LOSSY} takes even sizes "
                f"only: write {output.with_suffix(LOSSLESS)}"
            )
        notes = (f"is compressed with a little loss: {LOSSLESS} keeps the pixels as restored",)
    with replacing(output) as temporary:
        return notes + video_file.write_video(
            temporary, frames, size, plan.rate, container=container, sound=sound
        )
