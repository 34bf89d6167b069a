"""What the fuzzers of pictures, videos and GIFs share: the loop, the time limit, the report."""

import argparse
import collections
import faulthandler
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from iicnet_jax.core.errors import UserError

TIME_LIMIT = 20  # seconds for one input


def repeat(count: int, trial: Callable[[], Iterable[str]], output: Path) -> collections.Counter:
    """Counts the outcomes of so many trials, each of which must leave the folder `output` empty.

    Ends the process if a trial takes too long.
    """
    outcomes = collections.Counter()
    try:
        for _ in range(count):
            # A Python handler would wait for the decoder that hangs.
            faulthandler.dump_traceback_later(TIME_LIMIT, exit=True)
            outcomes.update(trial())
            assert not list(output.iterdir()), "something was left behind"
    finally:
        faulthandler.cancel_dump_traceback_later()
    return outcomes


def attempt(operation, *arguments) -> str:
    """The operation's name and how it ended: done, or refused in one printable line."""
    name = operation.__name__.strip("_")
    try:
        operation(*arguments)
    except UserError as error:
        message = str(error)
        assert "\n" not in message and message.isprintable(), message
        return f"{name}: refused"
    return f"{name}: done"


def main(description: str, run: Callable[..., collections.Counter], kinds: list[str]) -> None:
    """Reads the command line, and prints the outcomes of `run([kind,] count, seed, folder)`."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    if kinds:
        parser.add_argument("--kind", choices=kinds, required=True)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="fuzz."))
    print(f"a finding would be kept in {scratch}", file=sys.stderr)
    started = time.perf_counter()
    kind = [arguments.kind] if kinds else []
    outcomes = run(*kind, arguments.count, arguments.seed, scratch)
    for outcome, number in sorted(outcomes.items()):
        print(f"{number:8d} {outcome}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds = time.perf_counter() - started
    print(f"{arguments.count} inputs, {seconds:.0f} s, at most {memory:.0f} MB")
