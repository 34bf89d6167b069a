"""DAVIS 2017: sequences in which the camera pans and zooms over photographs."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from PIL import Image

from experiments.datasets.photographs import photograph, save

WIDTH, HEIGHT = 208, 144  # of the sample
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


def write(folder: Path, sequences: Iterable[tuple], **jpeg: int) -> dict[str, int]:
    """Writes sequences: part, name, frames of each; returns the number in each part."""
    counts = Counter()
    for part, name, frames in sequences:
        place = folder / f"DAVIS-2017-{part}" / "JPEGImages" / "480p" / name
        for time, frame in enumerate(frames):
            save(frame, place / f"{time:05d}.jpg", **jpeg)
        counts[part] += 1
    return dict(counts)


def write_sample(folder: Path) -> dict[str, int]:
    """Writes the sample."""
    sequences = (
        (part, f"{kind}-{name}", film(name, *values))
        for part in PANS
        for kind, film, table in (("pan", _pan, PANS), ("zoom", _zoom, ZOOMS))
        for name, values in table[part].items()
    )
    return write(folder, sequences, quality=92)


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
