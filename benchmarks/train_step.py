"""Milliseconds of a train step: batch sizes, precisions, memory; the authors' code beside it.

    python -m benchmarks.train_step --batch_sizes 2 32 --precisions float32 bfloat16 \
        --memories none reversible --real_data --out=train_step.json

All programs are measured in turns: every repetition times each of them once, so that whatever else
happens on the machine meets all alike. Tables of different calls should not be compared. Batches
lie in the device's memory, and a repetition ends when the device has finished. `--real_data` adds
a program that is fed as training is, from pictures of the published size; its step time divided by
that of the program without stands in the column `synthetic`.

`--torch_reference=DIR` times the authors' code in the same turns: DIR is a checkout of
github.com/felixcheng97/IICNet, `--torch_python` a Python that has PyTorch. It trains the same
network with the same batch size, with PyTorch's own defaults of precision. The column `reference`
says how many times longer it takes. With several batch sizes it is started for each.

FLOP/s count multiplications and additions of convolutions, forward and backward, without what is
computed twice to save memory (benchmarks/roofline.py). XLA's options are set as always (XLA_FLAGS),
and recorded with the results.
"""

import argparse
import functools
import itertools
import tempfile
import time
from pathlib import Path

import jax
import numpy as np
from jax import lax
from tqdm import tqdm

from benchmarks import report, roofline, timing
from benchmarks.input_pipeline import full_size_data
from iicnet_jax.data import create_task
from iicnet_jax.data.aligned import reference_scale
from iicnet_jax.data.pipeline import training_batches
from iicnet_jax.experiment import build
from iicnet_jax.training import sharding


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    timing.add_arguments(parser)
    parser.add_argument("--crop", type=int, help="side of the images, if not the experiment's")
    parser.add_argument("--batch_sizes", type=int, nargs="*", help="else the experiment's")
    parser.add_argument("--precisions", nargs="*", help="else the experiment's")
    parser.add_argument("--memories", nargs="*", help="else the experiment's")
    parser.add_argument("--steps", type=int, default=1, help="train steps in a repetition")
    parser.add_argument(
        "--one_call", action="store_true", help="also the steps of a repetition as one program"
    )
    parser.add_argument("--real_data", action="store_true", help="also fed as training is")
    parser.add_argument("--data", type=Path, help="keeps the pictures of --real_data here")
    arguments = parser.parse_args()
    if arguments.torch_reference:
        timing.share_device_memory()
    config = timing.network_config(arguments)
    if arguments.crop:
        config.data.crop = arguments.crop

    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        if arguments.real_data:
            data = arguments.data or Path(temporary)
            config.data.root = str(full_size_data(data, config.data.task))
        for batch_size in arguments.batch_sizes or [config.data.batch_size]:
            config.data.batch_size = batch_size
            rows += measured(config, arguments)
    print(f"\nMilliseconds a train step on {jax.devices()[0].device_kind}\n\n{report.table(rows)}")
    if arguments.out:
        report.write(arguments.out, timing.settings(arguments), rows)


def measured(config, arguments) -> list[dict]:
    """The rows of one batch size."""
    steps, side = arguments.steps, config.data.crop
    feeds = {"": resident_batch(config)}
    if arguments.real_data:
        feeds[", real data"] = batches_from_files(config)
    programs = {}
    for precision, memory in itertools.product(
        arguments.precisions or [config.precision], arguments.memories or [config.memory_saving]
    ):
        config.precision, config.memory_saving = precision, memory
        training = Training(config)
        for name, batches in feeds.items():
            program = functools.partial(training.seconds, batches, steps)
            programs[timing.OURS + name, precision, memory] = program
        if arguments.one_call:
            program = functools.partial(Training(config, steps).seconds, feeds[""], 1)
            programs[f"{timing.OURS}, {steps} steps a call", precision, memory] = program
    reference = None
    if arguments.torch_reference:
        batch_size = config.data.batch_size
        reference = timing.start_reference(arguments, config, batch_size, (side, side), "train")
        programs[timing.AUTHORS, "default", "none"] = lambda: reference.seconds(steps)
    for program in tqdm(programs.values(), desc="compiling", disable=None):
        program()
    times = timing.interleaved(programs, arguments.repeats, arguments.profile)
    if reference:
        reference.close()

    milliseconds = {
        program: report.median_and_spread([1e3 * seconds / steps for seconds in values])
        for program, values in times.items()
    }
    work = roofline.train_step_flops(config)
    rows = []
    for (name, precision, memory), time_ in milliseconds.items():
        settings = {"batch": config.data.batch_size, "precision": precision, "memory": memory}
        compared = {
            "synthetic": milliseconds.get((timing.OURS, precision, memory)),
            "reference": milliseconds.get((timing.AUTHORS, "default", "none")),
        }
        ratios = {
            "synthetic": _ratio(time_, compared["synthetic"]),
            "reference": _ratio(compared["reference"], time_),
        }
        speed = {"TFLOP/s": work / time_["median"] / 1e9}
        rows.append({"program": name, **settings, **time_, **speed, **ratios})
    return rows


class Training:
    """A train step, compiled when first used, and its state; `steps_in_call` make one program."""

    def __init__(self, config, steps_in_call: int = 1):
        graph, state = build.create_state(config, build.create_model(config))
        mesh = sharding.data_mesh(config.data.batch_size, parts=config.optimizer.accumulate)
        step = build.create_train_step(config, graph)
        self._state = jax.device_put(state, sharding.replicated(mesh))
        self._step = jax.jit(repeated(step, steps_in_call), donate_argnums=0)
        self._key = jax.random.key(0)

    def seconds(self, batches, calls: int) -> float:
        """How long so many calls take, from the batch to the end of the device's work."""
        begin = time.perf_counter()
        for _ in range(calls):
            self._state, _ = self._step(self._state, next(batches), self._key)
        jax.block_until_ready(self._state)
        return time.perf_counter() - begin


def repeated(step, count: int):
    """`count` train steps on one batch as one function; the metrics are the last step's."""
    if count == 1:
        return step

    def steps(state, batch, key):
        state, metrics = lax.scan(lambda state, _: step(state, batch, key), state, length=count)
        return state, jax.tree.map(lambda values: values[-1], metrics)

    return steps


def resident_batch(config):
    """One batch of noise in the device's memory, again and again."""
    model, samples, side = config.model, config.data.batch_size, config.data.crop
    embedded = -(-side // reference_scale(model))
    random = np.random.default_rng(0)

    def noise(*shape):
        return random.integers(0, 256, (samples, *shape), np.uint8)

    batch = {
        "frames": noise(model.num_images, side, side, 3),
        "reference": noise(embedded, embedded, model.embedding_channels),
    }
    return itertools.repeat(sharding.put_batch(sharding.data_mesh(samples), batch))


def batches_from_files(config):
    """Batches as training gets them: files, Grain, and over to the device."""
    mesh = sharding.data_mesh(config.data.batch_size)
    task = create_task(config.data, config.model)
    for batch in training_batches(task, batch_size=config.data.batch_size, seed=config.seed):
        del batch["index"]
        yield sharding.put_batch(mesh, batch)


def _ratio(a, b):
    return a["median"] / b["median"] if a and b else "-"


if __name__ == "__main__":
    main()
