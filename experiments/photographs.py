"""Datasets in the published layouts from photographs and videos of one's own.

    python -m experiments.photographs --photos=DIR --videos=DIR --out=DIR

Writes flicker (hiding), VOCdevkit (grayscale), DIV2K (dual view, rescaling), DAVIS-2017 (video)
and flickr1024 (stereo), each with a `miniature.json` that lets it pass as the dataset, and
`pictures.json`, which says what is in which split. scikit-image's colour photographs join in.

No picture is in two splits, of whatever dataset. Sorted by name, so that neighbours stay together,
the last fifth tests, the tenth before it validates, the rest trains; sequences of frames likewise.
scikit-image's photographs keep the splits of `iicnet data sample`. (As published, rescaling trains
on pictures that validate elsewhere, and both rescaling and grayscale validate on what tests.)

What there is too little of is made: pages of text around a picture (an eighth of what trains hiding
and grayscale, a sixth for rescaling), saturated colours (a sixth of what trains hiding and
rescaling, an eighth for grayscale and stereo), videos in which the camera moves over one photograph
while a piece of another passes by, and stereo pairs of a slanted photograph with nearer pieces of
another. Videos of a camera that hardly moves train as well (in half of them, what passes by is fast
and saturated), and so do true videos reduced and at twice their speed.
The only true stereo pair is scikit-image's motorcycle, of which every split gets its own part.
"""

import argparse
import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from experiments.datasets import (
    davis,
    div2k,
    flicker,
    flickr1024,
    pages,
    photographs,
    voc,
    write_datasets,
)
from iicnet_jax.core import console
from iicnet_jax.core.errors import UserError
from iicnet_jax.core.files import typed_path, write_json
from iicnet_jax.data.storage import is_junk
from iicnet_jax.imaging.picture_reader import SUFFIXES, read_picture
from iicnet_jax.inference.tiling import to_uint8

SPLITS = ("train", "validation", "test")
VALIDATION, TEST = 0.1, 0.2
FEWEST = 5  # photographs, for one in each split
LONGEST_SIDE = 2040  # of a picture, as in DIV2K
JPEG = {"quality": 95, "subsampling": 0}
# Of scikit-image's photographs; the motorcycle is kept for the stereo pairs.
LEFT_OUT = photographs.GREY + photographs.STEREO_PAIR

# So many images of Flicker 2W that groups of 2, 3, 4 and 5 are split at the same places.
FLICKER = {"train": 420, "validation": 60, "test": 120}
FLICKER_SIDES = (576, 768)  # of an image, from the least; the task cuts squares of 576
DIV2K_SIDE = 576  # the least of an image: at x4, squares of 144 are cut from the reduced one
VOC_SIDES = (333, 500)
VOC_IMAGES = 20  # of a picture
FRAME = (854, 480)  # width, height
STEREO = (640, 480)
STEREO_PAIRS = 8  # of a picture
DISPARITY = 40  # of the background in pixels, at most; up to twice that for what is before it

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
    write_datasets(writers, out, progress=print)
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
    splits = split_paths(found := _images(folder))
    if len(found) < FEWEST:
        raise UserError(f"{folder} holds {len(found)} photographs: give at least {FEWEST}")
    for split, files in photographs.BY_SPLIT.items():
        names = [name for name in files if name not in LEFT_OUT]
        splits[split] += [photographs.FOLDER / files[name] for name in names]
    return splits


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
    views = [_four_views, _turned_view, _turned_view, _four_views] * (FLICKER["train"] // 4)
    # Each at every place of a group, whatever its size: 17 shares no factor with it.
    layouts, gains = np.random.default_rng(4), np.random.default_rng(8)
    for first in (5, 10):
        views[first::17] = [_on_page(layouts, view) for view in views[first::17]]
    for first in (4, 11, 14):
        views[first::17] = [_saturated_view(gains, view) for view in views[first::17]]
    views += [_turned_view] * (len(order) - len(views))
    images = (
        view(rng, path, FLICKER_SIDES)
        for path, view in zip(_progress(order, "flicker"), views, strict=True)
    )
    return flicker.write(folder, images, **JPEG)


def _write_voc(folder, pictures):
    rng = np.random.default_rng(1)
    # The task validates on what tests, so that the pictures of that split are not used.
    train, test = (pictures[split] * VOC_IMAGES for split in ("train", "test"))
    views = [_turned_view] * len([*train, *test])
    page = _on_page(np.random.default_rng(5), _turned_view)
    views[: len(train) : 8] = [page] * len(train[::8])
    saturated = _saturated_view(np.random.default_rng(9), _turned_view)
    views[4 : len(train) : 8] = [saturated] * len(train[4::8])
    images = (
        (f"2012_{number:06d}", views[number](rng, path, VOC_SIDES))
        for number, path in enumerate(_progress([*train, *test], "VOCdevkit"))
    )
    return voc.write(folder, images, len(train), **JPEG)


def _write_div2k(folder, pictures):
    large = _large(pictures, DIV2K_SIDE)
    # Every picture trains reduced as well, as sharp as what people send each other.
    order = [("train", path, _reduced) for path in large["train"]]
    order += [("train", path, _picture) for path in large["train"]]
    page = _on_page(np.random.default_rng(6), _reduced)
    order += [("train", path, page) for path in large["train"][::2]]
    saturated = _saturated_view(np.random.default_rng(10), _reduced)
    order += [("train", path, saturated) for path in large["train"][1::2]]
    order += [("train", path, _picture) for path in large["validation"]]
    order += [("valid", path, _picture) for path in large["test"]]
    images = ((part, view(path)) for part, path, view in _progress(order, "DIV2K"))
    return div2k.write(folder, images, len(large["validation"]))


def _write_davis(folder, pictures, sequences):
    rng = np.random.default_rng(2)
    films = {split: _films(_film, rng, paths) for split, paths in pictures.items()}
    calm = _films(_calm_film, np.random.default_rng(7), pictures["train"])
    saturated = functools.partial(_calm_film, saturated=True)
    calm += _films(saturated, np.random.default_rng(12), pictures["train"])
    videos = {split: [(path, _video) for path in paths] for split, paths in sequences.items()}
    train, validation, test = ([*videos[split], *films[split]] for split in SPLITS)
    # Of test-dev, the sequences at odd places of the alphabet train, the others validate.
    pairs = zip(train, validation, strict=False)
    parts = {
        "trainval": [*train[len(validation) :], *_video_variants(sequences["train"]), *calm],
        "test-dev": [sequence for pair in pairs for sequence in pair],
        "test-challenge": test,
    }
    order = [(part, *item) for part, items in parts.items() for item in enumerate(items)]
    written = (
        (part, f"{number:03d}-{path.stem}", frames(path))
        for part, number, (path, frames) in _progress(order, "DAVIS-2017")
    )
    return davis.write(folder, written, **JPEG)


def _video(path, scale=1.0, stride=1) -> Iterator[Image.Image]:
    """The frames in a folder, reduced, or every second one."""
    for frame in _images(path)[::stride]:
        yield _scaled(_picture(frame), scale)


def _video_variants(paths) -> list[tuple]:
    """True videos once more, sharper and faster: there are few of them among what trains."""
    variants = ((2 / 3, 1), (1 / 2, 1), (1, 2), (2 / 3, 2))
    return [
        (path, functools.partial(_video, scale=a, stride=b)) for path in paths for a, b in variants
    ]


def _films(film, rng, paths) -> list[tuple]:
    return [(path, functools.partial(film, rng, others=paths)) for path in paths]


def _film(rng, path, others, motion=1.0, pieces=1, saturated=False) -> Iterator[Image.Image]:
    """The camera moves and zooms over a picture, pieces of others pass by."""
    scene, (width, height) = _picture(path), FRAME
    boxes = [np.array(_box(rng, scene.size, FRAME)) for _ in range(2)]
    passing, piece_of = [], _saturated_piece if saturated else _piece
    for _ in range(pieces):
        piece, matte = piece_of(rng, path, others, side=height // 2)
        places = rng.uniform((-piece.width, 0), (width, height - piece.height), (2, 2))
        passing.append((piece, matte, places))
    for time in np.linspace(0, 1, davis.FRAMES // 3 if saturated else davis.FRAMES):
        box = boxes[0] + time * motion * (boxes[1] - boxes[0])
        frame = scene.resize(FRAME, Image.Resampling.BICUBIC, tuple(box))
        for piece, matte, (first, last) in passing:
            frame.paste(piece, tuple(map(round, first + time * (last - first))), matte)
        yield frame


def _calm_film(rng, path, others, saturated=False) -> Iterator[Image.Image]:
    """The same from a camera that stands still or hardly moves, with noise, as in most videos.

    With `saturated`, what passes by is faster, and black, white or in saturated colours.
    """
    motion, noise = max(0, rng.uniform(-0.1, 0.1)), rng.uniform(0, 2)
    for frame in _film(rng, path, others, motion, 3, saturated):
        levels = noise * rng.standard_normal((*frame.size[::-1], 3), np.float32)
        yield Image.fromarray(to_uint8(np.asarray(frame) + levels))


def _write_flickr1024(folder, pictures):
    rng, gains = np.random.default_rng(3), np.random.default_rng(11)
    order = [(path, paths) for paths in pictures.values() for path in paths * STEREO_PAIRS]
    makers = [_stereo] * len(order)
    for number in range(4, len(pictures["train"]) * STEREO_PAIRS, 8):
        makers[number] = functools.partial(_saturated_stereo, gains)
    pairs = (
        maker(rng, *item)
        for maker, item in zip(makers, _progress(order, "flickr1024"), strict=True)
    )
    counts = {split: len(paths) * STEREO_PAIRS for split, paths in pictures.items()}
    return flickr1024.write(folder, pairs, counts)


def _stereo(rng, path, others) -> flickr1024.Views:
    """Left and right view of a picture on a slanted plane, and of nearer pieces of another."""
    width, height = STEREO
    scene = _view(rng, path, (width + DISPARITY, height))
    # The disparity rises or falls evenly from the upper left corner to the lower right one.
    first, last = rng.uniform(0, DISPARITY, 2)
    share = rng.uniform()
    right, down = share * (last - first) / width, (1 - share) * (last - first) / height
    views = flickr1024.plane_views(scene, STEREO, first, right, down)
    for disparity in sorted(rng.integers(DISPARITY, 2 * DISPARITY, 2)):
        piece, matte = _piece(rng, path, others, side=rng.integers(height // 6, height // 2))
        left, top = rng.integers(0, (width - piece.width, height - piece.height))
        for view, shift in zip(views, (0, disparity), strict=True):
            view.paste(piece, (int(left - shift), int(top)), matte)
    return views


def _saturated_stereo(gains, *arguments) -> flickr1024.Views:
    saturated = _saturation(gains)
    return [saturated(view) for view in _stereo(*arguments)]


@functools.lru_cache(maxsize=16)
def _picture(path: Path) -> Image.Image:
    """In RGB, upright, of at most LONGEST_SIDE. Raises UserError if the file is broken."""
    image = Image.fromarray(read_picture(path).pixels)
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.BICUBIC)
    return image


def _reduced(path) -> Image.Image:
    """The picture with a shorter side of DIV2K_SIDE."""
    image = _picture(path)
    return _scaled(image, DIV2K_SIDE / min(image.size))


def _scaled(image, scale) -> Image.Image:
    return image.resize([round(scale * length) for length in image.size], Image.Resampling.BICUBIC)


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


def _view(rng, path, shape) -> Image.Image:
    """A random part of a picture, resized to the width and height `shape`."""
    image = _picture(path)
    box = _box(rng, image.size, shape)
    return image.resize(tuple(shape), Image.Resampling.BICUBIC, box)


def _turned_view(rng, path, sides) -> Image.Image:
    """A random part, its sides between the two given, turned at random, perhaps mirrored."""
    view = _view(rng, path, rng.integers(*sides, 2, endpoint=True))
    return photographs.turned(view, int(rng.integers(4)), rng.integers(2))


def _on_page(layouts, view):
    """The same view on a page of text. What comes after it does not depend on the page's layout."""
    return lambda *arguments: pages.page(layouts, view(*arguments))


def _four_views(rng, path, sides) -> Image.Image:
    """Two by two parts, each turned; reduced further than one part of that size, and sharper."""
    views = [_turned_view(rng, path, [side // 2 for side in sides]) for _ in range(4)]
    width, height = (min(lengths) for lengths in zip(*(view.size for view in views), strict=True))
    image = Image.new("RGB", (2 * width, 2 * height))
    for number, view in enumerate(views):
        image.paste(view, (number % 2 * width, number // 2 * height))
    return image


def _saturated_view(gains, view):
    """The same view in saturated colours, different ones each time."""
    return lambda *arguments: _saturation(gains)(view(*arguments))


def _saturation(gains, channels=3):
    """A function of images: strong contrast in every channel, so that many values are 0 or 255.

    With one of the `channels`, it is the same for all: what was pale becomes black and white.
    """
    middle, gain = gains.uniform(0, 255, channels), gains.uniform(1, 6, channels)
    return lambda image: Image.fromarray(to_uint8(127.5 + gain * (np.asarray(image) - middle)))


def _piece(rng, path, others, side) -> tuple[Image.Image, Image.Image]:
    """An oval of a picture other than `path`, of some width, and its matte."""
    others = [other for other in others if other != path] or [path]
    size = (int(side), int(side * rng.uniform(0.7, 1)))
    image = _view(rng, others[rng.integers(len(others))], size)
    return image, photographs.soft_ellipse(*size)


def _saturated_piece(rng, path, others, side) -> tuple[Image.Image, Image.Image]:
    """A smaller one, black and white or in saturated colours, with sharp edges, as clothes are."""
    image, matte = _piece(rng, path, others, rng.integers(side // 4, side))
    saturated = _saturation(rng, channels=rng.choice((1, 3)))
    return saturated(image), matte.point(lambda level: 255 * (level > 127))


def _images(folder: Path) -> list[Path]:
    """Image files, sorted by name."""
    found = [path for path in _children(folder) if path.suffix.lower() in SUFFIXES]
    return [path for path in found if not is_junk(path.name)]


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise UserError(f"the folder {folder} cannot be read ({error})") from error


def _progress(items: Sequence, title: str):
    return tqdm(items, desc=title, disable=None)


if __name__ == "__main__":
    main()
