"""The folder of one run: what it holds, and that it belongs to one configuration."""

import json
import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import jax
from ml_collections import ConfigDict

from iicnet_jax import config as configuration
from iicnet_jax import distributed, files
from iicnet_jax.errors import UserError

CONFIG = "config.json"
ENVIRONMENT = "environment.json"
RESULTS = "results.json"  # of the evaluation
# Fields that came later, with what was done before.
ADDED = {"method": "iicnet", "memory": "none", "loop": "auto", "precision": "float32"}
PACKAGES = ("iicnet_jax", "jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "grain", "numpy")


def claim(workdir: Path, config: ConfigDict) -> None:
    """Makes the folder and notes the configuration in it, or checks the one that is there.

    Raises:
      UserError: the folder belongs to a run with another configuration, or cannot be written.
    """
    try:
        workdir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"the workdir {workdir} cannot be made: {error}") from error
    if (workdir / CONFIG).exists():
        require_same(workdir, config)
    if distributed.is_main():
        files.write_json(workdir / CONFIG, config.to_dict())
        files.write_json(workdir / ENVIRONMENT, environment())


def require_shared(workdir: Path) -> None:
    """Raises UserError where another process has claimed the folder and this one cannot see it."""
    if not (workdir / CONFIG).exists():
        raise UserError(
            f"the workdir {workdir} is not what process 0 has there: all processes need one "
            "folder, on a file system that they share"
        )


def require_same(workdir: Path, config: ConfigDict) -> None:
    """Raises UserError, listing the differences, unless the folder's run learns what `config` does.

    Also where the folder holds no run.
    """
    different = configuration.differences(config, read_config(workdir))
    if different:
        listed = "\n  ".join(different)
        raise UserError(
            f"{workdir} holds a run with another configuration:\n  {listed}\n"
            "Give that configuration to continue the run, or another --workdir for a new one."
        )


def read_config(workdir: Path) -> dict:
    """The configuration of the run in a folder.

    Raises:
      UserError: there is no run, or its configuration is damaged.
    """
    path = workdir / CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{workdir} holds no run ({CONFIG} is missing)") from error
    except json.JSONDecodeError as error:
        raise UserError(f"{path} is damaged ({error}): start again in a new workdir") from error
    return {**ADDED, **config}


def environment() -> dict:
    """Versions, devices and today's date, to be kept beside results."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "devices": [str(device.device_kind) for device in jax.devices()],
        "processes": jax.process_count(),
    }


def _version(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
