"""Milliseconds of a convolution's three passes on a CPU, at the shapes of the networks.

    python -m benchmarks.convolution [--torch_python=PYTHON]

Forward, input gradient and kernel gradient of convolutions of 3x3: those of a dense block and of
the relation module with the paper's settings, and those of the networks that come with the package,
whose crops of 64x64 are 16x16 after two levels of Haar. PyTorch's, in a process of its own, are
timed in the same turns. Of the small ones, a tenth of a millisecond is the call.
"""

import argparse
import sys
import time
from pathlib import Path

import jax
from jax import lax

from benchmarks import report, timing
from benchmarks.torch_reference import Reference
from iicnet_jax.models.convolution import convolve

# Batch, side, channels of input and output.
SHAPES = (
    *((2, 144, 3 + 32 * i, 32) for i in range(4)),
    *((2, 144, 131, 3), (2, 144, 64, 64), (2, 144, 128, 128)),
    *((2, 16, 48 + 16 * i, 16) for i in range(4)),
    (2, 16, 112, 48),
)
PASSES = ("forward", "input gradient", "kernel gradient")
TORCH = Path(__file__).with_name("torch_convolution.py")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--torch_python", help="a Python with PyTorch")
    parser.add_argument("--out", type=Path, help="JSON file with all results")
    arguments = parser.parse_args()
    try:
        reference = arguments.torch_python and Reference([arguments.torch_python, str(TORCH)])
    except (OSError, RuntimeError) as error:
        sys.exit(f"error: --torch_python: {error}")
    rows = [row(shape, what, reference, arguments.repeats) for shape in SHAPES for what in PASSES]
    print(f"\nmilliseconds\n{report.table(rows)}")
    if reference:
        reference.close()
    if arguments.out:
        report.write(arguments.out, timing.settings(arguments), rows)


def row(shape, what: str, reference: Reference | None, repeats: int) -> dict[str, object]:
    """Of one pass: ours, PyTorch's, and how many times as fast ours is."""
    ours = program(shape, what)
    ours()
    programs = {timing.OURS: ours}
    if reference:
        programs["PyTorch"] = lambda: reference.ask([what, shape])
    seconds = timing.interleaved(programs, repeats)
    milliseconds = {
        name: 1000 * report.median_and_spread(values)["median"] for name, values in seconds.items()
    }
    batch, side, inputs, outputs = shape
    return {
        "images": f"{batch} x {side}x{side}",
        "channels": f"{inputs} to {outputs}",
        "pass": what,
        **milliseconds,
        "speed": milliseconds["PyTorch"] / milliseconds[timing.OURS] if reference else None,
    }


def program(shape, what: str):
    """A function that computes the pass once and returns the seconds that it took."""
    batch, side, inputs, outputs = shape
    keys = jax.random.split(jax.random.key(0), 3)
    x = jax.random.normal(keys[0], (batch, side, side, inputs))
    kernel = jax.random.normal(keys[1], (3, 3, inputs, outputs))
    dy = jax.random.normal(keys[2], (batch, side, side, outputs))
    numbers = lax.conv_dimension_numbers(x.shape, kernel.shape, ("NHWC", "HWIO", "NHWC"))

    def forward(x, kernel):
        return convolve(x, kernel, (1, 1), "SAME", dimension_numbers=numbers)

    def computed(x, kernel, dy):
        if what == "forward":
            return forward(x, kernel)
        return jax.vjp(forward, x, kernel)[1](dy)[PASSES.index(what) - 1]

    compiled = jax.jit(computed)

    def seconds():
        begin = time.perf_counter()
        jax.block_until_ready(compiled(x, kernel, dy))
        return time.perf_counter() - begin

    return seconds


if __name__ == "__main__":
    main()
