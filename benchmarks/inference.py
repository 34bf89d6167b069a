"""Embedding and restoring a group of images: megapixels a second and memory, by size.

    python -m benchmarks.inference --sizes 854x480 3840x2160 --out=inference.json

`tiled` is what the `iicnet` command does: images of any size through tiles with exact halos. Images
of up to `--whole_limit` megapixels are also computed in one piece. A megapixel is one of each image
of the group, there and back; the group is 8-bit, the embedding is rounded in between. Memory is the
largest that the process has held so far (on a GPU, the device's), so that sizes are measured from
the smallest to the largest, each in turns.

`--torch_reference=DIR` times the authors' code in the same turns, on images of up to
`--whole_limit` megapixels; see benchmarks/train_step.py.
"""

import argparse
import functools
import resource
import sys
import time

import jax
import numpy as np
from tqdm import tqdm

from benchmarks import report, timing
from iicnet_jax.experiment import build
from iicnet_jax.inference.tiling import WHOLE, Tiled


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    timing.add_arguments(parser)
    parser.add_argument(
        "--sizes",
        type=_size,
        nargs="*",
        default=[(480, 854), (2160, 3840)],
        metavar="WIDTHxHEIGHT",
    )
    parser.add_argument("--tile", type=int, help="side of a tile in pixels, else the command's")
    parser.add_argument("--whole_limit", type=float, default=1.0, help="megapixels in one piece")
    arguments = parser.parse_args()
    if arguments.torch_reference:
        timing.share_device_memory()
    config = timing.network_config(arguments)
    model = build.create_model(config)
    progress = Progress()
    conversions = {
        "whole": Tiled(model, tile=WHOLE),
        "tiled": Tiled(model, tile=arguments.tile, progress=progress),
    }

    rows = []
    for size in sorted(arguments.sizes, key=np.prod):
        rows += measured(config, conversions, progress, size, arguments)
    print(f"\nOn {jax.devices()[0].device_kind}\n\n{report.table(rows)}")
    if arguments.out:
        report.write(arguments.out, timing.settings(arguments), rows)


def measured(config, conversions, progress, size, arguments) -> list[dict]:
    """The rows of one size."""
    shape = (config.model.num_images, *size, 3)
    frames = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    megapixels = size[0] * size[1] / 1e6
    whole = megapixels <= arguments.whole_limit
    programs = {
        name: functools.partial(there_and_back, conversion, frames)
        for name, conversion in conversions.items()
        if whole or name != "whole"
    }
    reference = None
    if arguments.torch_reference and whole:
        reference = timing.start_reference(arguments, config, 1, size, "convert")
        programs[timing.AUTHORS] = lambda: reference.ask(1)
    progress.limit = 1  # all tiles have one shape
    for program in tqdm(programs.values(), desc="compiling", disable=None):
        program()
    progress.limit = None
    times = timing.interleaved(programs, arguments.repeats, arguments.profile)
    if reference:
        reference.close()

    seconds = {name: report.median_and_spread(values) for name, values in times.items()}
    authors = seconds.get(timing.AUTHORS)
    return [
        {
            "size": f"{size[1]}x{size[0]}",
            "program": name,
            **time_,
            "megapixels/s": megapixels / time_["median"],
            "GB": peak_gigabytes() if name != timing.AUTHORS else "-",
            "reference": authors["median"] / time_["median"] if authors else "-",
        }
        for name, time_ in seconds.items()
    ]


class Progress:
    """Shows how many tiles are done, of the first `limit` or all."""

    limit: int | None = None

    def __call__(self, tiles):
        return tqdm(tiles[: self.limit], desc="tiles", leave=False, disable=None)


def there_and_back(conversion, frames) -> float:
    """Seconds of embedding and restoring; all arrays are in the host's memory."""
    begin = time.perf_counter()
    conversion.restore(conversion.embed(frames, np.uint8), frames.shape[1:3])
    return time.perf_counter() - begin


def peak_gigabytes() -> float:
    """The most memory so far: the device's, or where it has none of its own, the process's."""
    statistics = jax.devices()[0].memory_stats()
    if statistics:
        return statistics["peak_bytes_in_use"] / 1e9
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def _size(text):
    """Height and width of WIDTHxHEIGHT."""
    try:
        width, height = map(int, text.split("x"))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not WIDTHxHEIGHT, like 854x480") from error
    return height, width


if __name__ == "__main__":
    main()
