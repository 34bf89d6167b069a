"""All that is to be shown on a GPU, as one command that ends in time.

    python -m benchmarks.gpu --minutes=10 --torch_reference=IICNet \
        --torch_python=torch/bin/python --data=runs/photographs --out=gpu

Every stage is another benchmark in a process of its own, the most important one first. A stage that
takes longer than its limit, or than the minutes that are left, is ended, and those that have not
begun by then are skipped. After every stage, what there is stands in the folder --out:

    STAGE.json  its results, with device, driver and versions
    STAGE.log   what it said
    results.md  the tables of all stages, each below its command, for docs/performance.md

`--only` takes some stages, for a second call. `--miniature` makes all of them tiny, to try them on
a CPU: its numbers mean nothing. --torch_reference, --torch_python and --data are explained in
benchmarks/train_step.py; --data should hold DIV2K as `python -m experiments.photographs` writes it,
otherwise pictures are made in a temporary folder first.
"""

import argparse
import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import report
from iicnet_jax.core import files


class Stage(NamedTuple):
    """A benchmark and its arguments.

    Attributes:
      name: of its files.
      seconds: it may take.
      command: the module in `benchmarks`, and its arguments.
      miniature: arguments that make it tiny; they win over those of `command`.
      beside: also time the authors' code.
    """

    name: str
    seconds: float
    command: str
    miniature: str
    beside: bool = False


_TINY = (
    "--config=stereo_no_relation --blocks=1 --crop=8 --batch_sizes 2 --repeats=1 --steps=2 "
    "--steps_per_call 2"
)
_TRAIN = "train_step --config=dual_x4 --batch_sizes {} --repeats=5 --steps={}"
STAGES = (
    Stage(
        "golden",
        60,
        "golden --networks n3_relation n3_haar_prop n2_no_frequency",
        "--networks n1_gray --precisions float32",
    ),
    Stage(
        "bfloat16",
        150,
        f"{_TRAIN.format(2, 20)} --precisions bfloat16 --memories none --steps_per_call 1 20 "
        "--real_data --on_device",
        _TINY,
        beside=True,
    ),
    Stage(
        "picture_4k",
        60,
        "inference --config=dual_x4 --sizes 3840x2160 --repeats=3",
        "--config=stereo_no_relation --blocks=1 --sizes 30x26 --tile=24 --repeats=1",
    ),
    Stage(
        "tensorfloat32",
        90,
        f"{_TRAIN.format(2, 20)} --precisions tensorfloat32 --memories none --steps_per_call 1 20",
        _TINY,
        beside=True,
    ),
    Stage(
        "many_images",
        120,
        "memory --images=31,47,63,79,95 --blocks=10 --memory=reversible --run --limit=11",
        "--images=2,3 --blocks=1 --crop=8 --limit=1e-3",
    ),
    Stage(
        "memory_saving",
        120,
        f"{_TRAIN.format(2, 20)} --precisions bfloat16 --memories remat reversible",
        _TINY,
        beside=True,
    ),
    Stage(
        "float32",
        90,
        f"{_TRAIN.format(2, 20)} --precisions float32 --memories none --steps_per_call 1 20",
        _TINY,
        beside=True,
    ),
    # Without the authors' code, whose step of this size needs most of a GPU's memory.
    Stage(
        "batch_32",
        150,
        f"{_TRAIN.format(32, 10)} --precisions bfloat16 --memories none remat "
        "--profile={out}/profile",
        _TINY,
    ),
    Stage(
        "batch_32_beside",
        120,
        f"{_TRAIN.format(32, 10)} --precisions bfloat16 --memories remat",
        _TINY,
        beside=True,
    ),
)


def launch(command: Sequence[str], seconds: float, log: Path) -> str:
    """Runs a program of the repository for at most so long; what it says goes to a file.

    Returns what became of it: "" if it ended well.
    """
    with (
        log.open("w", encoding="utf-8") as said,
        # A session of its own: its children, such as the authors' code, end with it.
        subprocess.Popen(
            [sys.executable, *command], stdout=said, stderr=said, start_new_session=True
        ) as process,
    ):
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            return f"ended after its {seconds:.0f} s"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    if status == 0:
        return ""
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return f"failed: {next(filter(str.strip, reversed(lines)), f'exit status {status}')}"


def main(
    argv: Sequence[str] | None = None,
    launch: Callable[[Sequence[str], float, Path], str] = launch,
) -> None:
    """The command line. Exit status 1 if a stage failed, was ended or skipped."""
    arguments = _parse(argv)
    end = time.monotonic() + 60 * arguments.minutes
    arguments.out.mkdir(parents=True, exist_ok=True)
    stages = [stage for stage in STAGES if stage.name in arguments.only]
    parts, complete = [], True
    for stage in stages:
        command = _command(stage, arguments)
        begin = time.monotonic()
        if begin < end:
            seconds = min(stage.seconds, end - begin)
            problem = launch(command, seconds, arguments.out / f"{stage.name}.log")
        else:
            problem = "skipped: the time was over"
        complete = complete and not problem
        took = time.monotonic() - begin
        print(f"{stage.name}: {problem or 'done'} ({took:.0f} s)", file=sys.stderr, flush=True)
        parts.append(_as_markdown(stage, command, problem, arguments.out))
        files.write_text(arguments.out / "results.md", "\n\n".join([*parts, ""]))
    print("\n\n".join(parts))
    sys.exit(not complete)


def _parse(argv):
    parser = argparse.ArgumentParser(
        "benchmarks.gpu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [stage.name for stage in STAGES]
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--only", nargs="*", choices=names, default=names, metavar="STAGE")
    parser.add_argument("--torch_reference", type=Path, help="checkout of the authors' code")
    parser.add_argument("--torch_python", default=sys.executable, help="a Python with PyTorch")
    parser.add_argument("--data", type=Path, help="folder with DIV2K")
    parser.add_argument("--miniature", action="store_true", help="tiny, to try it on a CPU")
    parser.add_argument("--out", type=Path, required=True, help="folder of all results")
    return parser.parse_args(argv)


def _command(stage, arguments) -> list[str]:
    """What Python runs."""
    module, *options = stage.command.format(out=arguments.out).split()
    if arguments.miniature:
        options += stage.miniature.split()
    if stage.beside and arguments.torch_reference:
        options += [f"--torch_reference={arguments.torch_reference}"]
        options += [f"--torch_python={arguments.torch_python}"]
    if "--real_data" in options and arguments.data:
        options += [f"--data={arguments.data}"]
    out = arguments.out / f"{stage.name}.json"
    return ["-m", f"benchmarks.{module}", *options, f"--out={out}"]


def _as_markdown(stage, command, problem, folder) -> str:
    """A stage's command, what became of it, and its table as far as it got."""
    parts = [f"### {stage.name}\n    {shlex.join(['python', *command])}"]
    if problem:
        parts.append(problem)
    with contextlib.suppress(FileNotFoundError):
        results = json.loads((folder / f"{stage.name}.json").read_text(encoding="utf-8"))
        names = ", ".join(dict.fromkeys(results["devices"]))
        driver = f", driver {results['driver']}" if results["driver"] else ""
        jax = f"jax {results['versions']['jax']}"
        parts += [f"{names}{driver}, {jax}, {results['date']}:", report.table(results["rows"])]
    return "\n\n".join(parts)


if __name__ == "__main__":
    main()
