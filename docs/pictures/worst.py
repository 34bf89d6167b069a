"""The worst of a bundled model's test pictures: python docs/pictures/worst.py MODEL -o OUT.png

An outline or a stain is an error that neighbouring pixels share: it is left when the difference is
smoothed. Shows where, among the test samples of the model's configuration, it is largest, once in
the embedding and once in what is restored: at 200%, beside what it should look like. The embedding
is rounded to 8 bits. Prints PSNR and the largest smoothed error of every sample.
"""

import argparse
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from experiments.bundled import configuration
from iicnet_jax import bundled
from iicnet_jax.core import console
from iicnet_jax.core.files import typed_path
from iicnet_jax.data import create_task
from iicnet_jax.data.pipeline import evaluation_indices, evaluation_samples
from iicnet_jax.evaluation.metrics import psnr
from iicnet_jax.evaluation.pictures import stack
from iicnet_jax.evaluation.protocol import shown
from iicnet_jax.inference.codec import load

SMOOTHING = 2.5  # pixels, standard deviation
SIDE = 160  # of what is shown, in pixels
ENLARGED = 2


class Place(NamedTuple):
    """Where the smoothed error of an image is largest."""

    error: float  # in grey levels
    image: np.ndarray
    target: np.ndarray
    row: int
    column: int


def main():
    parser = argparse.ArgumentParser("docs/pictures/worst.py", description=__doc__)
    parser.add_argument("model", choices=list(bundled.folders()))
    parser.add_argument("--data", type=typed_path, default="runs/photographs")
    parser.add_argument("--limit", type=int, help="of samples; that of the configuration")
    parser.add_argument("-o", "--output", type=Path, required=True, help="PNG or JPEG file")
    arguments = parser.parse_args()
    with console.exit_on_user_error():
        config = configuration(arguments.model, arguments.data)
        task, codec = create_task(config.data, config.model), load(arguments.model)
        limit = arguments.limit or config.evaluation.limit
        embeddings, restored_images = [], []
        for name, sample in evaluation_samples(
            task, "test", evaluation_indices(task, "test", limit)
        ):
            frames = sample["frames"]
            whole = codec.embed(frames)
            restored = codec.restore(whole, frames.shape[1:3])
            embedding = shown(whole, sample["reference"])
            hidden = slice(1, None) if len(frames) > 1 else slice(None)
            embeddings.append(worst_place(embedding, sample["reference"]))
            places = [
                worst_place(*pair) for pair in zip(restored[hidden], frames[hidden], strict=True)
            ]
            restored_images.append(max(places, key=_error))
            print(
                f"{name}: embedding {psnr(embedding, sample['reference']):.1f} dB, up to "
                f"{embeddings[-1].error:.1f} grey levels; restored "
                f"{psnr(restored[hidden], frames[hidden]):.1f} dB, up to "
                f"{restored_images[-1].error:.1f}"
            )
        rows = [enlarged(max(places, key=_error)) for places in (embeddings, restored_images)]
        Image.fromarray(stack(rows)).save(arguments.output)


def _error(place: Place) -> float:
    return place.error


def worst_place(image: np.ndarray, target: np.ndarray) -> Place:
    """Of uint8 images (h, w, c)."""
    difference = np.float32(image) - np.float32(target)
    smoothed = np.abs(cv2.GaussianBlur(difference, (0, 0), SMOOTHING)).reshape(difference.shape)
    largest = smoothed.max(-1)
    row, column = np.unravel_index(largest.argmax(), largest.shape)
    return Place(float(largest.max()), image, target, int(row), int(column))


def enlarged(place: Place) -> np.ndarray:
    """Around the place, what it should look like and what it looks like."""
    height, width = place.image.shape[:2]
    top = np.clip(place.row - SIDE // 2, 0, max(height - SIDE, 0))
    left = np.clip(place.column - SIDE // 2, 0, max(width - SIDE, 0))
    parts = [each[top : top + SIDE, left : left + SIDE] for each in (place.target, place.image)]
    both = np.concatenate(parts, axis=1).repeat(ENLARGED, 0).repeat(ENLARGED, 1)
    return np.broadcast_to(both, (*both.shape[:2], 3))


if __name__ == "__main__":
    main()
