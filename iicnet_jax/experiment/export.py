"""Exports the network of a run as a model directory, with the test results that it has."""

import logging
import math
from pathlib import Path

from flax import nnx
from ml_collections import ConfigDict

from iicnet_jax.core import json_files
from iicnet_jax.core.errors import explaining, require_choice
from iicnet_jax.core.files import typed_path
from iicnet_jax.data.storage import MINIATURE
from iicnet_jax.experiment import build
from iicnet_jax.experiment.workdir import (
    CONFIG,
    RESULTS,
    read_config,
    read_environment,
    read_results,
)
from iicnet_jax.models import NETWORKS
from iicnet_jax.training.checkpoints import Checkpoints
from iicnet_jax.training.step import TrainState
from iicnet_jax.weights.model_dir import PART, check_arguments, save_model

log = logging.getLogger(__name__)

_CONFIG = {
    "method": str,
    "init_from": str,
    "seed": lambda value: type(value) is int and 0 <= value < 2**63,
    "steps": (int, type(None)),
    "memory_saving": str,
    "loop": str,
    "precision": str,
    "model": dict,
    "data": {"task": str, "root": str},
    "optimizer": {
        **dict.fromkeys(("learning_rate", "weight_decay", "b1", "b2", "clip_norm"), (int, float)),
        "ema_decay": (int, float),
        "schedule": str,
        "warmup_steps": int,
    },
}


def export(workdir: Path, checkpoint: str, folder: Path, half: bool = False) -> dict:
    """Writes the network of a run's "latest" or "best" checkpoint to `folder`.

    With `half` its parameters are rounded to half precision. The quality that it states is that of
    the run, from which the rounded network differs by 0.01 dB at most (docs/results.md).

    Returns what the model says about itself, with its `measured_quality` if there is one.

    Raises:
      UserError: the workdir holds no run, a file of it is damaged, the run has no such checkpoint,
        or a parameter is too large for half precision.
    """
    config, state = read_run(workdir, checkpoint)
    step = int(state.step)
    quality = measured_quality(workdir, step)
    survives = None if quality is None else measured_survival(workdir)
    return save(folder, state.weights, config, step, quality, survives, half)


def read_run(workdir: Path, checkpoint: str) -> tuple[ConfigDict, TrainState]:
    """The configuration of a run, and the state of its "latest" or "best" checkpoint.

    Raises UserError as `export` does.
    """
    config = _checked(workdir)
    _, initial = build.create_state(config, build.create_model(config))
    with Checkpoints(workdir, read_only=True) as kept:
        return config, kept.restore_state(initial, checkpoint)


def _checked(workdir: Path) -> ConfigDict:
    """The configuration of a run, with all that makes its network and its optimiser."""
    config = read_config(workdir)
    with explaining(f"{workdir / CONFIG} is damaged"):
        json_files.check(config, _CONFIG)
        require_choice("method", config["method"], NETWORKS)
        check_arguments(config["model"], config["method"])
    return ConfigDict(config)


def save(
    folder: Path,
    params: nnx.State,
    config: ConfigDict,
    step: int,
    quality: dict | None = None,
    survives: dict | None = None,
    half: bool = False,
) -> dict:
    """Writes the network of a configuration, with what it was trained for; returns the latter."""
    about = {"task": config.data.task, "step": step, "seed": config.seed}
    if config.init_from:
        about["init_from"] = _portable(config.init_from)
    if quality is not None:
        about["quality"] = quality
    if survives:
        about["survives"] = survives
    save_model(folder, params, config.model.to_dict(), about, config.method, half)
    return about


def measured_survival(workdir: Path) -> dict:
    """What comes back through files that lose something, by carrier, from a run's `results.json`.

    Only of a network that was trained for it (`config.channel`), and only carriers after which it
    restores the images better than the reference alone shows them. `embedding`, `restored` and
    `without_network`: PSNR (dB) and SSIM, means over samples; of several images, the reference,
    which the file shows anyway, is left out of the latter two.

    Raises:
      UserError: a file of the run is damaged.
    """
    results = read_results(workdir / RESULTS)
    if results is None or read_config(workdir)["channel"]["form"] == "none":
        return {}
    survived = {}
    networks = results["networks"]["trained"]
    with explaining(f"{workdir / RESULTS} is damaged"):
        for carrier in results.get("carriers", []):
            json_files.check(networks, {carrier: {"embedding": PART, "without_network": {}}})
            measures = networks[carrier]
            hidden = "restored_without_reference"
            part = hidden if hidden in measures else "restored"
            json_files.check(measures, {part: PART, "without_network": {part: PART}})
            ours, without = measures[part], measures["without_network"][part]
            if (without["psnr"] or math.inf) < (ours["psnr"] or 0):
                parts = {"embedding": measures["embedding"], "restored": ours}
                survived[carrier] = {
                    name: {measure: values[measure] for measure in PART}
                    for name, values in {**parts, "without_network": without}.items()
                }
    return survived


def measured_quality(workdir: Path, step: int) -> dict | None:
    """The means of a run's `results.json`, and where they come from.

    None, with a warning, if there are none of the network after that step.

    `embedding` and `restored`: PSNR (dB) and SSIM of the 8-bit images on the test split, means
    over `samples`. `data`: task and folder of the dataset. `command`: started the training, where
    that was noted; `devices`: that it ran on; `date`: of the evaluation.

    Raises:
      UserError: a file of the run is damaged.
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
    data = read_config(workdir)["data"]
    root, portable = typed_path(data["root"]), _portable(data["root"])
    environment = read_environment(workdir) or results["environment"]
    command = environment.get("command")
    measures = results["networks"]["trained"]["rounded"]
    return {
        **{
            part: {name: measures[part][name] for name in ("psnr", "ssim")}
            for part in ("embedding", "restored")
        },
        "samples": results["samples"],
        "split": results["split"],
        "data": {
            "task": data["task"],
            "root": portable,
            "miniature": (root / MINIATURE).is_file(),
        },
        **({"command": command.replace(data["root"] or portable, portable)} if command else {}),
        "devices": environment["devices"],
        "date": results["environment"].get("date"),
    }


def _portable(path: str) -> str:
    """Without the folders of an absolute path, which differ between machines."""
    typed = typed_path(path)
    return typed.name if typed.is_absolute() else path
