"""What bounds a train step on a GPU: a calculation from published peaks, no measurement.

    python -m benchmarks.roofline --config=dual_x4 --batch_sizes 2 32

FLOPs are multiplications and additions of all convolutions, forward and twice again backward (for
their inputs and for their kernels), without what is computed again to save memory. `--xla` counts
them once more in the program itself, before XLA optimises it, recomputation included.

Bytes are the least that has to move: forward, every convolution reads its input and writes its
output; backward, it reads the output's gradient twice and its input once, and writes the input's
gradient. All else is taken to be fused into these; parameters are left out, about
a hundredth of that at batch 2.

Launches are three kernels a convolution, each of which takes `--launch_us` at least. The longest of
the three times is the bound; a real step is slower than that.
"""

import argparse
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks import report, timing
from iicnet_jax.models.iicnet import COLOURS


class Device(NamedTuple):
    """Published peaks, without sparsity, by precision."""

    tflops: dict[str, float]
    terabytes: float  # a second


_HOPPER = {"float32": 67.0, "tensorfloat32": 494.7, "bfloat16": 989.4}
DEVICES = {  # NVIDIA's data sheets of the H100 and H200 Tensor Core GPUs
    "H100 SXM": Device(_HOPPER, 3.35),
    "H200 SXM": Device(_HOPPER, 4.8),
}
BYTES = {"float32": 4, "tensorfloat32": 4, "bfloat16": 2}
# Forward, gradient of the input, gradient of the kernel.
PASSES = 3


class Conv(NamedTuple):
    """A convolution of images whose sides are 1/`scale` of the input's."""

    size: int
    inputs: int
    outputs: int
    scale: int = 1


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", default="dual_x4", help="an experiment, a file of configs/")
    parser.add_argument("--blocks", type=int, help="coupling blocks, if not the experiment's")
    parser.add_argument("--batch_sizes", type=int, nargs="*", default=[2, 32])
    parser.add_argument("--launch_us", type=float, default=2.5, help="shortest kernel, assumed")
    parser.add_argument("--xla", action="store_true", help="also count FLOPs in the program")
    parser.add_argument("--out", type=Path, help="JSON file with all results")
    arguments = parser.parse_args()
    config = timing.network_config(arguments)

    rows = []
    for batch_size in arguments.batch_sizes:
        config.data.batch_size = batch_size
        for name, device in DEVICES.items():
            for precision in BYTES:
                bound = train_step_bound(config, device, precision, arguments.launch_us)
                rows.append({"device": name, "batch": batch_size, "precision": precision, **bound})
    convolutions = len(list(network_convolutions(config)))
    print(f"{convolutions} convolutions, {PASSES * convolutions} launches\n")
    print(f"Bounds of a train step in milliseconds (a calculation)\n\n{report.table(rows)}")
    if arguments.xla:
        print(f"\nFLOPs in the program of a batch of {batch_size}: {xla_flops(config):.4g}")
    if arguments.out:
        report.write(arguments.out, timing.settings(arguments), rows)


def train_step_bound(config, device: Device, precision: str, launch_us: float) -> dict:
    """Milliseconds of each resource, and which one bounds the step."""
    flops = train_step_flops(config)
    times = {
        "compute": flops / device.tflops[precision] / 1e9,
        "memory": train_step_bytes(config, BYTES[precision]) / device.terabytes / 1e9,
        "launches": PASSES * len(list(network_convolutions(config))) * launch_us / 1e3,
    }
    bound = max(times, key=times.get)
    used = flops / (times[bound] * 1e9) / device.tflops[precision]
    return {"TFLOP": flops / 1e12, **times, "bound": bound, "peak used, %": 100 * used}


def train_step_flops(config) -> float:
    """Multiplications and additions of a train step's convolutions."""
    pixels = _pixels(config)
    return PASSES * sum(
        2 * conv.size**2 * conv.inputs * conv.outputs * pixels / conv.scale**2
        for conv in network_convolutions(config)
    )


def train_step_bytes(config, value_bytes: int) -> float:
    """The least traffic between the device's memory and its cores, see above."""
    pixels = _pixels(config)
    return (
        value_bytes
        * PASSES
        * sum(
            (conv.inputs + conv.outputs) * pixels / conv.scale**2
            for conv in network_convolutions(config)
        )
    )


def network_convolutions(config) -> Iterator[Conv]:
    """All convolutions of embedding and restoring a group of images."""
    model = config.model
    images, features = model.num_images, model.relation_features
    dense_block = functools.partial(_dense_block, growth=model.growth)
    scale = 1 if model.downscaling == "none" else 2
    channels = images * COLOURS * scale**2
    split = model.embedding_channels * scale**2
    if scale == 2 and model.split == "prop":
        split = channels // 4
    for _ in ("embed", "restore"):
        for _ in range(images if model.relation else 0):
            yield from dense_block(COLOURS, features)
            yield from [Conv(1, features, features)] * 2
            yield Conv(3, images * features, features)
            yield from dense_block(features, COLOURS)
        if scale == 2:
            yield Conv(1, channels, channels, scale)
        for _ in range(model.num_blocks):
            yield from dense_block(channels - split, split, scale)
            yield from dense_block(split, channels - split, scale)
            yield from dense_block(split, channels - split, scale)


def xla_flops(config) -> float:
    """FLOPs of the whole train step as it is given to XLA, blocks unrolled."""
    from benchmarks import programs

    config.loop = "unroll"
    return programs.lower_train_step(config).cost_analysis()["flops"]


def _dense_block(inputs, outputs, scale=1, *, growth):
    for index in range(4):
        yield Conv(3, inputs + index * growth, growth, scale)
    yield Conv(3, inputs + 4 * growth, outputs, scale)


def _pixels(config):
    return config.data.batch_size * config.data.crop**2


if __name__ == "__main__":
    main()
