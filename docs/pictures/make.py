"""What the lossless bundled model of each task does, in one picture: python docs/pictures/make.py

For each model inputs, embedding, restored images and errors times ten, of one sample of the
miniature of its dataset, made of scikit-image's photographs of the test split, which training never
saw. Embeddings are rounded to 8 bits, as in a file.
"""

import tempfile
from pathlib import Path

from PIL import Image, ImageDraw

from configs import base
from experiments.datasets import SAMPLE_ROOTS, write_sample
from iicnet_jax import bundled
from iicnet_jax.data import create_task
from iicnet_jax.data.pipeline import evaluation_samples
from iicnet_jax.evaluation.pictures import overview
from iicnet_jax.evaluation.protocol import shown
from iicnet_jax.inference.codec import load
from iicnet_jax.weights.model_dir import load_config

OUT = Path(__file__).with_name("bundled.jpg")
WIDTH = 900
QUALITY = 80  # of the JPEG file
TITLE = 22  # pixels


def main():
    folders = {name: path for name, path in bundled.folders().items() if name in SAMPLE_ROOTS}
    if not folders:
        raise SystemExit("error: there are no bundled models to show")
    with tempfile.TemporaryDirectory() as scratch:
        write_sample(Path(scratch), sorted({SAMPLE_ROOTS[name] for name in folders}))
        rows = [_row(name, folder, Path(scratch)) for name, folder in folders.items()]
    page = Image.new("RGB", (WIDTH, sum(row.height for row in rows)), "white")
    top = 0
    for row in rows:
        page.paste(row, (0, top))
        top += row.height
    page.save(OUT, quality=QUALITY, optimize=True)
    print(f"{OUT}: {', '.join(folders)}, {OUT.stat().st_size} bytes")


def _row(name: str, folder: Path, datasets: Path) -> Image.Image:
    """What one model does, below its name."""
    sample = _sample(name, folder, datasets)
    codec = load(folder)
    embedding = codec.embed(sample["frames"])
    restored = codec.restore(embedding, sample["frames"].shape[1:3])
    picture = Image.fromarray(overview(sample, shown(embedding, sample["reference"]), restored))
    picture.thumbnail((WIDTH, WIDTH), Image.Resampling.LANCZOS)
    row = Image.new("RGB", (WIDTH, TITLE + picture.height), "white")
    ImageDraw.Draw(row).text((0, 4), name, fill="black", font_size=16)
    row.paste(picture, (0, TITLE))
    return row


def _sample(name: str, folder: Path, datasets: Path):
    """The first test sample of a model's task."""
    config = base.get_config()
    config.model.update(load_config(folder)["model"])
    config.data.update(task=name, root=str(datasets / SAMPLE_ROOTS[name]))
    task = create_task(config.data, config.model)
    return next(iter(evaluation_samples(task, "test", [0])))[1]


if __name__ == "__main__":
    main()
