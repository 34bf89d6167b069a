"""Test results of a run, in the form in which a model directory states them."""

import importlib
import logging
import pkgutil
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from iicnet_jax.core.files import typed_path
from iicnet_jax.data.storage import MINIATURE
from iicnet_jax.experiment import configuration
from iicnet_jax.experiment.workdir import RESULTS, read_config, read_environment, read_results

log = logging.getLogger(__name__)


def measured_quality(workdir: Path, step: int) -> dict | None:
    """The means of a run's `results.json`, and where they come from.

    None, with a warning, if there are none of the network after that step.

    `embedding` and `restored`: PSNR (dB) and SSIM of the 8-bit images on the test split, means
    over `samples`. `data`: task and folder of the dataset. `command`: repeats the training;
    `devices`: that it ran on; `date`: of the evaluation.

    Raises:
      UserError: a file of the run is damaged, or `configs` is missing.
    """
    results = read_results(workdir / RESULTS)
    if results is None or results["step"] != step:
        there = "nothing" if results is None else f"step {results['step']}"
        log.warning(
            "%s has measured %s, not step %d: the model will not state its quality (to measure it, "
            "repeat the run's command with --mode=eval)",
            workdir,
            there,
            step,
        )
        return None
    config = read_config(workdir)
    root = typed_path(config["data"]["root"])
    measures = results["networks"]["trained"]["rounded"]
    return {
        **{
            part: {name: measures[part][name] for name in ("psnr", "ssim")}
            for part in ("embedding", "restored")
        },
        "samples": results["samples"],
        "split": results["split"],
        "data": {
            "task": config["data"]["task"],
            "root": _portable(config["data"]["root"]),
            "miniature": (root / MINIATURE).is_file(),
        },
        "command": training_command(config, workdir.resolve().name),
        "devices": (read_environment(workdir) or results["environment"])["devices"],
        "date": results["environment"].get("date") or _day(workdir / RESULTS),
    }


def training_command(config: Mapping, workdir: str) -> str:
    """A command that trains and evaluates a configuration, as the file nearest to it and changes.

    Absolute paths of datasets become the names of their folders: they differ between machines.
    """
    wanted = configuration.flatten(config)
    wanted["data.root"] = _portable(wanted["data.root"])
    changes = {
        name: {key: value for key, value in wanted.items() if fields.get(key) != value}
        for name, fields in _configurations().items()
    }
    nearest = min(sorted(changes), key=lambda name: len(changes[name]))
    fields = [f"--config.{key}={value}" for key, value in changes[nearest].items()]
    program = ["python", "-m", "iicnet_jax.main", f"--config={nearest}"]
    return shlex.join([*program, *fields, f"--workdir=runs/{workdir}"])


def _day(path: Path) -> str:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).date().isoformat()


def _portable(root: str) -> str:
    path = Path(root)
    return path.name if path.is_absolute() else root


def _configurations() -> dict[str, dict]:
    """The fields of every file in configs, by its path."""
    configs = configuration.from_repository("configs")
    names = [module.name for module in pkgutil.walk_packages(configs.__path__, "configs.")]
    modules = {name: importlib.import_module(name) for name in names}
    return {
        f"{name.replace('.', '/')}.py": configuration.flatten(module.get_config())
        for name, module in modules.items()
        if hasattr(module, "get_config")
    }
