"""Decodes video files of any origin, damaged and hostile ones included, into 8-bit RGB.

Frames are HWC uint8 on the host, one at a time, upright and in the colours that players show; what
an edit list leaves out is no frame. Times are in seconds, rates in frames a second.
"""

import contextlib
import dataclasses
import struct
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.sidedata.sidedata import Type as SideData
from av.stream import Disposition
from av.video.reformatter import Colorspace

from iicnet_jax.core.errors import UserError, reading
from iicnet_jax.core.wording import width_x_height
from iicnet_jax.imaging import RGB
from iicnet_jax.imaging.picture_reader import MAX_PIXELS

# FFmpeg knows hundreds of formats, and some of them name other files: only widening the way in.
FORMATS = {"mov": "MP4 and MOV", "matroska": "MKV and WebM", "avi": "AVI"}
MAX_FRAMES = 100_000
MAX_SECONDS = 4 * 3600
MAX_SIDE = 32_767
SLOWEST, FASTEST = Fraction(1, 1000), Fraction(1000)
UNSPECIFIED = 2  # FFmpeg's matrix from YUV to RGB


@dataclasses.dataclass(frozen=True)
class Limits:
    """What is read at most of a video."""

    pixels: int = MAX_PIXELS  # of a frame
    frames: int | float = MAX_FRAMES
    seconds: int | float = MAX_SECONDS


LIMITS = Limits()  # where none are named


class Index(NamedTuple):
    """When the frames are shown, in order, in the stream's units."""

    frames: list[int]
    keys: list[int]  # the key frames; none if what lies behind one may be shown before it


@dataclasses.dataclass(frozen=True)
class Video:
    """A video file that was examined, but not decoded."""

    path: Path
    size: tuple[int, int]  # height and width of the frames
    index: Index
    rate: Fraction
    start: Fraction  # when the first frame is shown
    sound: bool
    codec: str  # FFmpeg's name of how the frames are coded
    notes: tuple[str, ...]  # what is not kept of it, a clause each
    attachments: Mapping[str, bytes]  # by name; not trusted
    limits: Limits

    @property
    def frames(self) -> int:
        """How many the file counts."""
        return len(self.index.frames)


def examine(path: Path, limits: Limits = LIMITS) -> Video:
    """Reads the packets of a video and decodes its first frame.

    Raises:
      UserError: the file is missing, no such video, damaged, or beyond the limits.
    """
    with input_errors(path), opened(path, limits) as container:
        stream = pictures(container)
        index, notes = _read_index(path, container, stream, limits), []
        times = index.frames
        rate, even = _rate(times, stream)
        if not even:
            notes.append(
                f"has frames at uneven times: they are shown evenly, {float(rate):.6g} a second"
            )
        seconds = (times[-1] - times[0]) * stream.time_base + 1 / rate
        if seconds > limits.seconds:
            raise UserError(
                f"lasts {float(seconds):.0f} seconds, and at most {limits.seconds:g} are read: cut "
                "it, or allow more with --max-seconds"
            )
        sounds = len(container.streams.audio)
        if sounds > 1:
            notes.append(f"has {sounds} sound tracks; only the first is kept")
        attachments = {
            track.name: track.data for track in container.streams.attachments if track.name
        }
    with input_errors(path), opened(path, limits) as container:
        stream = pictures(container)
        first = next(decoded(container, stream), None)
        if first is None:
            raise UserError("holds no frames that can be decoded: replace the file")
        size, codec = upright(first).shape[:2], stream.codec_context.name
        notes += _frame_notes(first, stream)
    start = times[0] * stream.time_base
    return Video(
        path, size, index, rate, start, sounds > 0, codec, tuple(notes), attachments, limits
    )


def read_frames(video: Video) -> Iterator[RGB]:
    """All frames, one after the other, upright as players show them.

    Raises:
      UserError: the file is damaged, or its frames differ in size.
    """
    with input_errors(video.path), opened(video.path, video.limits) as container:
        stream = pictures(container)
        stream.thread_type = "AUTO"
        for number, frame in enumerate(decoded(container, stream)):
            if number >= video.limits.frames:
                raise UserError(_too_many(video.limits))
            pixels = upright(frame)
            if pixels.shape[:2] != video.size:
                before, after = width_x_height(video.size), width_x_height(pixels.shape)
                raise UserError(
                    f"changes its size from {before} to {after} pixels at frame {number}: cut it "
                    "there"
                )
            yield pixels


@contextlib.contextmanager
def opened(path: Path, limits: Limits) -> Iterator[av.container.InputContainer]:
    """A container with a video, within `input_errors`: errors are the second half of a sentence."""
    # For frames whose size is not that of the header. FFmpeg counts rows as it pads them.
    decoding = {"max_pixels": str(min(2 * limits.pixels + 2**16, 2**31 - 1))}
    options = {"format_whitelist": ",".join(FORMATS), **decoding}
    # A file that is opened here cannot be taken for an address by its name.
    with (
        path.open("rb") as file,
        av.open(file, options=options, metadata_errors="replace") as container,
    ):
        context = pictures(container).codec_context
        if context is None:
            raise UserError("is coded in a way that is not known: convert it to H.264")
        if context.width * context.height > limits.pixels:
            raise UserError(
                f"has frames of more than {limits.pixels / 1e6:g} megapixels: make it smaller, "
                "or allow more with --max-pixels"
            )
        if max(context.width, context.height) > MAX_SIDE:
            raise UserError(
                f"has frames of {context.width}x{context.height} pixels, and at most {MAX_SIDE} a "
                "side are read: make it smaller"
            )
        context.options = decoding
        yield container


def pictures(container) -> av.VideoStream:
    """The first video stream that is not a still picture, as of a cover."""
    for stream in container.streams.video:
        if Disposition.attached_pic not in stream.disposition:
            return stream
    raise UserError("holds no video: name another file")


def input_errors(path: Path):
    """Whatever goes wrong in the body is the fault of that video."""
    return reading(path, _describe)


def _describe(error: Exception) -> str | None:
    if isinstance(error, (av.FFmpegError, OSError)):
        return (
            f"cannot be read as a video ({error.strerror}): replace the file, or convert it to one "
            f"of {', '.join(FORMATS.values())}"
        )
    return None


def _read_index(path: Path, container, stream, limits: Limits) -> Index:
    """Reads all packets, without decoding them. Raises UserError as `opened`."""
    frames, keys, packets, joined = [], [], 0, False
    for packet in container.demux(stream):
        time = packet.dts if packet.pts is None else packet.pts
        if packet.is_corrupt:
            raise UserError("is damaged: replace the file")
        if time is None:
            continue
        packets += 1
        if not packet.is_discard:
            frames.append(time)
        if packet.is_keyframe:
            keys.append(time)
            # Not shown, but needed for what an edit list shows next: its time says nothing.
            joined |= packet.is_discard and bool(frames)
        if packets > limits.frames:
            raise UserError(_too_many(limits))
    if _is_cut(path, container, stream, packets):
        raise UserError("ends too early: replace the file")
    if not frames:
        raise UserError("holds no frames: replace the file")
    return Index(sorted(frames), [] if joined else sorted(keys))


def _is_cut(path: Path, container, stream, packets: int) -> bool:
    """Whether the end of the file is missing.

    What the header counts is no proof: edit lists leave frames out, and AVI counts empty slots.
    """
    if "mov" in container.format.name:
        # Its index says where every frame and every piece of sound lies.
        return any(
            entry.pos + entry.size > container.size
            for track in (stream, *container.streams.audio[:1])
            for entry in track.index_entries
        )
    if "avi" in container.format.name and packets < stream.frames:
        return _riff_end(path, container.size) > container.size
    return False


def _riff_end(path: Path, size: int) -> int:
    """Where an AVI file of `size` bytes ends, as its parts of about a gigabyte say."""
    end = 0
    with path.open("rb") as file:
        for _ in range(1000):
            file.seek(end)
            name, length = file.read(4), int.from_bytes(file.read(4), "little")
            if end >= size or name != b"RIFF":
                break
            end += 8 + length
    return end


def _too_many(limits: Limits) -> str:
    return f"has more than {limits.frames} frames: cut it, or allow more with --max-frames"


def _rate(times: list[int], stream) -> tuple[Fraction, bool]:
    """Frames a second, and whether all of them are shown when that rate says."""
    seconds = (times[-1] - times[0]) * stream.time_base
    rate = stream.average_rate or (Fraction(len(times) - 1) / seconds if seconds else Fraction(25))
    ticks = np.array([time - times[0] for time in times], np.float64)
    shown = ticks * float(stream.time_base * rate)
    even = bool((np.abs(shown - np.arange(len(times))) < 0.5).all())
    if not even and seconds:
        rate = Fraction(len(times) - 1) / seconds
    rate = _common(rate)
    if not SLOWEST <= rate <= FASTEST:
        raise UserError(
            f"shows {float(rate):.6g} frames a second, and {float(SLOWEST):g} to "
            f"{float(FASTEST):g} are possible: convert it to another rate"
        )
    return rate, even


def _common(rate: Fraction) -> Fraction:
    """MKV stores whole nanoseconds a frame, so 60000/1001 comes as 19001/317."""
    for unit in (Fraction(1), Fraction(1000, 1001)):
        near = round(rate / unit) * unit
        if near and abs(rate / near - 1) < 1e-6:
            return near
    # Denominators stay within what containers hold, also after the division among many frames.
    return rate.limit_denominator(1_000_000)


def decoded(container, stream) -> Iterator[av.VideoFrame]:
    for frame in container.decode(stream):
        if frame.is_corrupt:
            raise UserError("has damaged frames: replace the file")
        yield frame


def upright(frame: av.VideoFrame) -> RGB:
    """Cameras store what was filmed upright as it fell on the sensor, and a matrix beside it."""
    # What high-definition videos that do not say it mean, for players too.
    unsaid = frame.colorspace == UNSPECIFIED and (frame.width >= 1280 or frame.height > 576)
    matrix = Colorspace.ITU709 if unsaid else None
    image = frame.to_ndarray(format="rgb24", src_colorspace=matrix)
    (a, b), (c, d) = orientation(frame)
    # A pixel of column x and row y is shown at column a x + c y and row b x + d y.
    if a == 0:
        image = image.swapaxes(0, 1)
    return np.ascontiguousarray(image[:: b + d, :: a + c])


def orientation(frame: av.VideoFrame) -> np.ndarray:
    """How a frame is turned and mirrored when it is shown: a (2, 2) matrix of 0 and +-1.

    Any angle becomes the nearest quarter turn.
    """
    matrix = _side_data(frame).get(SideData.DISPLAYMATRIX)
    if matrix is None:
        return np.eye(2, dtype=int)
    a, b, _, c, d = struct.unpack("=5i", bytes(matrix)[:20])
    across = abs(a) + abs(d) < abs(b) + abs(c)
    signs = np.where(np.array([[a, b], [c, d]]) < 0, -1, 1)
    return signs * (np.eye(2, dtype=int)[::-1] if across else np.eye(2, dtype=int))


def _side_data(frame: av.VideoFrame) -> Mapping:
    try:
        return frame.side_data
    except ValueError:
        # FFmpeg has kinds that PyAV has no name for, such as the EXIF data of a JPEG.
        unnamed = range(max(kind.value for kind in SideData) + 1, 64)
        graph = av.filter.Graph()
        source = graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1)
        )
        drops = [graph.add("sidedata", mode="delete", type=str(kind)) for kind in unnamed]
        graph.link_nodes(source, *drops, graph.add("buffersink")).configure()
        graph.push(frame)
        return graph.pull().side_data


def _frame_notes(frame: av.VideoFrame, stream) -> list[str]:
    notes = []
    bits = max(component.bits for component in frame.format.components)
    if bits > 8:
        notes.append(f"has {bits} bits a channel, and is reduced to 8")
    # VP8 and VP9 keep it beside the frames.
    beside = stream.metadata.get("alpha_mode", "0") != "0"
    if beside or any(component.is_alpha for component in frame.format.components):
        notes.append("has transparency, which is left out")
    matrix = orientation(frame)
    if np.linalg.det(matrix) < 0:
        notes.append("is mirrored, as it says itself")
    elif (matrix != np.eye(2)).any():
        notes.append("is turned upright, as it says itself")
    if abs(frame.rotation - 90 * round(frame.rotation / 90)) > 1:
        notes.append(
            f"is to be shown at an angle of {frame.rotation} degrees: the nearest quarter turn is "
            "taken"
        )
    if stream.sample_aspect_ratio not in (None, 0, 1):
        notes.append("has pixels that are not square, which is not kept: it may look stretched")
    return notes
