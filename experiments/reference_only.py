"""A baseline without a network: the reference stands for every restored image.

    python -m experiments.reference_only --config=configs/grayscale.py --config.data.root=DIR

The reference alone is the embedding, and every image is restored as the reference: enlarged
bicubically where the embedding is smaller, its grey in three channels where it is grey. A network
that restores less has learnt nothing of use.
"""

import sys

from tqdm import tqdm

from iicnet_jax.core import console
from iicnet_jax.data import create_task
from iicnet_jax.data.pipeline import evaluation_indices, evaluation_samples
from iicnet_jax.data.task import Sample
from iicnet_jax.evaluation import protocol, tables
from iicnet_jax.experiment import run


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


def measure(sample: Sample, y_border: int) -> dict:
    """`restored` and `restored_without_reference` of a sample, as the protocol has them."""
    restored = protocol.reference_alone(sample["reference"], sample["frames"].shape)
    return protocol.measure_restored(sample, restored, y_border)


if __name__ == "__main__":
    main()
