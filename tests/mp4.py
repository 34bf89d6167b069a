"""Small video files."""

import struct
from pathlib import Path

import av
import numpy as np

CODEC = "libx264" if "libx264" in av.codecs_available else "mpeg4"


def write_video(path: Path, frames, times=None, codec=CODEC, container=None, **options) -> Path:
    """Encodes frames (HWC uint8 RGB, even sides), shown at `times` (default 0, 1, 2 ...)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", options=container or {}) as output:
        stream = output.add_stream(codec, rate=25)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1  # the same bytes every time
        stream.options = {"g": "10", **options}
        for number, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = number if times is None else times[number]
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def with_edits(path: Path, edits, rate: int) -> Path:
    """Lets the edit list of an MP4 show so many frames of its first track from each `first` on.

    Args:
      path: of a file whose index is behind its frames; changed in place.
      edits: pairs of first frame, counted from 0, and number of frames.
      rate: frames a second.
    """
    data = bytearray(path.read_bytes())
    scale = int.from_bytes(data[data.index(b"mdhd") + 16 :][:4], "big")
    movie = int.from_bytes(data[data.index(b"mvhd") + 16 :][:4], "big")
    boxes = [data.index(name) - 4 for name in (b"moov", b"trak", b"edts", b"elst")]
    count, _, start = struct.unpack_from(">IIi", data, boxes[-1] + 12)
    data[boxes[-1] + 12 : boxes[-1] + 16 + 12 * count] = struct.pack(">I", len(edits)) + b"".join(
        struct.pack(">IiI", shown * movie // rate, start + first * scale // rate, 1 << 16)
        for first, shown in edits
    )
    for box in boxes:
        (size,) = struct.unpack_from(">I", data, box)
        struct.pack_into(">I", data, box, size + 12 * (len(edits) - count))
    path.write_bytes(data)
    return path


def grey(value: int, height: int, width: int) -> np.ndarray:
    """An image of one brightness."""
    return np.full((height, width, 3), value, np.uint8)
