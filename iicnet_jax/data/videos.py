"""Counting and decoding the frames of a video file (HWC uint8 RGB), upright as players show them.

A video's frames are those that a player shows: cut ones are not counted.
"""

import bisect
import contextlib
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

from iicnet_jax.data.images import RGB
from iicnet_jax.errors import UserError

SUFFIX = ".mp4"


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
    # Frames that are shown before a key frame may depend on the one before it, even where they
    # are stored behind both.
    before = bisect.bisect_right(keys, frames[number]) - 1
    with _open(path) as (container, stream):
        container.seek(keys[max(before, 0)], stream=stream)
        for frame in _decode(container, stream):
            if frame.pts == frames[number]:
                return _upright(frame)
    raise UserError(f"frame {number} of {path} cannot be decoded: replace the file")


def read_frames(path: Path) -> Iterator[RGB]:
    """All frames, one after the other; faster than each by itself. Raises as `read_frame` does."""
    with _open(path) as (container, stream):
        stream.thread_type = "AUTO"
        for frame in _decode(container, stream):
            yield _upright(frame)


class _Index(NamedTuple):
    """When the frames are shown, in order, in the stream's units; and the key frames."""

    frames: list[int]
    keys: list[int]


@functools.lru_cache(maxsize=1024)
def _index(path: Path) -> _Index:
    """Reads the packets of a video, without decoding them."""
    with _open(path) as (container, stream):
        packets = [packet for packet in container.demux(stream) if packet.pts is not None]
        # The header counts frames that are cut, too; where it does not know, it says 0.
        if len(packets) < stream.frames or any(packet.is_corrupt for packet in packets):
            raise UserError(f"{path} ends too early: replace the file")
    frames = sorted(packet.pts for packet in packets if not packet.is_discard)
    keys = sorted(packet.pts for packet in packets if packet.is_keyframe)
    if not (frames and keys):
        raise UserError(f"{path} holds no frames: replace the file")
    return _Index(frames, keys)


def _decode(container, stream):
    """The frames from where the container stands."""
    for frame in container.decode(stream):
        if frame.is_corrupt:
            raise UserError(f"{container.name} has damaged frames: replace the file")
        yield frame


def _upright(frame) -> RGB:
    """Cameras store what was filmed upright as it fell on the sensor, and the angle beside it."""
    image = np.rot90(frame.to_ndarray(format="rgb24"), frame.rotation // 90)
    return np.ascontiguousarray(image)


@contextlib.contextmanager
def _open(path: Path):
    """A container and its first video stream."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise UserError(f"{path} holds no video: replace the file")
            yield container, container.streams.video[0]
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing: complete the dataset") from error
    except av.FFmpegError as error:
        raise UserError(f"{path} cannot be read as a video ({error}): replace the file") from error
