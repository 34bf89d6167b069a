"""Milliseconds of a train step: batch sizes, precisions, memory; the authors' code beside it.

    python -m benchmarks.train_step --batch_sizes 2 32 --precisions float32 bfloat16 \
        --memories none reversible --real_data --out=train_step.json

All programs are measured in turns: every repetition times each of them once, so that whatever else
happens on the machine meets all alike. Tables of different calls should not be compared. Batches
lie in the device's memory, and a repetition ends when the device has finished. `--real_data` adds
a program that is fed as training is, from pictures of the published size; `--on_device` one whose
steps draw their crops from such pictures in the device's memory. The column `synthetic` has their
step times divided by that of the program on noise. `--steps_per_call 1 20` also compiles 20 steps
as one program.

`--torch_reference=DIR` times the authors' code in the same turns: DIR is a checkout of
github.com/felixcheng97/IICNet, `--torch_python` a Python that has PyTorch. It trains the same
network with the same batch size, with PyTorch's own defaults of precision. The column `reference`
says how many times longer it takes. With several batch sizes it is started for each.

FLOP/s count multiplications and additions of convolutions, forward and backward, without what is
computed twice to save memory (benchmarks/roofline.py). GB (10^9 bytes) are what the compiled
program needs (benchmarks/memory.py). XLA's options are set as always (XLA_FLAGS), and recorded with
the results.
"""

import argparse
import functools
import itertools
import tempfile
import time
from pathlib import Path

import jax
import numpy as np
from tqdm import tqdm

from benchmarks import programs, report, roofline, timing
from benchmarks.input_pipeline import full_size_data
from iicnet_jax.data import create_task, on_device
from iicnet_jax.data.aligned import reference_scale
from iicnet_jax.data.pipeline import training_batches
from iicnet_jax.experiment import build
from iicnet_jax.training import sharding
from iicnet_jax.training.step import drawing_step, several_steps


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
        "--steps_per_call", type=int, nargs="*", default=[1], help="divisors of --steps"
    )
    parser.add_argument("--real_data", action="store_true", help="also fed as training is")
    parser.add_argument("--on_device", action="store_true", help="also with data.on_device")
    parser.add_argument("--data", type=Path, help="keeps the pictures of these two here")
    arguments = parser.parse_args()
    if undivided := [count for count in arguments.steps_per_call if arguments.steps % count]:
        parser.error(f"--steps_per_call: {undivided[0]} does not divide --steps={arguments.steps}")
    if arguments.torch_reference:
        timing.share_device_memory()
    config = timing.network_config(arguments)
    if arguments.crop:
        config.data.crop = arguments.crop

    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        if arguments.real_data or arguments.on_device:
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
    side = config.data.crop
    timed, trainings = {}, {}
    for precision, memory_saving, count in itertools.product(
        arguments.precisions or [config.precision],
        arguments.memories or [config.memory_saving],
        arguments.steps_per_call,
    ):
        config.precision, config.memory_saving = precision, memory_saving
        config.run.steps_per_call = count
        name = timing.OURS + (f", {count} steps a call" if count > 1 else "")
        feeds = {"": (training := Training(config), resident_batch(config))}
        if arguments.real_data:
            feeds[", real data"] = (training, batches_from_files(config))
        if arguments.on_device:
            config.data.on_device = True
            feeds[", data on the device"] = (Training(config), batches_from_files(config))
            config.data.on_device = False
        for data, (training, batches) in feeds.items():
            key = name, data, precision, memory_saving
            timed[key] = functools.partial(training.seconds, batches, arguments.steps)
            trainings[key] = training
    reference = None
    authors = timing.AUTHORS, "", "default", "none"
    if arguments.torch_reference:
        batch_size = config.data.batch_size
        reference = timing.start_reference(arguments, config, batch_size, (side, side), "train")
        timed[authors] = lambda: reference.ask(arguments.steps)
    for program in tqdm(timed.values(), desc="compiling", disable=None):
        program()
    times = timing.interleaved(timed, arguments.repeats, arguments.profile)
    if reference:
        reference.close()

    milliseconds = {
        program: report.median_and_spread([1e3 * seconds / arguments.steps for seconds in values])
        for program, values in times.items()
    }
    work = roofline.train_step_flops(config)
    rows = []
    for key, time_ in milliseconds.items():
        name, data, precision, memory_saving = key
        batch_size = config.data.batch_size
        settings = {"batch": batch_size, "precision": precision, "memory": memory_saving}
        speed = {"TFLOP/s": work / time_["median"] / 1e9}
        needed = {"GB": trainings[key].needed["GB"] if key in trainings else "-"}
        synthetic = milliseconds[name, "", precision, memory_saving]
        ratios = {
            "synthetic": _ratio(time_, synthetic if key != authors else None),
            "reference": _ratio(milliseconds.get(authors), time_),
        }
        rows.append({"program": name + data, **settings, **time_, **speed, **needed, **ratios})
    return rows


class Training:
    """The train step as training makes it, compiled when first used, and its state.

    `config.run.steps_per_call` of them are one program; with `config.data.on_device` they draw
    their crops from images in the device's memory.
    """

    def __init__(self, config):
        graph, state = build.create_state(config, build.create_model(config))
        mesh = sharding.data_mesh(config.data.batch_size, parts=config.optimizer.accumulate)
        step = build.create_train_step(config, graph)
        self._constants = (jax.random.key(0),)
        if config.data.on_device:
            images = on_device.find(create_task(config.data, config.model))
            self._constants += (on_device.load(images, mesh), jax.random.key(1))
            draw = on_device.make_draw(images.task, flip_rotate=config.data.flip_rotate)
            step = drawing_step(step, draw)
        self._count = config.run.steps_per_call
        call = several_steps(step, loops=self._count > 1 and build.loops(config))
        self._call = jax.jit(call, donate_argnums=0)
        self._state = jax.device_put(state, sharding.replicated(mesh))
        self._program = None

    @property
    def needed(self) -> dict[str, float]:
        """Memory of the compiled program, see `programs.memory`; after its first use."""
        return programs.memory(self._program)

    def seconds(self, batches, steps: int) -> float:
        """How long so many steps take, from the batch to the end of the device's work."""
        if self._program is None:
            arguments = self._state, next(batches), *self._constants
            self._program = self._call.lower(*arguments).compile()
        begin = time.perf_counter()
        for _ in range(steps // self._count):
            self._state, *_ = self._program(self._state, next(batches), *self._constants)
        jax.block_until_ready(self._state)
        return time.perf_counter() - begin


def resident_batch(config):
    """Noise for the steps of a call in the device's memory, again and again."""
    model, side = config.model, config.data.crop
    shape = config.run.steps_per_call, config.data.batch_size
    embedded = -(-side // reference_scale(model))
    random = np.random.default_rng(0)

    def noise(*sizes):
        return random.integers(0, 256, (*shape, *sizes), np.uint8)

    batches = {
        "frames": noise(model.num_images, side, side, 3),
        "reference": noise(embedded, embedded, model.embedding_channels),
    }
    mesh = sharding.data_mesh(config.data.batch_size)
    return itertools.repeat(sharding.put_batch(mesh, batches, axis=1))


def batches_from_files(config):
    """Batches for the steps of a call as training gets them: files, Grain, and over to the device.

    With `config.data.on_device`, numbers of samples alone.
    """
    data, count = config.data.copy_and_resolve_references(), config.run.steps_per_call
    mesh = sharding.data_mesh(data.batch_size)
    batches = training_batches(
        create_task(data, config.model),
        batch_size=data.batch_size,
        seed=config.seed,
        flip_rotate=data.flip_rotate,
        workers=data.workers,
        images=not data.on_device,
    )

    def of_call():
        batch = jax.tree.map(lambda *arrays: np.stack(arrays), *itertools.islice(batches, count))
        if not data.on_device:
            del batch["index"]
        return sharding.put_batch(mesh, batch, axis=1)

    return iter(of_call, None)


def _ratio(a, b):
    return a["median"] / b["median"] if a and b else "-"


if __name__ == "__main__":
    main()
