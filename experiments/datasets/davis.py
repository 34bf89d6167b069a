"""DAVIS 2017: sequences in which the camera pans and zooms over photographs."""

from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from experiments.datasets.photographs import photograph, save_jpeg

WIDTH, HEIGHT = 208, 144
FRAMES = 75  # fifteen images at a frame stride of 5 span 71

# Of test-dev, the sequences at odd places of the alphabet train, the others validate.
# The camera moves so many pixels (right, down) a frame, ...
PANS = {
    "trainval": {"hubble": (2, 0), "ihc": (1, 1), "motorcycle": (1, 0), "retina": (0, 1)},
    "test-dev": {"astronaut": (1, 0), "coffee": (1, 0)},
    "test-challenge": {"chelsea": (1, 0), "rocket": (0, 1)},
}
# ... or shows the middle magnified, so many times in the first and in the last frame.
ZOOMS = {
    "trainval": {
        "hubble": (1.4, 1.0),
        "ihc": (1.0, 1.4),
        "motorcycle": (1.3, 1.0),
        "retina": (1.0, 1.5),
    },
    "test-dev": {"astronaut": (1.0, 1.4), "coffee": (1.4, 1.0)},
    "test-challenge": {"chelsea": (1.0, 1.4)},
}


def write(folder: Path) -> dict[str, int]:
    """Writes the three parts; returns the number of sequences in each."""
    for part in PANS:
        sequences = folder / f"DAVIS-2017-{part}" / "JPEGImages" / "480p"
        for name, (right, down) in PANS[part].items():
            _write_sequence(sequences / f"pan-{name}", _pan(name, right, down))
        for name, (first, last) in ZOOMS[part].items():
            _write_sequence(sequences / f"zoom-{name}", _zoom(name, first, last))
    return {part: len(PANS[part]) + len(ZOOMS[part]) for part in PANS}


def _pan(name: str, right: int, down: int) -> Iterator[Image.Image]:
    travel = FRAMES - 1
    image = photograph(name, WIDTH + travel * right, HEIGHT + travel * down)
    for number in range(FRAMES):
        left, top = number * right, number * down
        yield image.crop((left, top, left + WIDTH, top + HEIGHT))


def _zoom(name: str, first: float, last: float) -> Iterator[Image.Image]:
    # Large enough that nothing is enlarged.
    width, height = (round(side * max(first, last)) for side in (WIDTH, HEIGHT))
    image = photograph(name, width, height)
    for number in range(FRAMES):
        magnification = first * (last / first) ** (number / (FRAMES - 1))
        right, down = (side / 2 / magnification for side in (width, height))
        box = (width / 2 - right, height / 2 - down, width / 2 + right, height / 2 + down)
        yield image.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC, box)


def _write_sequence(folder: Path, frames: Iterator[Image.Image]) -> None:
    for number, frame in enumerate(frames):
        save_jpeg(frame, folder / f"{number:05d}.jpg", quality=92)
