"""Datasets in the published layouts from photographs and videos of one's own.

    python -m experiments.photographs --photos=DIR --videos=DIR --out=DIR

Writes flicker (hiding), VOCdevkit (grayscale), DIV2K (dual view, rescaling), DAVIS-2017 (video)
and flickr1024 (stereo), each with a `miniature.json` that lets it pass as the dataset, and
`pictures.json`, which says what is in which split. scikit-image's colour photographs join in.

No picture is in two splits, of whatever dataset. Sorted by name, so that neighbours stay together,
the last fifth tests, the tenth before it validates, the rest trains; sequences of frames likewise.
scikit-image's photographs keep the splits of `iicnet data sample`. (As published, rescaling trains
on pictures that validate elsewhere, and both rescaling and grayscale validate on what tests.)

What there is too little of is made: videos in which the camera moves over one photograph while a
piece of another passes by, and stereo pairs of a slanted photograph with nearer pieces of another.
The only true stereo pair is scikit-image's motorcycle, of which every split gets its own part.
"""

import argparse
import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from tqdm import tqdm

from experiments import datasets
from experiments.datasets import flickr1024, photographs
from iicnet_jax.core import console
from iicnet_jax.core.errors import UserError
from iicnet_jax.core.files import typed_path, write_json
from iicnet_jax.data.storage import is_junk
from iicnet_jax.imaging.picture_reader import SUFFIXES, read_picture
from iicnet_jax.imaging.resizing import imresize

SPLITS = ("train", "validation", "test")
VALIDATION, TEST = 0.1, 0.2
FEWEST = 5  # photographs, for one in each split
LONGEST_SIDE = 2040  # of a picture, as in DIV2K
QUALITY = 95  # of JPEG files
# Of scikit-image's colour photographs; the motorcycle is kept for the stereo pairs.
SCIKIT_IMAGE = {
    "train": ("astronaut", "hubble", "ihc", "retina"),
    "validation": ("coffee",),
    "test": ("chelsea", "rocket"),
}

# So many images of Flicker 2W that groups of 2, 3, 4 and 5 are split at the same places.
FLICKER = {"train": 420, "validation": 60, "test": 120}
FLICKER_SIDES = (576, 768)  # of an image, from the least; the task cuts squares of 576
DIV2K_SIDE = 576  # the least of an image: at x4, squares of 144 are cut from the reduced one
DIV2K_SCALES = (2, 4, 8)
VOC_SIDES = (333, 500)
VOC_IMAGES = 20  # of a picture
FRAME = (854, 480)  # width, height
FRAMES = 75  # fifteen images at a frame stride of 5 span 71
STEREO = (640, 480)
STEREO_PAIRS = 8  # of a picture
DISPARITIES = (0, 40)  # of the background in pixels; up to twice the most for what is before it

Splits = Mapping[str, Sequence[Path]]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        "experiments.photographs",
        description="Datasets in the published layouts from photographs and videos of one's own.",
    )
    parser.add_argument("--photos", type=typed_path, required=True, help="folder of photographs")
    parser.add_argument(
        "--videos", type=typed_path, help="folder with a folder of frames for each video"
    )
    parser.add_argument(
        "--out", type=typed_path, required=True, help="gets a folder for each dataset"
    )
    arguments = parser.parse_args()
    with console.exit_on_user_error():
        write(arguments.photos, arguments.videos, arguments.out)


def write(photos: Path, videos: Path | None, out: Path) -> None:
    """Writes all datasets; the same bytes every time.

    Raises:
      UserError: there are too few photographs, one is broken, or a dataset exists already.
    """
    pictures, sequences = find_pictures(photos), find_sequences(videos)
    writers = {
        "flicker": lambda folder: _write_flicker(folder, pictures),
        "VOCdevkit": lambda folder: _write_voc(folder, pictures),
        "DIV2K": lambda folder: _write_div2k(folder, pictures),
        "DAVIS-2017": lambda folder: _write_davis(folder, pictures, sequences),
        "flickr1024": lambda folder: _write_flickr1024(folder, pictures),
    }
    datasets.write_datasets(writers, out, progress=print)
    names = {
        kind: {split: [path.name for path in paths] for split, paths in splits.items()}
        for kind, splits in {"photographs": pictures, "videos": sequences}.items()
    }
    write_json(out / "pictures.json", names)


def find_pictures(folder: Path) -> Splits:
    """The photographs of a folder and those of scikit-image.

    Raises:
      UserError: there is no such folder, or it holds too few photographs.
    """
    found = _images(folder)
    if len(found) < FEWEST:
        raise UserError(f"{folder} holds {len(found)} photographs: give at least {FEWEST}")
    return {
        split: [
            *paths,
            *(photographs.FOLDER / photographs.FILES[name] for name in SCIKIT_IMAGE[split]),
        ]
        for split, paths in split_paths(found).items()
    }


def find_sequences(folder: Path | None) -> Splits:
    """The folders of frames in a folder; none where it is None."""
    folders = [path for path in _children(folder) if path.is_dir()] if folder else []
    return split_paths([path for path in folders if _images(path)])


def split_paths(paths: Sequence[Path]) -> Splits:
    """Consecutive parts; up to four paths do not validate, a single one trains."""
    test = max(round(TEST * len(paths)), int(len(paths) > 1))
    validation = max(round(VALIDATION * len(paths)), int(len(paths) >= FEWEST))
    train = len(paths) - test - validation
    return {
        "train": paths[:train],
        "validation": paths[train : train + validation],
        "test": paths[train + validation :],
    }


def _write_flicker(folder, pictures):
    rng = np.random.default_rng(0)
    large = _large(pictures, FLICKER_SIDES[0])
    order = [path for split in SPLITS for path in _rounds(rng, large[split], FLICKER[split])]
    for number, path in enumerate(_progress(order, "flicker")):
        image = _view(rng, _picture(path), rng.integers(*FLICKER_SIDES, 2, endpoint=True))
        _save_jpeg(_turned(rng, image), folder / "flicker_2W_images" / f"{number:05d}.jpg")
    return {"images": len(order)}


def _write_voc(folder, pictures):
    rng = np.random.default_rng(1)
    # The task validates on what tests, so that the pictures of that split are not used.
    order = [path for split in ("train", "test") for path in pictures[split] * VOC_IMAGES]
    for number, path in enumerate(_progress(order, "VOCdevkit")):
        image = _view(rng, _picture(path), rng.integers(*VOC_SIDES, 2, endpoint=True))
        _save_jpeg(_turned(rng, image), folder / f"VOC2012/JPEGImages/2012_{number:06d}.jpg")
    return {"images": len(order), "train": len(pictures["train"]) * VOC_IMAGES}


def _write_div2k(folder, pictures):
    large = _large(pictures, DIV2K_SIDE)
    parts = {"train": large["train"] + large["validation"], "valid": large["test"]}
    order = [(part, path) for part, paths in parts.items() for path in paths]
    for number, (part, path) in enumerate(_progress(order, "DIV2K"), start=1):
        image = _picture(path)
        width, height = (side - side % max(DIV2K_SCALES) for side in image.size)
        high = image.crop((0, 0, width, height))
        photographs.save_png(high, folder / f"DIV2K_{part}_HR" / f"{number:04d}.png")
        for scale in DIV2K_SCALES:
            low = Image.fromarray(imresize(np.asarray(high), height // scale, width // scale))
            subfolder = folder / f"DIV2K_{part}_LR_bicubic" / f"X{scale}"
            photographs.save_png(low, subfolder / f"{number:04d}x{scale}.png")
    counts = {part: len(paths) for part, paths in parts.items()}
    return counts | {"validation": len(large["validation"])}


def _write_davis(folder, pictures, sequences):
    rng = np.random.default_rng(2)
    made = {split: [(path, paths) for path in paths] for split, paths in pictures.items()}
    real = {split: [(path, None) for path in paths] for split, paths in sequences.items()}
    train, validation, test = ([*real[split], *made[split]] for split in SPLITS)
    # Of test-dev, the sequences at odd places of the alphabet train, the others validate.
    pairs = zip(train, validation, strict=False)
    parts = {
        "trainval": train[len(validation) :],
        "test-dev": [sequence for pair in pairs for sequence in pair],
        "test-challenge": test,
    }
    for part, order in parts.items():
        for number, (path, others) in enumerate(_progress(order, f"DAVIS-2017, {part}")):
            frames = map(_picture, _images(path)) if others is None else _film(rng, path, others)
            name = f"{number:03d}-{path.stem}"
            for time, frame in enumerate(frames):
                place = folder / f"DAVIS-2017-{part}" / "JPEGImages" / "480p" / name
                _save_jpeg(frame, place / f"{time:05d}.jpg")
    return {part: len(order) for part, order in parts.items()}


def _film(rng, path, others) -> Iterator[Image.Image]:
    """The camera moves and zooms over a picture, a piece of another passes by."""
    scene, (width, height) = _picture(path), FRAME
    boxes = [np.array(_box(rng, scene.size, FRAME)) for _ in range(2)]
    piece, matte = _piece(rng, path, others, side=height // 2)
    places = rng.uniform((-piece.width, 0), (width, height - piece.height), (2, 2))
    for time in np.linspace(0, 1, FRAMES):
        box, place = (first + time * (last - first) for first, last in (boxes, places))
        frame = scene.resize(FRAME, Image.Resampling.BICUBIC, tuple(box))
        frame.paste(piece, tuple(map(round, place)), matte)
        yield frame


def _write_flickr1024(folder, pictures):
    rng = np.random.default_rng(3)
    motorcycle = [photographs.photograph(name) for name in ("motorcycle", "motorcycle_right")]
    counts = {}
    for split, folders in flickr1024.FOLDERS.items():
        parts = flickr1024.REAL[split]
        order = [*parts, *(pictures[split] * STEREO_PAIRS)]
        for number, item in enumerate(_progress(order, f"flickr1024, {split}")):
            true = item in parts
            views = (
                [view.crop(item) for view in motorcycle]
                if true
                else _stereo(rng, item, pictures[split])
            )
            subfolder = folder / folders[number * len(folders) // len(order)]
            for side, view in zip("LR", views, strict=True):
                photographs.save_png(view, subfolder / f"{number + 1:04d}_{side}.png")
        counts[split] = len(order)
    return counts


def _stereo(rng, path, others) -> list[Image.Image]:
    """Left and right view of a picture on a slanted plane, and of nearer pieces of another."""
    (width, height), (least, most) = STEREO, DISPARITIES
    scene = _view(rng, _picture(path), (width + most, height))
    # The disparity rises or falls evenly from the upper left corner to the lower right one.
    first, last = rng.uniform(least, most, 2)
    share = rng.uniform()
    right, down = share * (last - first) / width, (1 - share) * (last - first) / height
    # Pixel (x, y) of the right view is pixel (x + disparity, y) of the left one.
    plane = (1 + right, down, first, 0, 1, 0)
    views = [
        scene.crop((0, 0, width, height)),
        scene.transform(STEREO, Image.Transform.AFFINE, plane, Image.Resampling.BICUBIC),
    ]
    for disparity in sorted(rng.integers(most, 2 * most, 2)):
        piece, matte = _piece(rng, path, others, side=rng.integers(height // 6, height // 2))
        left, top = rng.integers(0, (width - piece.width, height - piece.height))
        for view, shift in zip(views, (0, disparity), strict=True):
            view.paste(piece, (int(left - shift), int(top)), matte)
    return views


@functools.lru_cache(maxsize=16)
def _picture(path: Path) -> Image.Image:
    """In RGB, upright, of at most LONGEST_SIDE. Raises UserError if the file is broken."""
    image = Image.fromarray(read_picture(path).pixels)
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.BICUBIC)
    return image


def _large(pictures: Splits, side: int) -> Splits:
    """Pictures with sides of at least so many pixels. Raises UserError where a split has none."""
    large = {
        split: [path for path in paths if min(_picture(path).size) >= side]
        for split, paths in pictures.items()
    }
    for split, paths in large.items():
        if not paths:
            raise UserError(
                f"of the {len(pictures[split])} photographs for {split} none has sides of "
                f"{side} pixels or more: give larger ones, or more"
            )
    return large


def _rounds(rng, paths, count) -> list[Path]:
    """So many paths: all of them, in random order, again and again."""
    order = []
    while len(order) < count:
        order += [paths[i] for i in rng.permutation(len(paths))]
    return order[:count]


def _box(rng, size, shape) -> tuple[float, float, float, float]:
    """A random part of a picture of `size` that fits `shape`, reduced up to four times.

    It is enlarged only where the picture is too small. Both are width and height.
    """
    most = min(size[0] / shape[0], size[1] / shape[1])
    factor = rng.uniform(min(1, most), min(4, most))
    width, height = (min(factor * wanted, side) for wanted, side in zip(shape, size, strict=True))
    left, top = rng.uniform(0, (size[0] - width, size[1] - height))
    return left, top, min(left + width, size[0]), min(top + height, size[1])


def _view(rng, image, shape) -> Image.Image:
    """A random part of a picture, resized to the width and height `shape`."""
    return image.resize(tuple(shape), Image.Resampling.BICUBIC, _box(rng, image.size, shape))


def _turned(rng, image) -> Image.Image:
    """Turned by a random number of quarters, perhaps mirrored."""
    image = image.rotate(90 * int(rng.integers(4)), expand=True)
    return ImageOps.mirror(image) if rng.integers(2) else image


def _piece(rng, path, others, side) -> tuple[Image.Image, Image.Image]:
    """An oval of a picture other than `path`, of some width, and its matte."""
    others = [other for other in others if other != path] or [path]
    size = (int(side), int(side * rng.uniform(0.7, 1)))
    image = _view(rng, _picture(others[rng.integers(len(others))]), size)
    return image, photographs.soft_ellipse(*size)


def _images(folder: Path) -> list[Path]:
    """Image files, sorted by name."""
    found = [path for path in _children(folder) if path.suffix.lower() in SUFFIXES]
    return [path for path in found if not is_junk(path.name)]


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise UserError(f"the folder {folder} cannot be read ({error})") from error


def _save_jpeg(image: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, quality=QUALITY, subsampling=0)


def _progress(items: Sequence, title: str):
    return tqdm(items, desc=title, disable=None)


if __name__ == "__main__":
    main()
