"""Pictures of results: inputs | embedding | restored | amplified error."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from iicnet_jax.data.task import Sample
from iicnet_jax.media.picture_file import to_pillow, write_picture

AMPLIFICATION = 10
GAP = 4
TITLE_HEIGHT = 18


def error_map(image: np.ndarray, target: np.ndarray) -> np.ndarray:
    """|image - target| times AMPLIFICATION, uint8, on black."""
    difference = np.abs(image.astype(np.int16) - target.astype(np.int16))
    return np.clip(difference * AMPLIFICATION, 0, 255).astype(np.uint8)


def overview(sample: Sample, embedding: np.ndarray, restored: np.ndarray) -> np.ndarray:
    """One picture of a sample, uint8 (h, w, 3): a row for each of its images.

    The second column shows the embedding and, below it, where it differs from the reference.
    """
    frames = sample["frames"]
    embeddings = [embedding, error_map(embedding, sample["reference"])]
    columns = {
        "inputs": list(frames),
        "embedding": embeddings[: len(frames)],
        "restored": list(restored),
        f"error x{AMPLIFICATION}": [error_map(a, b) for a, b in zip(restored, frames, strict=True)],
    }
    height = frames.shape[1]
    widths = [images[0].shape[1] + GAP for images in columns.values()]
    canvas = Image.new(
        "RGB",
        (sum(widths) - GAP, TITLE_HEIGHT + len(frames) * (height + GAP) - GAP),
        "white",
    )
    draw = ImageDraw.Draw(canvas)
    for column, (title, images) in enumerate(columns.items()):
        left = sum(widths[:column])
        draw.text((left + 2, 2), title, fill="black")
        for row, image in enumerate(images):
            canvas.paste(to_pillow(image), (left, TITLE_HEIGHT + row * (height + GAP)))
    return np.asarray(canvas)


def stack(pictures: list[np.ndarray]) -> np.ndarray:
    """Pictures below each other, on white, left-aligned."""
    width = max(picture.shape[1] for picture in pictures)
    padded = [
        np.pad(
            picture,
            ((0, 2 * GAP), (0, width - picture.shape[1]), (0, 0)),
            constant_values=255,
        )
        for picture in pictures
    ]
    return np.concatenate(padded)


def save_sample(folder: Path, sample: Sample, embedding: np.ndarray, restored: np.ndarray) -> None:
    """Writes a sample's images: input_00.png ..., reference.png, embedding.png, restored_00.png."""
    write_picture(folder / "reference.png", sample["reference"])
    write_picture(folder / "embedding.png", embedding)
    for i, (frame, image) in enumerate(zip(sample["frames"], restored, strict=True)):
        write_picture(folder / f"input_{i:02d}.png", frame)
        write_picture(folder / f"restored_{i:02d}.png", image)
