"""The training loop: from a configuration to checkpoints, metrics and a model directory."""

import contextlib
import logging
import statistics
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np
from clu import parameter_overview
from clu.metrics import Collection
from flax import nnx
from ml_collections import ConfigDict
from tqdm import tqdm

from iicnet_jax.core import distributed, files
from iicnet_jax.core.errors import UserError
from iicnet_jax.data import Task, create_task, on_device
from iicnet_jax.data.pipeline import evaluation_indices, training_batches
from iicnet_jax.data.task import SPLITS
from iicnet_jax.evaluation import pictures, protocol
from iicnet_jax.experiment import build, export, initial_weights
from iicnet_jax.experiment.workdir import claim, locked, require_shared
from iicnet_jax.inference.tiling import WHOLE, Tiled
from iicnet_jax.models.abstract import abstract_network
from iicnet_jax.models.layers import parameter_arrays
from iicnet_jax.training import sharding
from iicnet_jax.training.checkpoints import Checkpoints, holds_checkpoints
from iicnet_jax.training.interruption import LossGuard, StopRequest
from iicnet_jax.training.profiling import Profile, peak_memory
from iicnet_jax.training.step import TrainState, drawing_step, several_steps
from iicnet_jax.training.writers import MetricWriter
from iicnet_jax.weights.model_dir import IN_WORKDIR

log = logging.getLogger(__name__)


def train(config: ConfigDict, workdir: Path, make_writer=MetricWriter) -> bool:
    """Trains the network of a configuration, from the last checkpoint in `workdir` if any.

    Args:
      config: see configs/base.py.
      workdir: receives checkpoints, `metrics.jsonl`, TensorBoard files, `parameters.txt` and, at
        the end, `model`.
      make_writer: called with (workdir, first_step, active=...); anything with the methods of
        CLU's MetricWriter.

    Returns:
      True when all steps are done, False when a signal stopped the run; it is resumed by the
      next call.

    Raises:
      UserError: the configuration does not work, data is missing, or the loss is not finite.
    """
    _, schedule = build.create_optimizer(config)
    steps = build.run_length(config)
    build.check_calls(config)
    steps_per_call = config.run.steps_per_call
    with contextlib.ExitStack() as stack:
        # Mistakes are reported before anything is written, and before weights are drawn, which
        # takes longer than all else here.
        with distributed.all_or_none():
            task = create_task(config.data, config.model)
            for split in SPLITS:
                task.names(split)
            measured = Tiled(build.inference_network(config), tile=WHOLE)
            build.check_fit(measured.model, task)
            abstract = abstract_network(build.create_model, config)
            train_step = build.create_train_step(config, nnx.graphdef(abstract))
            images = on_device.find(task) if config.data.on_device else None
            if images is not None:
                on_device.require_memory(images, jax.local_devices())
            starts_from = None
            if config.init_from and not holds_checkpoints(workdir):
                starts_from = initial_weights.load(config)
            stack.enter_context(locked(workdir))
            claim(workdir, config)
        with distributed.all_or_none():
            require_shared(workdir)

        mesh = sharding.data_mesh(config.data.batch_size, parts=config.optimizer.accumulate)
        model = build.create_model(config)
        if starts_from is not None:
            nnx.update(model, starts_from)
        _, state = build.create_state(config, model)
        state = jax.device_put(state, sharding.replicated(mesh))
        # Different from the key of the initial weights, which is the seed's own.
        key, images_key = (jax.random.fold_in(jax.random.key(config.seed), i) for i in (1, 2))
        constants: tuple = (key,)
        if images is not None:
            constants = (key, on_device.load(images, mesh), images_key)
            draw = on_device.make_draw(images.task, flip_rotate=config.data.flip_rotate)
            train_step = drawing_step(train_step, draw)
        loops = steps_per_call > 1 and build.loops(config)
        advance = jax.jit(several_steps(train_step, loops=loops), donate_argnums=0)

        stop = stack.enter_context(StopRequest())
        kept = stack.enter_context(Checkpoints(workdir, keep_last=config.run.keep_last))
        state = kept.restore(state)
        first_step = int(state.step)
        if first_step % steps_per_call:
            raise UserError(
                f"the run goes on from step {first_step}, which is no multiple of "
                f"config.run.steps_per_call, {steps_per_call}: take a divisor of both"
            )
        batches = training_batches(
            task,
            batch_size=config.data.batch_size,
            seed=config.seed,
            flip_rotate=config.data.flip_rotate,
            workers=0 if config.data.on_device else config.data.workers,
            images=not config.data.on_device,
            first=first_step,
            process_index=jax.process_index(),
            process_count=jax.process_count(),
        )
        writer = make_writer(workdir, first_step, active=distributed.is_main())
        stack.callback(writer.close)
        _describe(config, workdir, state, first_step, steps, mesh, writer)
        guard = LossGuard(
            workdir / "nonfinite_loss.json",
            lambda index: task.names("train")[index],
            unverified=kept.unverified,
        )
        # One trace shows what all do.
        window = config.run.profile_steps if distributed.is_main() else (0, 0)
        profile = stack.enter_context(Profile(workdir / "tensorboard", *window))
        report = Report(writer, schedule, config.data.batch_size)

        with _progress(first_step, steps) as progress:
            for step in range(first_step + steps_per_call, steps + 1, steps_per_call):
                of_call = [next(batches) for _ in range(steps_per_call)]
                batch = jax.tree.map(lambda *arrays: np.stack(arrays), *of_call)
                indices = batch["index"] if config.data.on_device else batch.pop("index")
                batch = sharding.put_batch(mesh, batch, axis=1)
                with report.paused():
                    profile.before(step, state)
                with report.compiling(step == first_step + steps_per_call):
                    state, metrics, by_step = advance(state, batch, *constants)
                guard.watch(step, by_step["loss"], by_step["gradient_norm"], indices)
                report.add(metrics, steps_per_call)
                with report.paused():
                    profile.after(step, state)
                progress.update(steps_per_call)

                last = stop.at(step // steps_per_call) or step == steps
                if step % config.run.log_every == 0 or last:
                    guard.settle()
                    progress.set_postfix_str(f"loss {report.write(step):.1f}")
                if step % config.run.validate_every == 0 or step == steps:
                    guard.settle()
                    with report.paused():
                        network = measured.with_params(jax.device_get(state.weights))
                        kept.save(state, score=_validate(config, task, network, step, writer))
                elif step % config.run.checkpoint_every == 0 or last:
                    guard.settle()
                    with report.paused():
                        kept.save(state)
                if last:
                    break

    step = int(state.step)
    if step < steps or stop.signal is not None:
        log.info(
            "Stopped by %s after step %d of %d; the same command goes on from there.",
            stop.signal.name,
            step,
            steps,
        )
        return False
    if distributed.is_main():
        export.save(workdir / IN_WORKDIR, state.weights, config, step)
    return True


class Report:
    """Means of the train metrics since the last report, the speed, and the memory."""

    def __init__(self, writer, schedule, batch_size: int):
        self._writer = writer
        self._schedule = schedule
        self._batch_size = batch_size
        self._compile_seconds: dict[str, float] = {}
        self._restart()

    def _restart(self):
        self._metrics: Any = None
        self._steps = 0
        self._step_seconds: list[float] = []
        self._since = time.monotonic()
        self._last: float | None = self._since  # end of the call before, if it tells anything

    def add(self, metrics: Collection, steps: int) -> None:
        """Takes in the metrics of one call of so many steps, which may still be under way."""
        self._metrics = metrics if self._metrics is None else self._metrics.merge(metrics)
        self._steps += steps
        now = time.monotonic()
        if self._last is not None:
            self._step_seconds.append((now - self._last) / steps)
        self._last = now

    @contextlib.contextmanager
    def paused(self):
        """What happens inside does not count towards the time of the steps."""
        begin = time.monotonic()
        yield
        seconds = time.monotonic() - begin
        self._since += seconds
        if self._last is not None:
            self._last += seconds

    @contextlib.contextmanager
    def compiling(self, first: bool):
        """Inside, train steps are called, which compiles them when it is the first time."""
        if not first:
            yield
            return
        begin = time.monotonic()
        with self.paused():
            yield
        self._compile_seconds = {"compile_seconds": time.monotonic() - begin}
        self._last = None  # the device has just begun

    def write(self, step: int) -> float:
        """Writes the means and begins anew; returns the mean loss."""
        speed = self._steps / (time.monotonic() - self._since)
        values = {
            **self._metrics.compute(),
            "learning_rate": self._schedule(step - 1),
            "steps_averaged": self._steps,
            "steps_per_second": speed,
            "samples_per_second": speed * self._batch_size,
            **self._compile_seconds,
            **peak_memory(),
        }
        # The guard waits for each call in the next one, so that these are the device's times.
        if self._step_seconds:
            values["step_seconds"] = statistics.median(self._step_seconds)
        scalars = {f"train/{name}": float(value) for name, value in values.items()}
        self._compile_seconds = {}
        self._writer.write_scalars(step, scalars)
        self._writer.flush()
        log.info("step %d: loss %.1f, %.2f steps/s", step, scalars["train/loss"], speed)
        self._restart()
        return scalars["train/loss"]


def _validate(config: ConfigDict, task: Task, network: Tiled, step: int, writer) -> float:
    """PSNR and SSIM on the validation split, to the writer; returns the score."""
    fields = config.evaluation
    # Every process measures its share.
    indices = distributed.share(evaluation_indices(task, "validation", fields.validation_limit))
    results = list(
        protocol.evaluate_samples(network, task, "validation", indices, y_border=fields.y_border)
    )
    measures = protocol.mean(distributed.gather([result.measures for _, _, result in results]))
    scalars = {
        f"validation/{part}_{measure}": measures["rounded"][part][measure]
        for part in ("embedding", "restored")
        for measure in ("psnr", "ssim")
    }
    writer.write_scalars(step, scalars)
    for _, sample, result in results[:1]:
        picture = pictures.overview(sample, result.embedding, result.restored)
        writer.write_images(step, {"validation": picture[None]})
    log.info(
        "validation at step %d: embedding %.2f dB, restored %.2f dB",
        step,
        scalars["validation/embedding_psnr"],
        scalars["validation/restored_psnr"],
    )
    return protocol.score(measures)


def _describe(config, workdir, state: TrainState, first_step, steps, mesh, writer):
    """What is about to be trained: in short on the console, in full in files."""
    params = nnx.to_pure_dict(state.params)
    parts = [
        f"{name} {parameter_overview.count_parameters(part):,}" for name, part in params.items()
    ]
    log.info(
        "%s parameters (%s)", f"{parameter_overview.count_parameters(params):,}", ", ".join(parts)
    )
    if first_step >= steps:
        log.info("all %d steps are done", steps)
        return
    log.info(
        "steps %d to %d; batch %d on %d of %d devices (%s)%s",
        first_step + 1,
        steps,
        config.data.batch_size,
        mesh.size,
        jax.device_count(),
        jax.devices()[0].device_kind,
        f" in {jax.process_count()} processes" if jax.process_count() > 1 else "",
    )
    if first_step == 0 and distributed.is_main():
        overview = parameter_overview.get_parameter_overview(
            parameter_arrays(state.params), include_stats=False
        )
        files.write_text(workdir / "parameters.txt", f"{overview}\n")
        writer.write_texts(0, {"parameters": f"```\n{overview}\n```"})
        writer.write_hparams(config.to_dict())


def _progress(first_step, steps):
    """A progress bar on a terminal; elsewhere the log lines have to do."""
    hidden = None if distributed.is_main() else True
    return tqdm(total=steps, initial=first_step, unit="step", dynamic_ncols=True, disable=hidden)
