"""Reads single frames of the videos of datasets (HWC uint8 RGB), upright as players show them."""

import bisect
import contextlib
import functools
import itertools
from collections.abc import Iterator
from pathlib import Path

from iicnet_jax.core.errors import UserError
from iicnet_jax.imaging import RGB
from iicnet_jax.imaging.video_reader import (
    Index,
    Limits,
    decoded,
    input_errors,
    opened,
    pictures,
    read_index,
    upright,
)

SUFFIX = ".mp4"
LIMITS = Limits(frames=float("inf"))


def count_frames(path: Path) -> int:
    """How many frames a video has. Raises UserError if the file is damaged or no video."""
    return len(_index(path).frames)


def size(path: Path) -> tuple[int, int]:
    """Height and width of the frames. Raises UserError like `count_frames`."""
    return read_frame(path, 0).shape[:2]


def read_frame(path: Path, number: int) -> RGB:
    """Decodes one frame, counted from 0, beginning at the key frame before it.

    Raises:
      UserError: the file is missing, damaged, or has no such frame.
    """
    frames, keys = _index(path)
    if not 0 <= number < len(frames):
        raise UserError(f"{path} has {len(frames)} frames, no number {number}")
    if keys:
        # Frames that are shown before a key frame may depend on the one before it, even where
        # they are stored behind both.
        before = bisect.bisect_right(keys, frames[number]) - 1
        with _open(path) as (container, stream):
            container.seek(keys[max(before, 0)], stream=stream)
            for frame in decoded(container, stream):
                if frame.pts == frames[number]:
                    return upright(frame)
    else:
        for pixels in itertools.islice(read_frames(path), number, None):
            return pixels
    raise UserError(f"frame {number} of {path} cannot be decoded: replace the file")


def read_frames(path: Path) -> Iterator[RGB]:
    """All frames, one after the other; faster than each by itself. Raises as `read_frame` does."""
    with _open(path) as (container, stream):
        stream.thread_type = "AUTO"
        for frame in decoded(container, stream):
            yield upright(frame)


@functools.lru_cache(maxsize=1024)
def _index(path: Path) -> Index:
    with _open(path) as (container, stream):
        return read_index(path, container, stream, LIMITS)


@contextlib.contextmanager
def _open(path: Path):
    """A container and its video stream."""
    with input_errors(path), opened(path, LIMITS) as container:
        yield container, pictures(container)
