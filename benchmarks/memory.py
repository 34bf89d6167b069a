"""Memory of a train step: what the compiled program needs, and what the device counts.

    python -m benchmarks.memory [--images=2,9,31] [--blocks=10,30] [--memory=none,remat,reversible]
    python -m benchmarks.memory --images=31,47,63,79 --blocks=10 --memory=reversible \
        --run --limit=11

XLA lays out all buffers of a program when it compiles, so a CPU is enough. The program is that of
this machine's backend, with loops (as on accelerators) unless --loop says otherwise; other backends
fuse other operations and add the workspace of their convolutions. Arguments are parameters and
Adam's moments (donated, so that results take no space of their own) and the batch; all else is
temporary: gradients, activations, and copies.

`--run` also makes a step, and shows the most memory that was in use on the device so far: order
cases from the smallest to the largest. CPUs do not count. `--limit` ends after the first case that
needs more gigabytes, by the device's count if there is one.

Results are written after every row.
"""

import argparse
from pathlib import Path

import jax
from tqdm import tqdm

from benchmarks import programs, report, train_step
from iicnet_jax.models.execution import LOOPS, MEMORY_SAVING, PRECISIONS


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=_numbers, default=[2, 9, 31])
    parser.add_argument("--blocks", type=_numbers, default=[10, 30])
    choices = list(MEMORY_SAVING)
    parser.add_argument("--memory", type=lambda names: names.split(","), default=choices)
    parser.add_argument("--loop", choices=LOOPS, default="scan")
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    parser.add_argument("--batch_size", type=int, default=2)
    parser.add_argument("--crop", type=int, default=144)
    parser.add_argument("--run", action="store_true", help="also make a step")
    parser.add_argument("--limit", type=float, help="end after the first that needs more GB")
    parser.add_argument("--out", type=Path, help="JSON file with all results")
    arguments = parser.parse_args()

    cases = [
        (images, blocks, memory)
        for images in arguments.images
        for memory in arguments.memory
        for blocks in arguments.blocks
    ]
    rows = []
    for images, blocks, memory in tqdm(cases, disable=None):
        config = programs.paper_config(
            images, blocks, memory_saving=memory, loop=arguments.loop, precision=arguments.precision
        )
        config.data.update(batch_size=arguments.batch_size, crop=arguments.crop)
        row = {"images": images, "blocks": blocks, "memory": memory}
        row |= needed_and_used(config) if arguments.run else needed(config)
        rows.append(row)
        tqdm.write(report.table(rows[-1:]).splitlines()[-1])
        if arguments.out:
            settings = {name: str(value) for name, value in vars(arguments).items()}
            report.write(arguments.out, settings, rows)
        most = row["GB"] if row.get("device GB", "-") == "-" else row["device GB"]
        if arguments.limit and most > arguments.limit:
            break
    print(f"\n{report.table(rows)}")


def needed(config) -> dict[str, float]:
    """Gigabytes (10^9 bytes) of the train step's program."""
    return programs.memory(programs.lower_train_step(config).compile())


def needed_and_used(config) -> dict[str, float | str]:
    """The same, and the most that the device has counted so far ("-": it does not count)."""
    training = train_step.Training(config)
    training.seconds(train_step.resident_batch(config), 1)
    counted = jax.devices()[0].memory_stats()
    used = counted["peak_bytes_in_use"] / 1e9 if counted else "-"
    return {**training.needed, "device GB": used}


def _numbers(text):
    return [int(number) for number in text.split(",")]


if __name__ == "__main__":
    main()
