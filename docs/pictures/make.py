"""What the bundled models do, as pictures for the README: python docs/pictures/make.py

Each shows inputs, embedding, restored images and errors times ten for one sample of the miniature
of the model's dataset, made of scikit-image's photographs of the test split, which training never
saw. Embeddings are rounded to 8 bits, as in a file.
"""

import tempfile
from pathlib import Path

from PIL import Image

from configs import base
from iicnet_jax import bundled
from iicnet_jax.data import create_regime
from iicnet_jax.data.pipeline import evaluation_groups
from iicnet_jax.data.sample import SAMPLE_ROOTS, write_sample
from iicnet_jax.evaluation.pictures import overview
from iicnet_jax.media.convert import load_network
from iicnet_jax.weights.model_dir import load_config

OUT = Path(__file__).parent
MAX_SIDE = 640
QUALITY = 80  # of these JPEG files


def main():
    folders = bundled.folders()
    if not folders:
        raise SystemExit("error: there are no bundled models to show")
    with tempfile.TemporaryDirectory() as scratch:
        write_sample(Path(scratch), sorted({SAMPLE_ROOTS[name] for name in folders}))
        for name, folder in folders.items():
            group = _group(name, folder, Path(scratch))
            tiled = load_network(folder).tiled
            embedding = tiled.embed_uint8(group["frames"])
            restored = tiled.restore(embedding, group["frames"].shape[1:3])
            picture = Image.fromarray(overview(group, embedding, restored))
            picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
            path = OUT / f"bundled_{name}.jpg"
            picture.save(path, quality=QUALITY, optimize=True)
            print(f"{path}: {path.stat().st_size} bytes")


def _group(name: str, folder: Path, sample: Path):
    """The first test sample of a model's task."""
    config = base.get_config()
    config.model.update(load_config(folder)["model"])
    config.data.update(regime=name, root=str(sample / SAMPLE_ROOTS[name]))
    regime = create_regime(config.data, config.model)
    return next(iter(evaluation_groups(regime, "test", [0])))[1]


if __name__ == "__main__":
    main()
