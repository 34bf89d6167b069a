"""A baseline without a network: the reference stands for every restored image.

    python -m experiments.reference_only --config=configs/grayscale.py --config.data.root=DIR

The reference alone is the embedding, and every image is restored as the reference: enlarged
bicubically where the embedding is smaller, its grey in three channels where it is grey. A network
that restores less has learnt nothing of use.
"""

import sys

import numpy as np
from tqdm import tqdm

from iicnet_jax.core import console
from iicnet_jax.data import create_task
from iicnet_jax.data.pipeline import evaluation_indices, evaluation_samples
from iicnet_jax.data.task import Sample
from iicnet_jax.evaluation import protocol, tables
from iicnet_jax.experiment import run
from iicnet_jax.imaging.resizing import imresize


def main() -> None:
    """The command line: a configuration, as `iicnet_jax.main` takes it."""
    with console.exit_on_user_error():
        config = run.load_config(sys.argv[1:])
        task = create_task(config.data, config.model)
        indices = evaluation_indices(task, "test", config.evaluation.limit)
        groups = evaluation_samples(task, "test", indices)
        measured = [
            measure(group, config.evaluation.y_border)
            for _, group in tqdm(groups, total=len(indices), unit="sample")
        ]
    means = protocol.mean(measured)
    rows = [
        [part, name, tables.number(name, value)]
        for part in ("restored", "restored_without_reference")
        for name, value in means.get(part, {}).items()
    ]
    print(tables.markdown(["the reference alone", "measure", "mean"], rows))
    print(f"\n{len(measured)} test samples; PSNR in dB.")


def measure(group: Sample, y_border: int) -> dict:
    """`restored` and `restored_without_reference` of a sample, as the protocol has them."""
    restored = restore(group)
    measures = protocol.measure(group, group["reference"], restored, y_border)
    return {name: value for name, value in measures.items() if name.startswith("restored")}


def restore(group: Sample) -> np.ndarray:
    """Every image of a group as the reference shows it, uint8 (n, h, w, 3)."""
    count, height, width, channels = group["frames"].shape
    reference = group["reference"]
    if reference.shape[:2] != (height, width):
        reference = imresize(reference, height, width)
    colours = np.broadcast_to(reference, (height, width, channels))
    return np.broadcast_to(colours, (count, height, width, channels))


if __name__ == "__main__":
    main()
