"""VOC2012: photographs at sizes of up to 500 pixels, two of them too small to be used."""

from pathlib import Path

from experiments.datasets.photographs import photograph, save_jpeg

# By name, whose order decides what trains: photograph, width, height.
TRAIN = {
    "2007_000027": ("astronaut", 486, 500),
    "2007_000032": ("hubble", 500, 281),
    "2007_000033": ("ihc", 500, 366),
    "2007_000039": ("motorcycle", 500, 375),
    "2007_000042": ("retina", 335, 500),
    "2008_000002": ("camera", 500, 375),
    "2008_000003": ("brick", 160, 333),
    "2008_000007": ("coins", 500, 327),
}
TEST = {
    "2011_000003": ("chelsea", 442, 300),
    "2011_000006": ("coffee", 500, 333),
    "2011_000007": ("rocket", 500, 333),
    "2012_000003": ("gravel", 240, 180),
}
SMALL = {"2007_000061": ("grass", 500, 143), "2011_000009": ("grass", 142, 200)}


def write(folder: Path) -> dict[str, int]:
    """Writes VOC2012/JPEGImages; returns the number of images and of those that train."""
    images = TRAIN | TEST | SMALL
    for name, image in images.items():
        path = folder / "VOC2012" / "JPEGImages" / f"{name}.jpg"
        save_jpeg(photograph(*image), path, quality=92)
    return {"images": len(images), "train": len(TRAIN)}
