"""Reads untrusted video files frame by frame; writes videos with sound.

Frames are HWC uint8 RGB on the host, one at a time; times are in seconds, rates in frames a second.
"""

import contextlib
import heapq
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import av
from av.video.reformatter import ColorRange, Colorspace

from iicnet_jax.imaging.video_reader import Video, input_errors, opened, pictures
from iicnet_jax.media.grouping import Frame

LOSSLESS, LOSSY = ".mkv", ".mp4"
CONTAINERS = {LOSSLESS: "matroska", LOSSY: "mp4"}
GAP = Fraction(1, 10)  # seconds


def write_video(
    path: Path,
    frames: Iterable[Frame],
    size: tuple[int, int],
    rate: Fraction,
    *,
    container: str = LOSSLESS,
    sound: Video | None = None,
) -> tuple[str, ...]:
    """Encodes frames as a video, and copies the sound of another one into it.

    `.mkv` is coded without loss (FFV1), `.mp4` with little loss (H.264, 4:2:0, even sizes only).
    The sound keeps its distance from the first frame; what the container does not take as it is
    is coded anew, or left out. Returns notes, a clause about `path` each.

    Raises:
      OSError: the disk refuses.
      UserError: the video with the sound cannot be read any more.
    """

    def add(output, _stack):
        stream = (_add_lossless if container == LOSSLESS else _add_lossy)(output, rate, size)
        stream.height, stream.width = size
        stream.codec_context.time_base = 1 / rate
        return stream, _encoded(stream, frames)

    return _mux(path, container, add, sound, {})


def copy_video(
    path: Path,
    coded: Video,
    *,
    sound: Video | None = None,
    attachments: Mapping[str, bytes] | None = None,
) -> tuple[str, ...]:
    """Puts the coded frames of one video, the sound of another and attachments into an MKV file.

    Raises:
      OSError, UserError: as `write_video`.
    """

    def add(output, stack):
        source = pictures(stack.enter_context(opened(coded.path, coded.limits)))
        stream, packets = _copied(output, source)
        stream.codec_context.framerate = coded.rate
        return stream, packets

    return _mux(path, LOSSLESS, add, sound, attachments or {})


def _mux(
    path: Path,
    container: str,
    add_video: Callable,
    sound: Video | None,
    attachments: Mapping[str, bytes],
) -> tuple[str, ...]:
    """Writes the packets of a video and of a sound track in the order of their times."""
    add_sound, notes = _sound_track(sound, container) if sound and sound.sound else (None, ())
    try:
        with contextlib.ExitStack() as stack, _output(path, container) as output:
            coded, delay = add_video(output, stack), Fraction(0)
            tracks = []
            if add_sound:
                source = stack.enter_context(opened(sound.path, sound.limits)).streams.audio[0]
                # MP4 cuts what has a negative time.
                delay = max(delay, _lead(sound, source))
                tracks = [_moved(*add_sound(output, source), delay - sound.start)]
            for name, data in attachments.items():
                output.add_attachment(name, "application/octet-stream", data)
            output.start_encoding()
            for packet in heapq.merge(_moved(*coded, delay), *tracks, key=_time):
                output.mux(packet)
    except av.FFmpegError as error:
        raise OSError(error.errno, error.strerror) from error
    return notes


def _output(path: Path | str, container: str) -> av.container.OutputContainer:
    return av.open(f"file:{path}", "w", format=CONTAINERS[container])


def _sound_track(sound: Video, container: str) -> tuple[Callable | None, tuple[str, ...]]:
    """How the sound gets into such a container, found by trying, and notes."""
    for add in (_copied, _reencoded):
        with input_errors(sound.path), opened(sound.path, sound.limits) as file:
            source = file.streams.audio[0]
            coding = source.codec_context.name if source.codec_context else "of an unknown coding"
            if abs(_lead(sound, source)) > sound.limits.seconds:
                return None, ("has no sound: it begins too long before or after the pictures",)
            try:
                with _output(os.devnull, container) as output:
                    target, packets = add(output, source)
                    output.start_encoding()
                    for packet in packets:
                        output.mux(packet)
            except (ArithmeticError, ValueError, av.FFmpegError):
                continue
        if add is _copied:
            return add, ()
        new = f"{target.codec.name.upper()}, {target.layout.name}"
        return add, (f"has its sound as {new}: {container} does not take {coding}",)
    return None, (f"has no sound: {coding} can neither be copied to {container} nor decoded",)


def _lead(sound: Video, source) -> Fraction:
    """Seconds from the beginning of the sound to the first frame."""
    return sound.start - (source.start_time or 0) * source.time_base


def _time(packet) -> Fraction:
    return packet.dts * packet.time_base


def _add_lossless(output, rate, size):
    # Every frame by itself, with a checksum a slice: players can jump, and damage is noticed.
    slices = "4" if min(size) > 1 else "1"  # four are two by two
    stream = output.add_stream(
        "ffv1", rate=rate, options={"level": "3", "g": "1", "slicecrc": "1", "slices": slices}
    )
    stream.pix_fmt = "bgr0"
    return stream


def _add_lossy(output, rate, _size):
    stream = output.add_stream("libx264", rate=rate, options={"crf": "12"})
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.colorspace = context.color_primaries = context.color_trc = Colorspace.ITU709
    context.color_range = ColorRange.MPEG
    return stream


def _encoded(stream, frames: Iterable[Frame]) -> Iterator[av.Packet]:
    context = stream.codec_context
    for number, pixels in enumerate(frames):
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
            format=stream.pix_fmt, dst_colorspace=Colorspace.ITU709
        )
        frame.pts, frame.time_base = number, context.time_base
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _copied(output, source) -> tuple[av.stream.Stream, Iterator[av.Packet]]:
    """A stream of the output with the packets of another one.

    Raises ValueError, also later: they have no place in it.
    """
    target = output.add_stream_from_template(source)
    # Of two packets, the second must be later. MKV rounds times to milliseconds, and so has
    # packets at the same time.
    strictly = output.format.name != CONTAINERS[LOSSLESS]

    def packets():
        last = None
        for packet in source.container.demux(source):
            if packet.dts is None:
                continue
            if packet.pts is None or (last is not None and packet.dts < last + strictly):
                raise ValueError("its times do not increase")
            # Where the container does not say how long the last one is, it would not be played.
            packet.duration = packet.duration or packet.dts - (packet.dts if last is None else last)
            last = packet.dts
            packet.stream = target
            yield packet

    return target, packets()


def _reencoded(output, source) -> tuple[av.stream.Stream, Iterator[av.Packet]]:
    """A stream of the output with other sound, as FLAC in an MKV and as AAC in an MP4."""
    frames = source.container.decode(source)
    first = next(frames, None) if source.codec_context else None
    if first is None:
        raise ValueError("it cannot be decoded")
    rate, channels = first.sample_rate, first.layout.nb_channels
    if output.format.name == CONTAINERS[LOSSLESS]:
        target = output.add_stream("flac", rate=rate)
        target.format = "s16" if first.format.bytes <= 2 else "s32"
    else:
        rates = av.Codec("aac", "w").audio_rates
        target = output.add_stream("aac", rate=rate if rate in rates else 48_000)
        target.bit_rate = 96_000 * channels
    target.layout = {1: "mono", 6: "5.1", 8: "7.1"}.get(channels, "stereo")

    def packets():
        end = None
        for frame in itertools.chain([first], frames):
            # Containers round times; only a gap that is heard interrupts the count of samples.
            time = end if frame.pts is None else frame.pts * frame.time_base
            if end is None or time - end > GAP:
                end = time or Fraction(0)
            frame.time_base = Fraction(1, frame.sample_rate)
            frame.pts = round(end * frame.sample_rate)
            end += frame.samples * frame.time_base
            yield from target.encode(frame)
        yield from target.encode(None)

    return target, packets()


def _moved(target, packets: Iterator[av.Packet], seconds: Fraction) -> Iterator[av.Packet]:
    """The packets of a stream, so much later; asked for once the header is written."""
    for packet in packets:
        scale = packet.time_base / target.time_base
        shift = seconds / target.time_base
        packet.pts = round(packet.pts * scale + shift)
        packet.dts = round(packet.dts * scale + shift)
        packet.duration = round((packet.duration or 0) * scale)
        packet.time_base = target.time_base
        yield packet
