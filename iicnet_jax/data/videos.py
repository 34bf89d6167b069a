"""Reads single frames of the videos of datasets (HWC uint8 RGB), upright as players show them."""

import bisect
import functools
import itertools
from collections.abc import Iterator
from pathlib import Path

from iicnet_jax.core.errors import UserError
from iicnet_jax.imaging import RGB, video_reader
from iicnet_jax.imaging.video_reader import Limits, Video

SUFFIX = ".mp4"
LIMITS = Limits(frames=float("inf"), seconds=float("inf"))


def count_frames(path: Path) -> int:
    """How many frames a video has. Raises UserError if the file is damaged or no video."""
    return _examine(path).frames


def size(path: Path) -> tuple[int, int]:
    """Height and width of the frames. Raises UserError like `count_frames`."""
    return _examine(path).size


def read_frame(path: Path, number: int) -> RGB:
    """Decodes one frame, counted from 0, beginning at the key frame before it.

    Raises:
      UserError: the file is missing, damaged, or has no such frame.
    """
    frames, keys = _examine(path).index
    if not 0 <= number < len(frames):
        raise UserError(f"{path} has {len(frames)} frames, no number {number}")
    if keys:
        # Frames that are shown before a key frame may depend on the one before it, even where
        # they are stored behind both.
        before = bisect.bisect_right(keys, frames[number]) - 1
        with video_reader.input_errors(path), video_reader.opened(path, LIMITS) as container:
            stream = video_reader.pictures(container)
            container.seek(keys[max(before, 0)], stream=stream)
            for frame in video_reader.decoded(container, stream):
                if frame.pts == frames[number]:
                    return video_reader.upright(frame)
    else:
        for pixels in itertools.islice(read_frames(path), number, None):
            return pixels
    raise UserError(f"frame {number} of {path} cannot be decoded: replace the file")


def read_frames(path: Path) -> Iterator[RGB]:
    """All frames, one after the other; faster than each by itself. Raises as `read_frame` does."""
    return video_reader.read_frames(_examine(path))


@functools.lru_cache(maxsize=1024)
def _examine(path: Path) -> Video:
    return video_reader.examine(path, LIMITS)
