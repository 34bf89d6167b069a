"""Real Matting: videos in which an oval piece of one photograph moves over another."""

import csv
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from PIL import Image

from experiments.datasets.photographs import photograph, save, soft_ellipse

WIDTH, HEIGHT = 320, 240
FRAMES = 12
MARGIN = 2  # pixels by which a hand shakes at most
# Encoders with their options, the first of which that FFmpeg was built with is used. One thread
# and x264 without assembly (which reads memory that was never written): the same bytes every time.
ENCODERS = {
    "libx264": {"crf": "16", "x264-params": "no-asm=1"},
    "mpeg4": {"qmin": "2", "qmax": "2"},
}
# As in the dataset, background 12 validates, backgrounds 1, 3 and 10 test, the others train.
# mode, folder, filename, background, its number, what moves, its number
VIDEOS = (
    ("fixed-camera", "train", "am", "motorcycle", 2, "astronaut", 1),
    ("fixed-camera", "train", "gc", "coffee", 12, "grass", 2),
    ("fixed-camera", "test_paper", "cr", "rocket", 1, "chelsea", 3),
    ("hand-held", "train", "ih", "hubble", 4, "ihc", 4),
    ("hand-held", "test_paper", "rc", "chelsea", 3, "rocket", 5),
)
COLUMNS = (
    "sample_id,mode,folder,filename,background,background_id,"
    "person,person_id,person_clothes_id,clothes_id"
)


def write_sample(folder: Path) -> dict[str, int]:
    """Writes videos, backgrounds and label.csv; returns the number of videos."""
    with open(folder / "label.csv", "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS.split(","))
        for number, video in enumerate(VIDEOS, start=1):
            *_, person = video
            table.writerow([number, *video, 1, person])
    for mode, subfolder, filename, background, _, person, seed in VIDEOS:
        shake = MARGIN if mode == "hand-held" else 0
        scene = photograph(background, WIDTH + 2 * MARGIN, HEIGHT + 2 * MARGIN)
        path = folder / mode / subfolder / filename
        save(_view(scene, MARGIN, MARGIN), path.with_suffix(".png"))
        _write_video(path.with_suffix(".mp4"), _frames(scene, person, shake, seed))
    return {"videos": len(VIDEOS)}


def _frames(scene, person, shake, seed) -> Iterator[Image.Image]:
    rng = np.random.default_rng(seed)
    piece, matte = photograph(person, 120, 160), soft_ellipse(120, 160)
    for number in range(FRAMES):
        frame = scene.copy()
        frame.paste(piece, (40 + 10 * number, 60), matte)
        left, top = rng.integers(MARGIN - shake, MARGIN + shake, size=2, endpoint=True)
        yield _view(frame, int(left), int(top))


def _view(scene: Image.Image, left: int, top: int) -> Image.Image:
    return scene.crop((left, top, left + WIDTH, top + HEIGHT))


def _write_video(path: Path, frames: Iterator[Image.Image]) -> None:
    encoder = next(name for name in ENCODERS if name in av.codecs_available)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(encoder, rate=12, options=ENCODERS[encoder])
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.thread_count = 1
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_image(frame)))
        container.mux(stream.encode())
