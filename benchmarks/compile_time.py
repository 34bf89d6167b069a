"""How long the train step takes to compile, by number of blocks, in loops and unrolled.

    python -m benchmarks.compile_time [--images=2] [--blocks=10,30] [--loops=scan,unroll]

Processor seconds of all threads for tracing, lowering and compiling, with no cache; wall-clock
time would depend on what else runs. `ratio` is against the first number of blocks in the same
kind of program.
"""

import argparse
import time
from pathlib import Path

import jax
from tqdm import tqdm

from benchmarks import programs, report


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=2)
    parser.add_argument(
        "--blocks", type=lambda text: [int(number) for number in text.split(",")], default=[10, 30]
    )
    parser.add_argument("--loops", type=lambda names: names.split(","), default=["scan", "unroll"])
    parser.add_argument("--memory", default="reversible")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, help="JSON file with all results")
    arguments = parser.parse_args()

    jax.config.update("jax_enable_compilation_cache", False)
    compile_once(programs.paper_config(arguments.images, 1))  # imports and caches of JAX
    rows = []
    for loop in arguments.loops:
        for blocks in tqdm(arguments.blocks, desc=loop, disable=None):
            config = programs.paper_config(
                arguments.images, blocks, memory_saving=arguments.memory, loop=loop
            )
            seconds = [compile_once(config) for _ in range(arguments.repeats)]
            rows.append({"loop": loop, "blocks": blocks, **report.median_and_spread(seconds)})
            first = next(row for row in rows if row["loop"] == loop)
            rows[-1]["ratio"] = rows[-1]["median"] / first["median"]
            tqdm.write(report.table(rows[-1:]).splitlines()[-1])
    print(f"\n{report.table(rows)}")
    if arguments.out:
        settings = {name: str(value) for name, value in vars(arguments).items()}
        report.write(arguments.out, settings, rows)


def compile_once(config) -> float:
    """Processor seconds for the train step of a configuration, from Python to the program."""
    jax.clear_caches()
    begin = time.process_time()
    programs.lower_train_step(config).compile()
    return time.process_time() - begin


if __name__ == "__main__":
    main()
