"""The bundled networks beside an image codec's bytes in the lowest bits, on the same test samples.

    python -m experiments.low_bits --data=runs/photographs

Every task of the bundled models: the model, `low_bits` with one, two and three bits, and for one
image what the reference alone is worth (`experiments.reference_only`). All from the embedding in 8
bits, as a lossless file holds it.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

from experiments.datasets import SAMPLE_ROOTS
from iicnet_jax.cli.arguments import positive
from iicnet_jax.core import compilation_cache, console
from iicnet_jax.core.errors import UserError
from iicnet_jax.core.files import typed_path
from iicnet_jax.data import create_task
from iicnet_jax.data.pipeline import evaluation_indices, evaluation_samples
from iicnet_jax.data.task import Sample
from iicnet_jax.evaluation import protocol, tables
from iicnet_jax.experiment import run
from iicnet_jax.inference.codec import load
from iicnet_jax.inference.tiling import to_uint8
from iicnet_jax.models.baselines.low_bits import MOST_BITS, TASKS

CONFIG = Path(__file__).parents[1] / "configs/low_bits.py"
COLUMNS = ("embedding PSNR", "SSIM", "hidden PSNR", "SSIM")


def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        "experiments.low_bits",
        description="The bundled networks beside a codec in the lowest bits.",
    )
    parser.add_argument(
        "--data", type=typed_path, required=True, help="folder with the datasets by their names"
    )
    parser.add_argument(
        "--only", default=",".join(TASKS), help=f"some of {','.join(TASKS)}, separated by commas"
    )
    parser.add_argument("--limit", type=positive, default=8, help="test samples of a task, at most")
    arguments = parser.parse_args(argv)
    with console.exit_on_user_error():
        compilation_cache.enable()
        for task in arguments.only.split(","):
            if task not in TASKS:
                raise UserError(f"--only: {task!r} is unknown; there are {', '.join(TASKS)}")
            print(f"{compare(task, arguments.data, arguments.limit)}\n", flush=True)
    print("PSNR in dB; hidden: the images other than the reference, where there are any.")


def compare(task: str, data: Path, limit: int) -> str:
    """The table of a task. Raises UserError if the dataset is missing."""
    root = data / SAMPLE_ROOTS[task]
    config = run.load_config([f"--config={CONFIG}:{task}", f"--config.data.root={root}"])
    source = create_task(config.data, config.model)
    indices = evaluation_indices(source, "test", limit)

    def samples() -> Iterator[Sample]:
        loaded = evaluation_samples(source, "test", indices)
        yield from (sample for _, sample in tqdm(loaded, total=len(indices), leave=False))

    def of_model(name: str) -> Callable[[Sample], dict]:
        method = load(name).tiled

        def measure(sample):
            embedding = to_uint8(method.embed(sample["frames"]))
            restored = method.restore(embedding, sample["frames"].shape[1:3])
            return protocol.measure(sample, embedding, restored, y_border=0)

        return measure

    methods = {f"the network `{task}`": of_model(task)}
    for bits in range(1, MOST_BITS + 1):
        title = f"`low_bits`, {bits} bit{'s'[: bits - 1]}"
        methods[title] = of_model(f"low_bits:{task},bits={bits}")
    if config.model.num_images == 1:
        methods["the reference alone"] = _reference_alone
    rows = [_row(title, measure, samples()) for title, measure in methods.items()]
    return tables.markdown([f"{task}, {len(indices)} samples", *COLUMNS], rows)


def _reference_alone(sample: Sample) -> dict:
    restored = protocol.reference_alone(sample["reference"], sample["frames"].shape)
    return protocol.measure(sample, sample["reference"], restored, y_border=0)


def _row(title, measure, samples) -> list[str]:
    means = protocol.mean(list(map(measure, samples)))
    hidden = means.get("restored_without_reference", means["restored"])
    numbers = [
        tables.number(name, part[name])
        for part in (means["embedding"], hidden)
        for name in ("psnr", "ssim")
    ]
    return [title, *numbers]


if __name__ == "__main__":
    main()
