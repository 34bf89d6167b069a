"""Memory of a train step: what the compiled program needs, without running it.

    python -m benchmarks.memory [--images=2,9,31] [--blocks=10,30] [--memory=none,remat,reversible]

XLA lays out all buffers of a program when it compiles, so a CPU is enough. The program is that of
this machine's backend, with loops (as on accelerators) unless --loop says otherwise; other backends
fuse other operations and add the workspace of their convolutions. Arguments are parameters and
Adam's moments (donated, so that results take no space of their own) and the batch; all else is
temporary: gradients, activations, and copies.
"""

import argparse
from pathlib import Path

from tqdm import tqdm

from benchmarks import programs, report
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
        rows.append({"images": images, "blocks": blocks, "memory": memory, **needed(config)})
        tqdm.write(report.table(rows[-1:]).splitlines()[-1])
    print(f"\n{report.table(rows)}")
    if arguments.out:
        settings = {name: str(value) for name, value in vars(arguments).items()}
        report.write(arguments.out, settings, rows)


def needed(config) -> dict[str, float]:
    """Gigabytes (10^9 bytes) of the train step's program."""
    analysis = programs.lower_train_step(config).compile().memory_analysis()
    held, temporary = analysis.argument_size_in_bytes / 1e9, analysis.temp_size_in_bytes / 1e9
    return {"arguments": held, "temporaries": temporary, "GB": held + temporary}


def _numbers(text):
    return [int(number) for number in text.split(",")]


if __name__ == "__main__":
    main()
