"""Reads and writes embedding videos: lossless videos with a record of their content."""

import dataclasses
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from iicnet_jax.core.errors import UserError
from iicnet_jax.core.files import replacing
from iicnet_jax.imaging import video_reader
from iicnet_jax.imaging.video_reader import LIMITS, Limits, Video
from iicnet_jax.media import diagnosis, video_file
from iicnet_jax.media.embedding_file import Record, pixel_fingerprint, with_channels
from iicnet_jax.media.grouping import Frame
from iicnet_jax.media.video_file import LOSSLESS

# Names of the attachments.
RECORD, HASHES = "iicnet.json", "iicnet.sha256"
LINES = re.compile(rb"(?:[0-9a-f]{64}\n)+")

Pixels = UInt8[np.ndarray, "h w k"]


@dataclasses.dataclass(frozen=True)
class EmbeddingVideo:
    """A file that was examined, whatever its state."""

    video: Video
    record: Record | None
    hashes: tuple[str, ...]  # of the frames' pixels; none without a record
    problem: str | None  # why the images may not come back, a clause about the file

    @property
    def path(self) -> Path:
        return self.video.path


def write_embedding_video(
    path: Path,
    embeddings: Iterable[Pixels],
    size: tuple[int, int],
    rate: Fraction,
    describe: Callable[[str], Record],
    *,
    sound: Video | None = None,
) -> tuple[Record, tuple[str, ...]]:
    """Writes an MKV file without loss, and reads it back, or leaves nothing.

    Args:
      path: where to.
      embeddings: 1 or 3 channels; taken one at a time.
      size: their height and width.
      rate: embeddings a second.
      describe: called after the last embedding with the fingerprint of all pixels.
      sound: a video whose sound is copied.

    Returns:
      The record and notes, a clause about the file each.

    Raises:
      UserError: the disk refuses, or what is read back differs.
    """
    hashes = []

    def frames() -> Iterator[Frame]:
        for pixels in embeddings:
            hashes.append(pixel_fingerprint(pixels))
            yield with_channels(pixels, 3)

    with replacing(path) as temporary:
        # The record stands before the frames in the file, but is known after them.
        pictures = temporary.with_name(f"pictures{LOSSLESS}")
        video_file.write_video(pictures, frames(), size, rate)
        lines = "".join(f"{digest}\n" for digest in hashes).encode()
        record = describe(hashlib.sha256(lines).hexdigest())
        limits = Limits(pixels=size[0] * size[1], frames=len(hashes), seconds=float("inf"))
        notes = video_file.copy_video(
            temporary,
            dataclasses.replace(video_reader.examine(pictures, limits), rate=rate),
            sound=sound,
            attachments={RECORD: record.to_json().encode(), HASHES: lines},
        )
        _check(temporary, record, limits, path)
    return record, notes


def examine(path: Path, limits: Limits = LIMITS) -> EmbeddingVideo:
    """Reads what the file says of itself. Raises UserError as `video_reader.examine`."""
    video = video_reader.examine(path, limits)
    try:
        record, hashes = _find_record(video)
    except ValueError as error:
        return EmbeddingVideo(video, None, (), f"has a record that cannot be used: {error}")
    return EmbeddingVideo(video, record, hashes, None)


def read_embeddings(file: EmbeddingVideo, found: list[str] | None = None) -> Iterator[Pixels]:
    """The frames, one after the other, compared with the record where there is one.

    Frames of one channel come as three if they have got colours since. `found`: takes what was
    changed, a few words each, instead of an error.

    Raises:
      UserError: the file is damaged; without `found`, also if frames were changed or are missing.
    """

    def changed(what):
        if found is None:
            raise UserError(
                f"{file.path} {describe_changes(file, [what])} (--force restores what can be "
                "restored)"
            )
        found.append(what)

    number = -1
    for number, frame in enumerate(video_reader.read_frames(file.video)):
        if file.record is None:
            yield frame
            continue
        pixels = with_channels(frame, file.record.channels)
        pixels = frame if pixels is None else pixels
        if file.hashes[number : number + 1] != (pixel_fingerprint(pixels),):
            changed(f"frame {number}")
        yield pixels
    if number + 1 < len(file.hashes):
        changed(f"no frame {number + 1}")


def describe_changes(file: EmbeddingVideo, found: Sequence[str]) -> str:
    """A clause about a file with a record, from what `read_embeddings` found."""
    video = file.video
    others = f" and {len(found) - 1} more" if len(found) > 1 else ""
    happened = diagnosis.in_video(
        video.size, file.record.size, video.codec, video.frames, len(file.hashes)
    )
    return (
        f"has been changed since it was written ({found[0]}{others}): {happened}. The images do "
        "not come back as they were: look for the original file"
    )


def inspect(path: Path, limits: Limits = LIMITS) -> dict:
    """As `embedding_file.inspect`, with `frames`, `rate` and `sound`; reads all of the file.

    Raises:
      UserError: the file is no video, damaged, or beyond the limits.
    """
    file = examine(path, limits)
    changes, video = [], file.video
    for _ in read_embeddings(file, changes):
        pass
    return {
        "file": str(path),
        "format": "VIDEO",
        "height": video.size[0],
        "width": video.size[1],
        "frames": video.frames,
        "rate": [video.rate.numerator, video.rate.denominator],
        "sound": video.sound,
        "record": None if file.record is None else dataclasses.asdict(file.record),
        "intact": None if file.record is None else not changes,
        "problem": describe_changes(file, changes) if changes else file.problem,
    }


def _find_record(video: Video) -> tuple[Record | None, tuple[str, ...]]:
    """Raises ValueError if there is a record that cannot be used."""
    text, lines = (video.attachments.get(name) for name in (RECORD, HASHES))
    if text is None:
        return None, ()
    record = Record.from_json(text)
    if lines is None or not LINES.fullmatch(lines):
        raise ValueError(f"the attachment {HASHES} is missing or damaged")
    if hashlib.sha256(lines).hexdigest() != record.pixels:
        raise ValueError(f"the attachment {HASHES} does not belong to it")
    return record, tuple(lines.decode().split())


def _check(written: Path, record: Record, limits: Limits, path: Path) -> None:
    """Raises UserError unless the file holds what was to be written."""
    try:
        file = examine(written, limits)
        if file.record != record:
            raise UserError("has another record")
        for _ in read_embeddings(file):
            pass
    except UserError as error:
        raise UserError(
            f"{path} was read back, and differs from what was written: check the disk, or write "
            "it to another one"
        ) from error
