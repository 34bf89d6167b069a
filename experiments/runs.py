"""Runs: found by what they learn, trained, resumed and evaluated, each in a process of its own."""

import collections
import dataclasses
import hashlib
import json
import os
import shlex
import signal
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import configs
from experiments.datasets import SAMPLE_ROOTS
from experiments.definition import Row
from iicnet_jax.core import files, json_files
from iicnet_jax.core.errors import UserError, explaining
from iicnet_jax.data.storage import MINIATURE
from iicnet_jax.data.tasks import task_class
from iicnet_jax.evaluation.tables import COLUMNS
from iicnet_jax.experiment import build, configuration, workdir
from iicnet_jax.experiment.run import load_config
from iicnet_jax.training.writers import read_metrics
from iicnet_jax.weights.model_dir import CONFIG, IN_WORKDIR

CONFIGS = Path(configs.__file__).parent
EVALUATIONS = "evaluations"  # below a run: results by evaluation settings
ERROR = "error.txt"  # below a run: why it failed
LOG = "log.txt"  # below a run: what its programs said
KEPT_LINES = 40  # of what a failed program said

Launch = Callable[[Sequence[str], Path], None]  # as `launch` does


class RunError(Exception):
    """A run cannot go on; the message says why, in one paragraph.

    Attributes:
      advice: what to do, where it is the same for many runs: a table says it once.
    """

    def __init__(self, message: str, advice: str = ""):
        super().__init__(message)
        self.advice = advice


@dataclasses.dataclass(frozen=True)
class Run:
    """A network that is learnt, and one way to evaluate it.

    Attributes:
      flags: that describe the configuration to the main program.
      config: what they describe.
      folder: of the run, found or to be made.
    """

    flags: Sequence[str]
    config: object
    folder: Path

    @property
    def steps(self) -> int:
        return build.run_length(self.config)

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return (self.folder / IN_WORKDIR / CONFIG).is_file()

    @property
    def step(self) -> int:
        """The last step that was reported."""
        return self.steps if self.finished else max(_reports(self.folder), default=0)

    @property
    def results(self) -> dict | None:
        """What was measured with these evaluation settings, if it was."""
        return read_results(self._results_file)

    @property
    def error(self) -> str | None:
        """Why it failed, if it did."""
        path = self.folder / ERROR
        return path.read_text(encoding="utf-8").splitlines()[0] if path.is_file() else None

    @property
    def command(self) -> list[str]:
        """What trains, as far as need be, and evaluates."""
        mode = "eval" if self.finished else "train_and_eval"
        program = [sys.executable, "-m", "iicnet_jax.main"]
        return [*program, *self.flags, f"--workdir={self.folder}", f"--mode={mode}"]

    def __str__(self):
        return shlex.join(["python", *self.command[1:]])

    @property
    def _results_file(self):
        name = _digest(evaluation_settings(self.config))
        return self.folder / EVALUATIONS / f"{name}.json"

    def complete(self, launch: Launch) -> None:
        """Trains and evaluates what is missing.

        Raises:
          RunError: it failed; the reason is also in the run's folder.
        """
        if self.results is not None:
            return
        path = self.folder / "results.json"
        before = path.stat().st_mtime_ns if path.is_file() else None
        try:
            launch(self.command, self.folder)
            # The program also ends well when it is told to stop.
            if not path.is_file() or path.stat().st_mtime_ns == before:
                raise RunError("stopped before it was evaluated")
        except RunError as error:
            files.write_text(self.folder / ERROR, f"{error}\n")
            raise
        results = read_results(path)
        results["settings"] = evaluation_settings(self.config)
        files.write_json(self._results_file, results)
        (self.folder / ERROR).unlink(missing_ok=True)


def read_results(path: Path) -> dict | None:
    """As `workdir.read_results`, with all measures that tables and reports show.

    Raises:
      UserError: the file is damaged, or lacks one.
    """
    results = workdir.read_results(path)
    if results is None:
        return None
    measures = dict.fromkeys(COLUMNS, json_files.NUMBER)
    parts = {"embedding": measures, "restored": measures, "frames": [measures]}
    optional = "restored_without_reference"
    with explaining(f"{path} is damaged"):
        json_files.check({"settings": {}} | results, {"checkpoint": str, "settings": dict})
        for name, network in results["networks"].items():
            json_files.check(network, {"rounded": parts, "float": parts}, f"networks.{name}")
            for variant in ("rounded", "float"):
                form = {optional: measures} if optional in network[variant] else {}
                json_files.check(network[variant], form, f"networks.{name}.{variant}")
    return results


def create(
    row: Row,
    seed: int,
    data: Path,
    folder: Path,
    overrides: Callable[[Mapping], Mapping] = lambda config: {},
) -> Run:
    """The run of a row and a seed: a found one of the same fingerprint, or a new one.

    Args:
      row: of a table.
      seed: of everything random.
      data: holds the datasets under their published names.
      folder: holds the runs.
      overrides: from the row's configuration to the fields that are changed in it.

    Raises:
      RunError: the configuration or the dataset is missing; its advice says how to get that.
      UserError: an override does not fit.
    """
    module, _, argument = row.config.partition(":")
    of_ones_own = module.endswith(".py")
    path = Path(module).resolve() if of_ones_own else CONFIGS / f"{module}.py"
    if not path.is_file():
        raise RunError(
            f"configuration missing: {module if of_ones_own else f'configs/{path.name}'}"
        )
    config_file = f"--config={path}{argument and ':'}{argument}"
    plain = load_config([config_file])
    root = data / SAMPLE_ROOTS[plain.data.task]
    fields = {**row.fields, **overrides(plain), "seed": seed, "data.root": root}
    flags = [config_file, *(f"--config.{name}={value}" for name, value in fields.items())]
    config = load_config(flags)
    if not root.is_dir():
        how_to_get = task_class(config.data).DATASET.how_to_get
        raise RunError(f"dataset missing: {root.name}", f"There is no {root}: {how_to_get}.")
    stem = f"{path.stem}{argument and '_'}{argument}"
    name = f"{stem}-seed{seed}-{fingerprint(config)[:8]}"
    return Run(flags, config, find(folder, config) or folder / name)


def fingerprint(config: Mapping) -> str:
    """A stable digest of what is learnt: every field that may not change, and the dataset's size.

    That is what a miniature's file says, or nothing for a published dataset.
    """
    learnt = {
        name: value
        for name, value in configuration.flatten(config).items()
        if not name.startswith(configuration.CHANGEABLE)
    }
    return _digest({**learnt, "dataset": miniature_counts(Path(config["data"]["root"]))})


def miniature_counts(root: Path) -> dict | None:
    """How much a dataset holds that is not the whole published one."""
    try:
        return json_files.read(root / MINIATURE, {"counts": dict})["counts"]
    except FileNotFoundError:
        return None
    except UserError as error:
        raise UserError(f"{error}; write the dataset anew") from error


def find(folder: Path, config: Mapping) -> Path | None:
    """The run in `folder` that learns the same; the furthest, if there are several."""
    wanted = fingerprint(config)
    found = [path for path, other in _configs(folder) if fingerprint(other) == wanted]
    return max(found, key=lambda path: Run((), config, path).step, default=None)


def seconds_a_step(folder: Path, config: Mapping) -> tuple[float, str] | None:
    """Median over the reports of runs that differ in seed and length alone, and their device."""
    wanted = _without_length(config)
    for path, other in _configs(folder):
        speeds = list(_reports(path).values())
        if speeds and _without_length(other) == wanted:
            environment = workdir.read_environment(path) or {"devices": []}
            devices = collections.Counter(environment["devices"])
            names = ", ".join(f"{count} x {name}" for name, count in devices.items())
            return 1 / statistics.median(speeds), names
    return None


def evaluation_settings(config: Mapping) -> dict:
    """The fields that decide what an evaluation measures; the number of pictures does not."""
    fields = configuration.flatten(config)
    del fields["evaluation.pictures"], fields["evaluation.validation_limit"]
    return {
        n: v for n, v in fields.items() if n == "data.frame_stride" or n.startswith("evaluation.")
    }


def launch(command: Sequence[str], folder: Path, seconds: float | None = None) -> None:
    """Runs the main program; what it says goes to stderr and to a file in `folder`.

    After so many seconds it is told to save a checkpoint and to end, which is no failure.

    Ctrl-C and SIGTERM let the program save its checkpoint before they end this one, too.

    Raises:
      RunError: it failed, with its own message if it had one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    said = collections.deque(maxlen=KEPT_LINES)
    previous = signal.signal(signal.SIGTERM, _interrupt)
    # A session of its own: Ctrl-C reaches the program once, through us.
    with (
        open(folder / LOG, "a", encoding="utf-8") as log,
        subprocess.Popen(
            command,
            cwd=CONFIGS.parent,
            env={**os.environ, "PYTHONPATH": _python_path()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        timer = threading.Timer(seconds or 0, process.terminate)
        if seconds is not None:
            timer.start()
        try:
            for line in process.stdout:
                said.append(line.rstrip())
                for stream in (log, sys.stderr):
                    print(line, end="", file=stream, flush=True)
            status = process.wait()
        except KeyboardInterrupt:
            process.terminate()
            log.write(process.communicate()[0])
            raise
        finally:
            timer.cancel()
            signal.signal(signal.SIGTERM, previous)
    if status:
        spoken = [line for line in said if line.strip()] or [f"exit status {status}"]
        errors = [line.removeprefix("error: ") for line in spoken if line.startswith("error: ")]
        raise RunError("\n".join([errors[-1] if errors else spoken[-1], "", *said]))


def _interrupt(signum, frame):
    raise KeyboardInterrupt


def _python_path():
    """The packages that this program has imported, wherever they are."""
    inherited = os.environ.get("PYTHONPATH")
    return os.pathsep.join([str(CONFIGS.parent), *([inherited] if inherited else [])])


def _configs(folder):
    for path in sorted(folder.glob(f"*/{workdir.CONFIG}")):
        yield path.parent, workdir.read_config(path.parent)


def _reports(folder) -> dict[int, float]:
    """Steps a second by step."""
    reports = read_metrics(folder / "metrics.jsonl")
    speed = "train/steps_per_second"
    return {report["step"]: report[speed] for report in reports if report.get(speed)}


def _without_length(config):
    fields = {
        name: value
        for name, value in configuration.flatten(config).items()
        if not name.startswith(configuration.CHANGEABLE)
    }
    return {name: value for name, value in fields.items() if name not in ("seed", "steps")}


def _digest(value) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
