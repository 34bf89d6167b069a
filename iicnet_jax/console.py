"""How every program of ours speaks to the terminal: mistakes, exit status, log lines.

Imports nothing that computes, so that a program can answer at once.
"""

import contextlib
import io
import logging
import os
import signal
import sys
from collections.abc import Iterator

from absl import logging as absl_logging
from tqdm import tqdm

from iicnet_jax.errors import UserError


@contextlib.contextmanager
def exit_on_user_error() -> Iterator[None]:
    """A mistake of the user ends the program with its message on stderr and status 1."""
    try:
        yield
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


@contextlib.contextmanager
def printing() -> Iterator[None]:
    """What the body prints ends in no traceback: names that are no text, a reader that has gone."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        try:
            yield
        finally:
            _flush()
    except BrokenPipeError:
        sys.exit(128 + signal.SIGPIPE)


def _flush() -> None:
    for stream in filter(None, (sys.stderr, sys.stdout)):
        try:
            stream.flush()
        except OSError:
            # Else the interpreter tries again at its end, and complains.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            raise


def set_up_logging() -> None:
    """Our own messages to stderr; of the libraries' (Orbax warns of every choice) the errors."""
    handler = _AboveProgressBar()
    handler.setFormatter(logging.Formatter("%(message)s"))
    ours = logging.getLogger("iicnet_jax")
    ours.handlers = [handler]
    ours.setLevel(logging.INFO)
    ours.propagate = False
    absl_logging.set_verbosity(absl_logging.ERROR)


class _AboveProgressBar(logging.Handler):
    """Writes lines so that a progress bar below them stays whole."""

    def emit(self, record):
        tqdm.write(self.format(record), file=sys.stderr)
