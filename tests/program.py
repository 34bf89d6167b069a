"""The programs as tests call and start them: in this process, or in one of their own."""

import contextlib
import functools
import io
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

from absl import app, flags
from absl.testing import flagsaver

from experiments.datasets import write_sample
from iicnet_jax import cli, main
from iicnet_jax.experiment import run

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
def sample(name: str) -> Path:
    """A dataset of the sample, written once a test process and removed when that ends.

    Not to be written into.
    """
    folder = tempfile.TemporaryDirectory(prefix="iicnet_sample_")
    _FOLDERS.append(folder)
    return write_sample(Path(folder.name), [name])[name]


def call(function, *arguments) -> tuple[int, str, str]:
    """Calls what a program consists of: exit status, stdout, stderr."""
    with (
        contextlib.redirect_stdout(io.StringIO()) as stdout,
        contextlib.redirect_stderr(io.StringIO()) as stderr,
    ):
        try:
            status = function(*arguments)
        except SystemExit as ended:
            status = ended.code
    return status or 0, stdout.getvalue(), stderr.getvalue()


def iicnet(*arguments) -> tuple[int, str, str]:
    """The `iicnet` command in this process."""
    return call(cli.main, [*map(str, arguments)])


def call_main(arguments) -> tuple[int, str, str]:
    """`python -m iicnet_jax.main` in this process, with what `command` returns after that."""
    argv = ["main", *map(str, arguments)]

    def parse_and_run():
        try:
            main.main(run.parse_flags(argv))
        except app.UsageError as error:  # as absl's app does
            print(error, file=sys.stderr)
            return 1

    with flagsaver.flagsaver(), mock.patch.object(sys, "argv", argv):
        flags.FLAGS.unparse_flags()
        return call(parse_and_run)


def command(workdir, *, mode="train_and_eval", config="configs/quickstart.py", **fields):
    """The arguments of the main program; fields are written with __ for the dot."""
    fields = (
        TINY
        | {"data.root": sample("DAVIS-2017")}
        | {name.replace("__", "."): value for name, value in fields.items()}
    )
    return [
        *(f"--config={config}", f"--workdir={workdir}", f"--mode={mode}"),
        *(f"--config.{name}={value}" for name, value in fields.items()),
    ]


def start(module, arguments, devices=2) -> subprocess.Popen:
    """Starts `python -m module` in the repository's root, with its output in pipes.

    With as many devices as the tests' own process has, programs are compiled once for both.
    """
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "JAX_PLATFORMS": "cpu", "JAX_NUM_CPU_DEVICES": str(devices)},
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


def start_main(arguments, devices=2) -> subprocess.Popen:
    """Starts the main program."""
    return start("iicnet_jax.main", arguments, devices)
