"""Networks and pictures for the page."""

import numpy as np
import pytest
from flax import nnx
from PIL import Image

from iicnet_jax.models import IICNet
from iicnet_jax.weights.model_dir import save_model

HIDING = {"num_images": 2, "relation": False, "num_blocks": 1}
GREY = {"num_images": 1, "relation": False, "num_blocks": 1, "embedding_channels": 1}
HALF = HIDING | {"num_images": 3, "downscaling": "squeeze", "split": "prop"}


@pytest.fixture(scope="module")
def models(tmp_path_factory, random_network):
    """Model directories by name."""
    folder = tmp_path_factory.mktemp("models")
    for name, fields in {"hiding": HIDING, "grayscale": GREY, "video": HALF}.items():
        model = random_network(lambda fields=fields: IICNet(**fields, rngs=nnx.Rngs(0)))
        save_model(folder / name, nnx.state(model, nnx.Param), fields, {"task": name})
    return {path.name: path for path in folder.iterdir()}


@pytest.fixture(scope="session")
def picture():
    """Writes a picture of smooth colours, so that random parameters do not saturate."""

    def write(path, height=30, width=40, seed=0):
        pixels = np.random.default_rng(seed).integers(60, 200, (4, 4, 3), np.uint8)
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC).save(path)
        return path

    return write


@pytest.fixture
def pictures(picture, tmp_path):
    return [picture(tmp_path / f"{name}.png", seed=ord(name)) for name in "ab"]
