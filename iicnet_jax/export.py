"""The network of a run as a model directory."""

from pathlib import Path

from flax import nnx
from ml_collections import ConfigDict

from iicnet_jax import build
from iicnet_jax.quality import measured_quality
from iicnet_jax.training.checkpoints import Checkpoints
from iicnet_jax.training.step import create_state
from iicnet_jax.weights.model_dir import save_model
from iicnet_jax.workdir import read_config


def export(workdir: Path, checkpoint: str, folder: Path) -> dict:
    """Writes the network of a run's "latest" or "best" checkpoint to `folder`.

    Returns what the model says about itself: see `save`, and `quality` as `measured_quality`
    describes it, if the run has been evaluated.

    Raises:
      UserError: the workdir holds no run, or the run has no such checkpoint.
    """
    config = ConfigDict(read_config(workdir))
    optimizer, _ = build.create_optimizer(config)
    _, initial = create_state(build.create_model(config), optimizer)
    with Checkpoints(workdir, read_only=True) as kept:
        state = kept.restore_state(initial, checkpoint)
    step = int(state.step)
    return save(folder, state.params, config, step, measured_quality(workdir, step))


def save(
    folder: Path, params: nnx.State, config: ConfigDict, step: int, quality: dict | None = None
) -> dict:
    """Writes the network of a configuration, with what it was trained for; returns the latter."""
    about = {"task": config.data.regime, "step": step, "seed": config.seed}
    if quality is not None:
        about["quality"] = quality
    save_model(folder, params, config.model.to_dict(), about, config.method)
    return about
