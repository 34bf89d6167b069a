"""Trains the models of the package anew, within a time, and takes over those that are better.

    python -m experiments.bundled --minutes=60 --data=runs/photographs --workdir=runs/bundled
    python -m experiments.bundled --minutes=6 --only hiding --data=DIR --workdir=DIR

Each model is trained by its configuration in configs/bundled, one after the other, in an equal
share of the time that is left. How many steps fit is measured first; that number goes into the
run's configuration, so that the learning rate reaches zero when the share ends. A run that is not
done by then is stopped with a checkpoint, and the same command goes on with it, to the same number
of steps; `--config.FIELD=VALUE` changes all configurations. A finished run is only evaluated;
another --workdir begins anew.

Then the model and the one that comes with the package now are measured on the same test pictures,
with embeddings in PNG files and, where training went through lossy files, also in JPEG files of
several qualities. The new model is taken over if the mean PSNR of embeddings and restored images,
over these files, is higher, and none of these numbers is lower by more than 0.5 dB; a model
without a predecessor if its restored images are better than the reference alone. What is replaced
stays as `earlier/NAME-1`, so that its files can still be read.
"""

import argparse
import dataclasses
import functools
import itertools
import math
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ml_collections import ConfigDict

from experiments import runs
from experiments.runs import CONFIGS, RunError
from iicnet_jax import bundled
from iicnet_jax.core import console, files
from iicnet_jax.core.errors import UserError
from iicnet_jax.core.files import typed_path
from iicnet_jax.data import create_task
from iicnet_jax.data.pipeline import evaluation_indices
from iicnet_jax.evaluation import protocol, tables
from iicnet_jax.experiment import workdir
from iicnet_jax.experiment.export import export
from iicnet_jax.experiment.run import load_config
from iicnet_jax.imaging import carrier
from iicnet_jax.inference.tiling import WHOLE, Tiled
from iicnet_jax.training.writers import read_metrics
from iicnet_jax.weights.model_dir import CONFIG, IN_WORKDIR, read_model

LOSSLESS = "png"
LOSSY = ("jpeg95", "jpeg80", "jpeg60")
TOLERANCE = 0.5  # dB
TIMED_STEPS = 50
# Of a share of the time: for evaluation, and for training that is slower than it was when timed.
RESERVE = 0.1
FILE = "bundled.md"

Launch = Callable[..., None]  # as `runs.launch` does
# By file, PSNR of "embedding", "restored" and, of the reference alone, "without_network".
Qualities = Mapping[str, Mapping[str, float]]


@dataclasses.dataclass(frozen=True)
class Model:
    """A model of the package, and the run that trains it anew.

    Attributes:
      name: of its configuration in configs/bundled, and of the model.
      flags: that describe the configuration to the main program, without `steps`.
      folder: of the run.
    """

    name: str
    flags: Sequence[str]
    folder: Path

    @functools.cached_property
    def config(self) -> ConfigDict:
        return load_config(self.flags)

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return (self.folder / IN_WORKDIR / CONFIG).is_file()

    def command(self, folder: Path, *fields: str, mode: str) -> list[str]:
        """What runs the main program with further fields."""
        flags = [*self.flags, *(f"--config.{field}" for field in fields)]
        program = [sys.executable, "-m", "iicnet_jax.main"]
        return [*program, *flags, f"--workdir={folder}", f"--mode={mode}"]


def main(argv: Sequence[str] | None = None, launch: Launch = runs.launch) -> None:
    """The command line. Exit status: 0 all trained, 1 a mistake or one is not, 2 arguments."""
    # Models are measured here while nothing else trains; what trains then needs the memory.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    with console.exit_on_user_error():
        arguments, overrides = _parse(argv)
        models = [_model(name, arguments, overrides) for name in arguments.only]
        for model in models:
            create_task(model.config.data, model.config.model).names("train")
        end = time.monotonic() + 60 * arguments.minutes
        rows, complete = [], True
        for number, model in enumerate(models):
            seconds = (end - time.monotonic()) / (len(models) - number)
            try:
                rows += _renew(model, seconds, launch)
            except RunError as error:
                complete = False
                rows.append([model.name, *["-"] * 5, f"{error}".partition("\n")[0]])
            header = ["model, file", "embedding", "now", "restored", "now", "reference alone"]
            table = tables.markdown([*header, "outcome"], rows)
            files.write_text(arguments.workdir / FILE, f"{table}\n\nPSNR in dB.\n")
        print(table)
    sys.exit(not complete)


def _parse(argv):
    names = [path.stem for path in sorted(CONFIGS.glob("bundled/*.py"))]
    names = [name for name in names if name not in ("__init__", "compact")]
    parser = argparse.ArgumentParser(
        "experiments.bundled",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--minutes", type=float, required=True, help="for all models together")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME")
    parser.add_argument(
        "--data", type=typed_path, required=True, help="what experiments.photographs wrote"
    )
    parser.add_argument("--workdir", type=typed_path, required=True, help="folder of the runs")
    arguments, others = parser.parse_known_args(argv)
    for other in others:
        if not (other.startswith("--config.") and "=" in other):
            raise UserError(f"unexpected argument {other!r} (see --help)")
    return arguments, others


def _model(name, arguments, overrides) -> Model:
    flags = [f"--config={CONFIGS / 'bundled' / name}.py", *overrides]
    root = arguments.data.resolve() / Path(load_config(flags).data.root).name
    return Model(name, [*flags, f"--config.data.root={root}"], arguments.workdir.resolve() / name)


def configuration(name: str, data: Path) -> ConfigDict:
    """That of a model, with the data of a folder of `experiments.photographs`."""
    config = load_config([f"--config={CONFIGS / 'bundled' / name}.py"])
    config.data.root = str(data / Path(config.data.root).name)
    return config


def _renew(model: Model, seconds: float, launch: Launch) -> list[list[str]]:
    """Trains, measures and takes over; the model's rows of the table.

    Raises:
      RunError: the run failed, or is not done yet.
    """
    _train(model, seconds, launch)
    lossy = LOSSY if model.config.channel.form != "none" else ()
    carriers = (LOSSLESS, *lossy)
    steps = workdir.read_config(model.folder)["steps"]
    fields = f"steps={steps}", f"evaluation.carriers={carriers!r}"
    launch(model.command(model.folder, *fields, mode="eval"), model.folder)
    new = _psnrs(workdir.read_results(model.folder / workdir.RESULTS)["networks"]["trained"])
    folder = bundled.folders().get(model.name)
    now = measure(folder, model.config, carriers) if folder else None
    outcome = "stays as it is"
    if is_better(new, now):
        replaced = take_over(model.name, model.folder)
        outcome = f"taken over; {replaced} is the one before" if replaced else "taken over"
    return [
        [
            f"{model.name}, {name}",
            *itertools.chain.from_iterable(
                (f"{new[name][part]:.2f}", f"{now[name][part]:.2f}" if now else "-")
                for part in ("embedding", "restored")
            ),
            f"{new[name]['without_network']:.2f}",
            outcome if name == LOSSLESS else "",
        ]
        for name in carriers
    ]


def _train(model: Model, seconds: float, launch: Launch) -> None:
    """Trains for at most so long. Raises RunError where that was not enough."""
    begin = time.monotonic()
    if model.finished:
        return
    if (model.folder / workdir.CONFIG).is_file():
        steps = workdir.read_config(model.folder)["steps"]
    else:
        steps = _steps_in(model, seconds * (1 - RESERVE), launch)
    left = seconds - (time.monotonic() - begin)
    if left > 0:
        command = model.command(model.folder, f"steps={steps}", mode="train")
        launch(command, model.folder, left)
    if not model.finished:
        raise RunError(f"not done after its time; the same command goes on to step {steps}")


def _steps_in(model: Model, seconds: float, launch: Launch) -> int:
    """How many train steps take so long, by timing a short run, whose time counts as well.

    Raises:
      RunError: not even as many as were timed.
    """
    each_call = model.config.run.steps_per_call
    window = each_call * math.ceil(TIMED_STEPS / each_call)
    folder = model.folder.with_name(f"{model.name}.speed")
    shutil.rmtree(folder, ignore_errors=True)
    fields = f"steps={2 * window}", f"run.log_every={window}"
    fields += tuple(f"run.{name}={2 * window}" for name in ("validate_every", "checkpoint_every"))
    begin = time.monotonic()
    launch(model.command(folder, *fields, mode="train"), folder)
    took = time.monotonic() - begin
    # Of the last report: the first one is of a device that has just begun.
    name = "train/steps_per_second"
    reports = read_metrics(folder / "metrics.jsonl")
    *_, speed = (report[name] for report in reports if name in report)
    shutil.rmtree(folder)
    # Start, compilation and validation come once more.
    around = max(0.0, took - 2 * window / speed)
    return steps_that_fit(seconds - took - around, speed, window, each_call)


def steps_that_fit(seconds: float, speed: float, least: int, each_call: int) -> int:
    """The multiple of `each_call` that takes at most so long at that many steps a second.

    Raises RunError where that is less than `least`.
    """
    steps = math.floor(seconds * speed / each_call) * each_call
    if steps < least:
        raise RunError(
            f"too little time for {least} steps ({speed:.1f} a second): give more --minutes, or "
            "fewer models with --only"
        )
    return steps


def measure(folder: Path, config: ConfigDict, carriers: Sequence[str]) -> Qualities:
    """A model on the test pictures of a configuration, through files; as the main program does."""
    task = create_task(config.data, config.model)
    results = protocol.evaluate_samples(
        Tiled(read_model(folder).network, tile=WHOLE),
        task,
        "test",
        evaluation_indices(task, "test", config.evaluation.limit),
        y_border=config.evaluation.y_border,
        carriers=[carrier.parse(name) for name in carriers],
    )
    means = protocol.mean([result.measures for _, _, result in results])
    return {name: psnrs for name, psnrs in _psnrs(means).items() if name in carriers}


def _psnrs(measures) -> Qualities:
    """Of the reference itself nothing can be restored better than it is: it is left out."""
    found = {}
    for name, variant in measures.items():
        if "without_network" in variant:
            part = "restored_without_reference"
            part = part if part in variant else "restored"
            found[name] = {
                "embedding": variant["embedding"]["psnr"],
                "restored": variant[part]["psnr"],
                "without_network": variant["without_network"][part]["psnr"],
            }
    return found


def is_better(new: Qualities, now: Qualities | None) -> bool:
    """Whether a model is taken over, see above."""
    if now is None:
        return all(psnrs["restored"] > psnrs["without_network"] for psnrs in new.values())
    gains = [
        new[name][part] - now[name][part] for name in new for part in ("embedding", "restored")
    ]
    return statistics.mean(gains) > 0 and min(gains) >= -TOLERANCE


def take_over(name: str, folder: Path) -> str | None:
    """Makes the network of a run the model of that name; returns the name of the one before."""
    target, staged = bundled.FOLDER / name, folder / "exported"
    export(folder, "latest", staged, half=True)
    replaced = None
    if target.exists():
        earlier = bundled.FOLDER / bundled.EARLIER
        taken = bundled.earlier()
        replaced = next(f"{name}-{i}" for i in itertools.count(1) if f"{name}-{i}" not in taken)
        earlier.mkdir(exist_ok=True)
        target.rename(earlier / replaced)
    shutil.move(staged, target)
    return replaced


if __name__ == "__main__":
    main()
