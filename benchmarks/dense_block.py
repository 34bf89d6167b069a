"""Other ways to compute a coupling's dense blocks G and H, which have the same input.

    python -m benchmarks.dense_block [--batch_size=2] [--side=144] [--channels=3]

Times the value and the gradients of both:

- concatenated: as `models/dense_block.py` does it. Convolution i takes the input and all features
  before it, concatenated.
- scattered: no concatenation. The input and each feature go through one wide convolution, to the
  channels of all later convolutions, and what arrives there is added up.
- merged: the first convolutions of G and H as one, with twice the channels.

All forms compute the same; the largest difference is shown. They are timed in turns.
"""

import argparse
import time
from pathlib import Path

import jax
import jax.numpy as jnp
from flax import nnx

from benchmarks import report, timing
from iicnet_jax.models.convolution import convolve
from iicnet_jax.models.dense_block import GROWTH, LEAKY_SLOPE, DenseBlock

DIMENSIONS = ("NHWC", "HWIO", "NHWC")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batch_size", type=int, default=2)
    parser.add_argument("--side", type=int, default=144)
    parser.add_argument("--channels", type=int, default=3, help="of input and output")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--out", type=Path, help="JSON file with all results")
    arguments = parser.parse_args()

    pair = [_random_block(arguments.channels, seed) for seed in (1, 2)]
    graph, params = nnx.split(pair)
    shape = (arguments.batch_size, arguments.side, arguments.side, arguments.channels)
    x = jax.random.normal(jax.random.key(0), shape)
    programs, results = {}, {}
    for name, form in FORMS.items():

        def loss(params, x, form=form):
            values = form(nnx.merge(graph, params), x)
            return sum((value**2).sum() for value in values), values

        program = jax.jit(jax.grad(loss, argnums=(0, 1), has_aux=True))
        results[name] = jax.block_until_ready(program(params, x))
        programs[name] = lambda program=program: _seconds(program, params, x)
    seconds = timing.interleaved(programs, arguments.repeats)
    rows = [
        {
            "form": name,
            **report.median_and_spread([1000 * value for value in values]),
            "difference": _difference(results[name], results["concatenated"]),
        }
        for name, values in seconds.items()
    ]
    print(f"\nmilliseconds\n{report.table(rows)}")
    if arguments.out:
        report.write(arguments.out, timing.settings(arguments), rows)


def concatenated(pair, x):
    """G(x) and H(x)."""
    return [block(x) for block in pair]


def scattered(pair, x):
    """G(x) and H(x), each feature sent on to all later convolutions at once."""
    return [_scattered(block, x) for block in pair]


def merged(pair, x):
    """G(x) and H(x), of which the first convolutions are one."""
    first = [block.growing[0] for block in pair]
    kernel = jnp.concatenate([conv.kernel[...] for conv in first], axis=-1)
    bias = jnp.concatenate([_bias(conv) for conv in first], axis=-1)
    features = nnx.leaky_relu(_convolve(x, kernel) + bias, LEAKY_SLOPE)
    values = []
    for block, new in zip(pair, jnp.split(features, 2, axis=-1), strict=True):
        known = jnp.concatenate([x, new], axis=-1)
        for conv in block.growing[1:]:
            new = nnx.leaky_relu(conv(known), LEAKY_SLOPE)
            known = jnp.concatenate([known, new], axis=-1)
        values.append(block.last(known))
    return values


FORMS = {"concatenated": concatenated, "scattered": scattered, "merged": merged}


def _scattered(block, x):
    convs = [*block.growing, block.last]
    widths = [conv.kernel.shape[-1] for conv in convs]
    arriving = [_bias(conv) for conv in convs]
    begin, new = 0, x
    for index in range(len(convs)):
        end = begin + new.shape[-1]
        wide = jnp.concatenate([conv.kernel[:, :, begin:end] for conv in convs[index:]], axis=-1)
        ends = [sum(widths[index : i + 1]) for i in range(index, len(convs) - 1)]
        for i, part in enumerate(jnp.split(_convolve(new, wide), ends, axis=-1), index):
            arriving[i] = arriving[i] + part
        begin, new = end, nnx.leaky_relu(arriving[index], LEAKY_SLOPE)
    return arriving[-1]


def _bias(conv):
    return conv.bias[...].reshape(1, 1, 1, -1)


def _convolve(x, kernel):
    numbers = jax.lax.conv_dimension_numbers(x.shape, kernel.shape, DIMENSIONS)
    return convolve(x, kernel, (1, 1), "SAME", dimension_numbers=numbers)


def _random_block(channels, seed):
    """No parameter is zero."""
    block = DenseBlock(channels, channels, rngs=nnx.Rngs(seed))
    shape = block.last.kernel.shape
    block.last.kernel[...] = jax.random.normal(jax.random.key(seed), shape) / (9 * 4 * GROWTH)
    return block


def _seconds(program, *inputs):
    begin = time.perf_counter()
    jax.block_until_ready(program(*inputs))
    return time.perf_counter() - begin


def _difference(result, expected):
    """The largest, relative to the largest value of each array."""
    pairs = zip(jax.tree.leaves(result), jax.tree.leaves(expected), strict=True)
    return max(float(abs(a - b).max() / abs(b).max()) for a, b in pairs)


if __name__ == "__main__":
    main()
