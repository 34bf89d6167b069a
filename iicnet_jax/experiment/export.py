"""Exports the network of a run as a model directory."""

from pathlib import Path

from flax import nnx
from ml_collections import ConfigDict

from iicnet_jax.core import json_files
from iicnet_jax.core.errors import UserError, require_choice
from iicnet_jax.experiment import build
from iicnet_jax.experiment.quality import measured_quality
from iicnet_jax.experiment.workdir import CONFIG, read_config
from iicnet_jax.models import NETWORKS
from iicnet_jax.training.checkpoints import Checkpoints
from iicnet_jax.training.step import create_state
from iicnet_jax.weights.model_dir import check_arguments, save_model

_CONFIG = {
    "method": str,
    "seed": lambda value: type(value) is int and 0 <= value < 2**63,
    "steps": (int, type(None)),
    "memory_saving": str,
    "loop": str,
    "precision": str,
    "model": dict,
    "data": {"task": str, "root": str},
    "optimizer": {
        **dict.fromkeys(("learning_rate", "weight_decay", "b1", "b2", "clip_norm"), (int, float)),
        "schedule": str,
        "warmup_steps": int,
    },
}


def export(workdir: Path, checkpoint: str, folder: Path) -> dict:
    """Writes the network of a run's "latest" or "best" checkpoint to `folder`.

    Returns what the model says about itself: see `save`, and `quality` as `measured_quality`
    describes it, if the run has been evaluated.

    Raises:
      UserError: the workdir holds no run, a file of it is damaged, or the run has no such
        checkpoint.
    """
    config = _checked(workdir)
    optimizer, _ = build.create_optimizer(config)
    _, initial = create_state(build.create_model(config), optimizer)
    with Checkpoints(workdir, read_only=True) as kept:
        state = kept.restore_state(initial, checkpoint)
    step = int(state.step)
    return save(folder, state.params, config, step, measured_quality(workdir, step))


def _checked(workdir: Path) -> ConfigDict:
    """The configuration of a run, with all that makes its network and its optimiser."""
    config = read_config(workdir)
    try:
        json_files.check(config, _CONFIG)
        require_choice("method", config["method"], NETWORKS)
        check_arguments(config["model"], config["method"])
    except ValueError as error:
        raise UserError(f"{workdir / CONFIG} is damaged: {error}") from error
    return ConfigDict(config)


def save(
    folder: Path, params: nnx.State, config: ConfigDict, step: int, quality: dict | None = None
) -> dict:
    """Writes the network of a configuration, with what it was trained for; returns the latter."""
    about = {"task": config.data.task, "step": step, "seed": config.seed}
    if quality is not None:
        about["quality"] = quality
    save_model(folder, params, config.model.to_dict(), about, config.method)
    return about
