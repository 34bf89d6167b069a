"""The workdir of a run: its files, and the configuration that it belongs to."""

import contextlib
import fcntl
import logging
import os
import platform
import re
import shlex
import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import jax
from ml_collections import ConfigDict

from iicnet_jax.core import distributed, files, json_files
from iicnet_jax.core.errors import UserError, explaining
from iicnet_jax.experiment import configuration

log = logging.getLogger(__name__)

CONFIG = "config.json"
ENVIRONMENT = "environment.json"
RESULTS = "results.json"  # of the evaluation
LOCK = "lock"  # names the program that trains there
# Fields that came later, by section, with what was done before.
ADDED: dict[str | None, dict[str, object]] = {
    None: {
        "method": "iicnet",
        "init_from": "",
        "memory_saving": "none",
        "loop": "auto",
        "precision": "float32",
    },
    "channel": {
        "form": "none",
        "lowest_quality": 50,
        "highest_quality": 95,
        "subsampling": "4:2:0",
        "lossless_share": 0.1,
    },
    # These two of the method iicnet.
    "model": {"levels": 1, "mixing": True},
    "loss": {"overflow": 0.0},
    "optimizer": {"ema_decay": 0.0, "accumulate": 1},
    "data": {"on_device": False},
}
# Names that fields had before: section, old, new.
RENAMED = (
    (None, "memory", "memory_saving"),
    ("data", "regime", "task"),
    ("data", "step", "frame_stride"),
    ("data", "training_step", "training_frame_stride"),
)
PACKAGES = ("iicnet_jax", "jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "grain", "numpy")

MAX_BYTES = 2**28  # of a results.json: every sample has a thousand
_PART = {"psnr": json_files.NUMBER, "ssim": json_files.NUMBER}
_ENVIRONMENT = {"devices": [str]}  # and the command of a run, which older ones do not have
# What is used of a results.json; it holds more.
_RESULTS = {
    "step": int,
    "samples": int,
    "split": str,
    "environment": _ENVIRONMENT,
    "networks": {"trained": {"rounded": {"embedding": _PART, "restored": _PART}}},
}


def check_name(workdir: str) -> None:
    """Raises UserError for an address such as gs://bucket/run, which would become a folder gs:."""
    if found := re.match(r"[A-Za-z][A-Za-z0-9+.-]*:/", workdir):
        raise UserError(
            f"--workdir is {workdir!r}, but must be a folder: {found[0]}/ is not supported; mount "
            "the storage, or train in a folder and copy it"
        )


@contextlib.contextmanager
def locked(workdir: Path) -> Iterator[None]:
    """The folder, made if need be, is this program's alone; of several processes, the first locks.

    The lock goes with the process, however it ends, and holds on all hosts of a file system that
    has locks: so none is ever left over, and the file that names its holder may stay.

    Raises:
      UserError: another program trains there, or the folder cannot be made.
    """
    if not distributed.is_main():
        yield
        return
    _make(workdir)
    with (workdir / LOCK).open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read(1000).strip() or "another program"
            raise UserError(
                f"{holder} trains in the workdir {workdir}: wait for its end, end it, or give "
                "another --workdir"
            ) from error
        except OSError as error:
            log.warning(
                "%s has no locks (%s): make sure that no other program trains there",
                workdir,
                error.strerror,
            )
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        yield


def claim(workdir: Path, config: ConfigDict) -> None:
    """Makes the folder and notes configuration, environment and command, or checks what is there.

    Raises:
      UserError: the folder belongs to a run with another configuration, is damaged, or cannot be
        made.
    """
    _make(workdir)
    if (workdir / CONFIG).exists():
        require_same(workdir, config)
    if distributed.is_main():
        files.write_json(workdir / CONFIG, config.to_dict())
        noted = read_environment(workdir) or {}
        # Of the first start: others only go on.
        command = noted.get("command") or shlex.join(["python", *sys.orig_argv[1:]])
        files.write_json(workdir / ENVIRONMENT, {**environment(), "command": command})


def _make(workdir: Path) -> None:
    try:
        workdir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"the workdir {workdir} cannot be made: {error}") from error


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
        config = json_files.read(path, {"data": dict})
    except FileNotFoundError as error:
        raise UserError(f"{workdir} holds no run ({CONFIG} is missing)") from error
    for section, old, new in RENAMED:
        fields = config[section] if section else config
        if old in fields:
            fields[new] = fields.pop(old)
    with explaining(f"{path} is damaged"):
        json_files.check(config, {"model": dict, "data": {"task": str, "root": str}})
    for section, added in ADDED.items():
        if section is None:
            config = added | config
        elif section in ("model", "loss") and config["method"] != "iicnet":
            continue
        elif isinstance(fields := config.get(section, {}), dict):
            config[section] = added | fields
    return config


def read_results(path: Path) -> dict | None:
    """What an evaluation has measured (`results.json`), None if there is no such file.

    Raises:
      UserError: it is damaged.
    """
    return _read(path, _RESULTS, "write it anew with --mode=eval")


def read_environment(workdir: Path) -> dict | None:
    """What `environment` has noted beside a run, likewise."""
    return _read(workdir / ENVIRONMENT, _ENVIRONMENT, "remove it, or train anew")


def _read(path, form, remedy):
    try:
        return json_files.read(path, form, max_bytes=MAX_BYTES)
    except FileNotFoundError:
        return None
    except UserError as error:
        raise UserError(f"{error}; {remedy}") from error


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
