"""The main program as tests start it: small, in a process of its own."""

import functools
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from iicnet_jax.data.sample import write_sample

ROOT = Path(__file__).parent.parent
# A tiny network on the sample's videos; a step takes milliseconds, compilation seconds.
TINY = {
    "steps": 6,
    "model.num_images": 2,
    "model.relation": False,
    "model.downscaling": "squeeze",
    "model.split": "prop",
    "model.num_blocks": 1,
    "model.growth": 4,
    "data.crop": 16,
    "data.batch_size": 2,
    "evaluation.limit": 1,
    "evaluation.validation_limit": 1,
    "run.log_every": 1,
    "run.validate_every": 1000,
    "run.checkpoint_every": 2,
}


_FOLDERS = []


@functools.cache
def videos() -> Path:
    """The sample's DAVIS 2017, written once a test process and removed when that ends."""
    folder = tempfile.TemporaryDirectory(prefix="iicnet_sample_")
    _FOLDERS.append(folder)
    return write_sample(Path(folder.name), ["DAVIS-2017"])["DAVIS-2017"]


def command(workdir, *, mode="train_and_eval", config="configs/quickstart.py", **fields):
    """The command line; fields are written with __ for the dot."""
    fields = (
        TINY
        | {"data.root": videos()}
        | {name.replace("__", "."): value for name, value in fields.items()}
    )
    return [
        sys.executable,
        *("-m", "iicnet_jax.main", f"--config={config}", f"--workdir={workdir}", f"--mode={mode}"),
        *(f"--config.{name}={value}" for name, value in fields.items()),
    ]


def environment(cache, devices=1):
    """So many devices, and compiled programs kept in `cache` from one process to the next."""
    return {
        **os.environ,
        "JAX_PLATFORMS": "cpu",
        "JAX_NUM_CPU_DEVICES": str(devices),
        "JAX_COMPILATION_CACHE_DIR": str(cache),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }


def start(arguments, cache, devices=1) -> subprocess.Popen:
    """Starts a program in the repository's root, with its output in pipes."""
    return subprocess.Popen(
        arguments,
        cwd=ROOT,
        env=environment(cache, devices),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen, timeout=900) -> tuple[int, str, str]:
    """Waits for the end: exit status, stdout, stderr."""
    stdout, stderr = process.communicate(timeout=timeout)
    return process.returncode, stdout, stderr


def wait_for(condition, process: subprocess.Popen, seconds=900) -> None:
    """Returns when the condition holds; fails if the process ends before."""
    until = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < until
        time.sleep(0.02)


def run(arguments, cache) -> tuple[int, str, str]:
    """Starts a program and waits for its end."""
    return finish(start(arguments, cache))
