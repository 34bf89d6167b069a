"""The evaluation protocol: what is measured of each sample, and how it is averaged.

Restored images are always rounded to 8 bit. They are restored twice: from the embedding rounded
to 8 bit, as a file would hold it, and from the float embedding, which shows what rounding costs.
They may also be restored from what files that lose something leave of the embedding.
"""

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from iicnet_jax.core.errors import Destroyed
from iicnet_jax.data.pipeline import evaluation_samples
from iicnet_jax.data.task import Sample, Task
from iicnet_jax.evaluation.metrics import MEASURES, compare
from iicnet_jax.imaging.carrier import Carrier
from iicnet_jax.imaging.resizing import imresize
from iicnet_jax.inference.codec import Codec
from iicnet_jax.inference.devices import map_over_devices
from iicnet_jax.inference.tiling import Tiled, to_uint8
from iicnet_jax.models.baselines.low_bits import LowBits

PROTOCOL = {
    "rounded": "embedding rounded to 8 bit before it is compared and restored",
    "float": "embedding as computed, neither rounded nor clipped",
    "embedding": "embedding against the reference image",
    "restored": "mean over all restored images of a sample",
    "restored_without_reference": "the same without the first image, the reference",
    "png, jpeg80, ...": "embedding as read from such a file by Pillow, with 4:2:0",
    "without_network": "the reference, read from such a file, for every restored image: enlarged "
    "bicubically where it is smaller, in three equal channels where it is grey",
    "lost": "share of the samples of which such a file leaves nothing: their images have no "
    "measures",
    "frames": "each restored image of a sample by its index, the reference first",
    "psnr, ssim": "all colour channels; PSNR in dB; SSIM with an 11x11 Gaussian, sigma 1.5, valid",
    "psnr_grey, ssim_grey": "luma 0.299 R + 0.587 G + 0.114 B of the 8-bit images",
    "psnr_y, ssim_y": "Y of BT.601 (16 to 235), without y_border pixels at each edge",
    "mean": "over samples, not over batches or pixels",
}


@dataclasses.dataclass(frozen=True)
class Result:
    """What a network made of one sample."""

    embedding: np.ndarray  # uint8 (h', w', k), the part that shows the reference
    restored: np.ndarray  # uint8 (n, h, w, 3), from the rounded embedding
    measures: Mapping[str, Mapping]  # by "rounded", "float" and carrier; see `measure`


def evaluate_samples(
    tiled: Tiled | LowBits,
    task: Task,
    split: str,
    indices: Sequence[int],
    *,
    y_border: int,
    carriers: Sequence[Carrier] = (),
) -> Iterator[tuple[str, Sample, Result]]:
    """Every sample of these numbers with its name, in order; computed on all local devices."""

    def evaluate(item):
        name, sample = item
        return name, sample, evaluate_sample(tiled, sample, y_border=y_border, carriers=carriers)

    return map_over_devices(evaluate, evaluation_samples(task, split, indices))


def evaluate_sample(
    tiled: Tiled | LowBits, sample: Sample, *, y_border: int, carriers: Sequence[Carrier] = ()
) -> Result:
    """Embeds, restores and measures one sample; `carriers`: also through files of these."""
    computed = tiled.embed(sample["frames"])
    rounded = to_uint8(computed)
    size = sample["frames"].shape[1:3]
    restored = tiled.restore(rounded, size)
    measures = {
        "rounded": measure(sample, rounded, restored, y_border),
        "float": measure(sample, computed, tiled.restore(computed, size), y_border),
    }
    for carrier in carriers:
        carried = carrier(rounded)
        left = restore_what_is_left(tiled, carried, size)
        plain = reference_alone(carrier(sample["reference"]), sample["frames"].shape)
        measures[str(carrier)] = {
            **measure(sample, carried, left, y_border),
            "lost": float(left is None),
            "without_network": measure_restored(sample, plain, y_border),
        }
    return Result(shown(rounded, sample["reference"]), restored, measures)


def shown(embedding: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """An embedding without the rows and columns that fill its last squares, see `Tiled`."""
    height, width = reference.shape[:2]
    return embedding[:height, :width]


def restore_what_is_left(
    method: Tiled | LowBits | Codec, embedding: np.ndarray, size: tuple[int, int]
) -> np.ndarray | None:
    """The images, None where the way has left nothing of them that the method can read."""
    try:
        return method.restore(embedding, size)
    except Destroyed:
        return None


def reference_alone(reference: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """What a person has without a network: every image of a group as the reference shows it.

    Args:
      reference: uint8 (h', w', k), of the images' size or smaller.
      shape: (n, h, w, 3) of the images.

    Returns:
      uint8 of that shape: enlarged bicubically, and a grey reference in three equal channels.
    """
    _, height, width, channels = shape
    colours = np.broadcast_to(reference, (*reference.shape[:2], channels))
    if colours.shape[:2] != (height, width):
        colours = imresize(colours, height, width)
    return np.broadcast_to(colours, shape)


def measure(
    sample: Sample, embedding: np.ndarray, restored: np.ndarray | None, y_border: int
) -> dict:
    """All measures of a sample: `embedding`, and those of `measure_restored`."""
    reference = sample["reference"]
    return {
        "embedding": compare(shown(embedding, reference), reference, y_border),
        **measure_restored(sample, restored, y_border),
    }


def measure_restored(sample: Sample, restored: np.ndarray | None, y_border: int) -> dict:
    """`restored`, `frames`, and of several images also `restored_without_reference`.

    Undefined (nan) where nothing was restored, which is None.
    """
    targets = sample["frames"]
    if restored is None:
        frames = [dict.fromkeys(MEASURES, math.nan) for _ in targets]
    else:
        frames = [compare(*pair, y_border) for pair in zip(restored, targets, strict=True)]
    measures = {"restored": mean(frames), "frames": frames}
    if len(frames) > 1:
        measures["restored_without_reference"] = mean(frames[1:])
    return measures


def mean(items):
    """The mean of equally nested dictionaries and lists of numbers."""
    first = items[0]
    if isinstance(first, Mapping):
        return {key: mean([item[key] for item in items]) for key in first}
    if isinstance(first, list):
        return [mean(list(parts)) for parts in zip(*items, strict=True)]
    return float(np.mean(items))


def score(measures: Mapping) -> float:
    """One number to choose the best checkpoint by: mean PSNR of embedding and restored images."""
    rounded = measures["rounded"]
    return (rounded["embedding"]["psnr"] + rounded["restored"]["psnr"]) / 2
