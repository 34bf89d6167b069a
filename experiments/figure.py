"""One picture of several methods, like Figures 1 and 2 of the supplement.

    python -m experiments.figure RUN RUN ... -o OUT [--sample=NAME] [--crop=X,Y,WIDTH,HEIGHT]

Columns are images of one test sample. The first row shows them; then come, for every run, the
embedding beside its error, the restored images, and their errors.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from experiments import workdirs
from experiments.workdirs import Sample, Workdir
from iicnet_jax.core import console
from iicnet_jax.core.errors import UserError
from iicnet_jax.core.files import replacing, typed_path
from iicnet_jax.evaluation.metrics import psnr
from iicnet_jax.evaluation.pictures import AMPLIFICATION, error_map

IMAGES = 3
GAP = 8
LABEL = 24  # height of a line of text
FONT_SIZE = 15
JPEG = (".jpg", ".jpeg")
QUALITY = 85  # of a JPEG file


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        "experiments.figure", description="One picture of several methods on one test sample."
    )
    parser.add_argument("runs", type=typed_path, nargs="+", help="workdirs of runs")
    parser.add_argument("--sample", help="name of a test sample; the first that all runs have")
    parser.add_argument(
        "--images", type=int, default=IMAGES, help="images of the sample that are shown"
    )
    parser.add_argument("--crop", type=_box, help="X,Y,WIDTH,HEIGHT in the inputs' pixels")
    parser.add_argument("--names", help="of the runs, separated by commas")
    parser.add_argument("-o", "--output", type=typed_path, required=True, help="PNG or JPEG file")
    arguments = parser.parse_args()
    with console.exit_on_user_error():
        runs = workdirs.read(arguments.runs)
        names = arguments.names.split(",") if arguments.names else [each.name for each in runs]
        if len(names) != len(runs):
            raise UserError(f"--names gives {len(names)} names for {len(runs)} runs")
        sample = arguments.sample or common_samples(runs)[0]
        picture = figure(
            {name: each.sample(sample) for name, each in zip(names, runs, strict=True)},
            arguments.images,
            arguments.crop,
        )
        save(picture, arguments.output)


def save(picture: Image.Image, path: Path) -> None:
    """Writes a PNG or JPEG file, as its name says."""
    with replacing(path) as temporary:
        kind = "JPEG" if path.suffix.lower() in JPEG else "PNG"
        picture.save(temporary, format=kind, quality=QUALITY)


def common_samples(runs: Sequence[Workdir]) -> list[str]:
    """Samples that there are pictures of in all runs. Raises UserError if there are none."""
    common = [name for name in runs[0].samples if all(name in other.samples for other in runs)]
    if not common:
        raise UserError(
            f"{', '.join(each.name for each in runs)} have no pictures of the same test sample: "
            "evaluate them with the same config.evaluation.limit and pictures"
        )
    return common


def figure(
    samples: dict[str, Sample],
    images: int = IMAGES,
    crop: tuple[int, int, int, int] | None = None,
) -> Image.Image:
    """The picture.

    Args:
      samples: the same sample by the name of the method.
      images: how many of its images are shown.
      crop: left, top, width and height of the part that is shown; embeddings of half the size are
        cut at half of that.
    """
    first = next(iter(samples.values()))
    size = first.inputs[0].size
    box = crop or (0, 0, *size)
    if box[0] + box[2] > size[0] or box[1] + box[3] > size[1]:
        raise UserError(f"--crop={','.join(map(str, box))} exceeds the {size[0]}x{size[1]} pixels")
    rows = [_row("input", first.inputs[:images])]
    for name, sample in samples.items():
        difference = _error(sample.embedding, sample.reference)
        rows.append(
            [
                (sample.reference, "reference"),
                (sample.embedding, f"{name}: embedding, {_db(sample.embedding, sample.reference)}"),
                (difference, f"{name}: its error x{AMPLIFICATION}"),
            ]
        )
        pairs = list(zip(sample.restored, sample.inputs, strict=True))[:images]
        rows.append([(a, f"{name}: restored, {_db(a, b)}") for a, b in pairs])
        rows.append([(_error(a, b), f"{name}: error x{AMPLIFICATION}") for a, b in pairs])
    return _sheet(rows, box, size)


def methods(samples: dict[str, Sample], side: int) -> Image.Image:
    """A row for each method: reference, embedding, the last image of the group as restored, error.

    Args:
      samples: the same sample by the name of the method.
      side: of the part in the middle that is shown, in pixels of the images.
    """
    size = next(iter(samples.values())).inputs[0].size
    width, height = (min(side, length) for length in size)
    # Even, so that it can be cut at half of it from embeddings of half the size.
    left, top = ((whole - part) // 4 * 2 for whole, part in zip(size, (width, height), strict=True))
    rows = []
    for name, sample in samples.items():
        target, restored = sample.inputs[-1], sample.restored[-1]
        rows.append(
            [
                (sample.reference, "reference"),
                (sample.embedding, f"{name}: embedding, {_db(sample.embedding, sample.reference)}"),
                (target, "embedded in it"),
                (restored, f"{name}: restored, {_db(restored, target)}"),
                (_error(restored, target), f"{name}: error x{AMPLIFICATION}"),
            ]
        )
    return _sheet(rows, (left, top, width, height), size)


def _sheet(rows, box, size) -> Image.Image:
    """The parts of (image, label) in rows on white."""
    cell = (box[2], box[3])
    columns = max(map(len, rows))
    canvas = Image.new(
        "RGB",
        (columns * (cell[0] + GAP) - GAP, len(rows) * (cell[1] + LABEL + GAP) - GAP),
        "white",
    )
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(FONT_SIZE)
    for down, row in enumerate(rows):
        for right, (image, label) in enumerate(row):
            left, top = right * (cell[0] + GAP), down * (cell[1] + LABEL + GAP)
            draw.text((left, top + 2), _shortened(draw, font, label, cell[0]), "black", font)
            canvas.paste(_part(image, box, size), (left, top + LABEL))
    return canvas


def _row(title, images):
    return [(image, f"{title} {index}") for index, image in enumerate(images)]


def _part(image, box, size):
    """The box of an image, which may be smaller than `size`; it is shown at the same scale."""
    factor = size[0] / image.width
    left, top, width, height = (round(length / factor) for length in box)
    part = image.crop((left, top, left + width, top + height))
    return part if factor == 1 else part.resize(box[2:], Image.Resampling.NEAREST)


def _error(image, target):
    return Image.fromarray(error_map(np.asarray(image), np.asarray(target)))


def _db(image, target):
    return f"{psnr(np.asarray(image), np.asarray(target)):.2f} dB"


def _shortened(draw, font, text, width):
    while text and draw.textlength(text, font) > width:
        text = text[:-4] + "..." if not text.endswith("...") else text[:-4].rstrip(".") + "..."
        if text == "...":
            return ""
    return text


def _box(text):
    numbers = text.split(",")
    if len(numbers) != 4 or not all(number.strip().isdecimal() for number in numbers):
        raise argparse.ArgumentTypeError(f"must be X,Y,WIDTH,HEIGHT, not {text!r}")
    return tuple(map(int, numbers))


if __name__ == "__main__":
    main()
