"""Small pictures, and a network that needs no compilation, for tests of files."""

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from iicnet_jax.inference.codec import Codec
from iicnet_jax.inference.tiling import Tiled
from iicnet_jax.models import Network

MODEL = "0123456789abcdef" * 4
SCALE = 2


def noise(height, width, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)


def smooth(height, width, seed=0):
    """Waves of a few periods and a little noise: what a codec is made for."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width] / 8
    phase, slope = rng.uniform(0, 6, 3), rng.uniform(0.3, 1, (2, 3))
    waves = np.sin(rows[..., None] * slope[0] + columns[..., None] * slope[1] + phase)
    return (127 + 90 * waves + rng.normal(0, 3, (height, width, 3))).astype(np.uint8)


def save(path, pixels, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


class Thumbnails(Tiled):
    """Embeds images of any size as every second pixel of the first, and restores copies of it."""

    def __init__(self, num_images, channels):
        self.model = Network()
        self.model.num_images, self.model.embedding_channels = num_images, channels
        self.model.scale = SCALE

    def embed(self, frames: UInt8[np.ndarray, "n h w 3"], dtype) -> UInt8[np.ndarray, "h2 w2 k"]:
        assert dtype == np.uint8
        return frames[0, ::SCALE, ::SCALE, : self.model.embedding_channels]

    def restore(self, embedding, size):
        image = embedding.repeat(SCALE, axis=0).repeat(SCALE, axis=1)[: size[0], : size[1]]
        return np.stack([np.broadcast_to(image, (*size, 3))] * self.model.num_images)


def network(num_images=2, channels=3, task="hiding", fingerprint=MODEL, survives=()):
    return Codec(Thumbnails(num_images, channels), task, fingerprint, dict(survives))
