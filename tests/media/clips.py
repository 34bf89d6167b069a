"""Small videos and animations, and a network whose embeddings give every image back."""

import dataclasses
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from jaxtyping import UInt8
from PIL import Image

from iicnet_jax.inference.codec import Codec
from tests.media.pictures import MODEL, Thumbnails

RATE = Fraction(30000, 1001)
SIDE = 16
RGB = {"qp": "0", "bf": "0"}


def numbered(count, height=SIDE, width=SIDE):
    """Frames of one brightness each, which tells their number: 4, 8, 12, ..."""
    return [np.full((height, width, 3), 4 * (number + 1), np.uint8) for number in range(count)]


def numbers(frames):
    """What `numbered` put in, from the middle of each frame."""
    return [round(int(frame[SIDE // 4, SIDE // 4, 0]) / 4) - 1 for frame in frames]


class Columns(Thumbnails):
    """Embeds the brightness of every image, one a column, and restores images of one brightness.

    So the order of the images is seen, and every pixel of an embedding matters.
    """

    def embed(self, frames: UInt8[np.ndarray, "n h w 3"], dtype) -> UInt8[np.ndarray, "h2 w2 k"]:
        assert dtype == np.uint8
        values = frames[:, 0, 0, 0]
        height, width = self.model.embedding_size(*frames.shape[1:3])
        row = np.resize(values, width)
        return np.broadcast_to(
            row[None, :, None], (height, width, self.model.embedding_channels)
        ).copy()

    def restore(self, embedding, size):
        values = np.resize(embedding[0, :, 0], self.model.num_images)
        return np.broadcast_to(values[:, None, None, None], (len(values), *size, 3)).copy()


def columns(num_images=3, channels=3, task="video", fingerprint=MODEL):
    return Codec(Columns(num_images, channels), task, fingerprint)


def write_clip(
    path: Path,
    frames,
    rate=RATE,
    sound=None,
    codec="libx264rgb",
    times=None,
    chunk=1024,
    matrix=None,
    sound_start=0,
    sound_rate=48000,
    layout="mono",
    **options,
) -> Path:
    """A video without loss, with a tone of as many seconds if a codec for it is named.

    `matrix`: a, b, c, d of how it is to be shown. `sound_start`: in seconds.
    """
    rate, options = Fraction(rate), options or (RGB if codec == "libx264rgb" else {})
    with av.open(str(path), "w") as output:
        video = output.add_stream(
            codec, rate=rate, options=options or (RGB if codec == "libx264rgb" else {})
        )
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt = {"libx264rgb": "rgb24", "ffv1": "bgr0"}.get(codec, "yuv420p")
        video.codec_context.time_base = 1 / rate
        if matrix is not None:
            a, b, c, d = (round(value * 65536) for value in matrix)
            video.set_display_matrix([a, b, 0, c, d, 0, 0, 0, 1 << 30])
        audio = output.add_stream(sound, rate=sound_rate) if sound else None
        if audio is not None:
            audio.layout = layout
            if sound.startswith("wma"):
                audio.bit_rate = 128_000
            for packet in _tone(audio, len(frames) / rate, chunk, sound_start):
                output.mux(packet)
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts = number if times is None else times[number]
            frame.time_base = 1 / rate
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
    return path


def _tone(stream, seconds, chunk, start):
    rate = stream.rate
    samples = np.arange(round(rate * seconds))
    wave = (8000 * np.sin(samples * (2 * np.pi * 440 / rate))).astype(np.int16)
    resampler = av.AudioResampler(format=stream.format.name, layout=stream.layout, rate=rate)
    for first in range(0, len(wave), chunk):
        frame = av.AudioFrame.from_ndarray(wave[None, first : first + chunk], "s16", "mono")
        frame.sample_rate, frame.pts = rate, round(rate * start) + first
        for converted in resampler.resample(frame):
            yield from stream.encode(converted)
    yield from stream.encode(None)


@dataclasses.dataclass
class Clip:
    """What a player finds in a video file."""

    frames: list
    rate: Fraction
    seconds: float
    sound: str | None  # codec
    sound_packets: list  # bytes


def read_clip(path: Path) -> Clip:
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        rate = container.streams.video[0].average_rate
        seconds = container.duration / av.time_base
        audio = container.streams.audio
        codec = audio[0].codec_context.name if audio else None
    packets = []
    if codec:
        with av.open(str(path)) as container:
            packets = [bytes(packet) for packet in container.demux(audio=0) if packet.size]
    return Clip(frames, rate, seconds, codec, packets)


def write_gif(path: Path, count, durations=100, height=SIDE, width=SIDE, **options) -> Path:
    frames = [Image.fromarray(frame) for frame in numbered(count, height, width)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=durations, **options)
    return path
