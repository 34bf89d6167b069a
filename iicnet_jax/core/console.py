"""Terminal output of all programs: user errors, exit status, log lines.

Imports nothing that computes, so that a program can answer at once.
"""

import contextlib
import io
import logging
import os
import signal
import sys
import traceback
from collections.abc import Iterator

from absl import logging as absl_logging
from tqdm import tqdm

from iicnet_jax.core.errors import UserError

# Where JAX looks for its devices; what it raises there has no type of its own.
JAX_BACKENDS = "jax/_src/xla_bridge.py"


@contextlib.contextmanager
def exit_on_user_error() -> Iterator[None]:
    """A mistake of the user ends the program with its message on stderr and status 1.

    So do a disk that refuses, where nothing closer to it says so, and a device that is not there.
    """
    try:
        yield
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except Exception as error:
        message = _message(error)
        if message is None:
            raise
        print(f"error: {message}", file=sys.stderr)
        sys.exit(1)


def _message(error: Exception) -> str | None:
    """What a user is told of an error that is no bug; None for a bug."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}"
    platforms = os.environ.get("JAX_PLATFORMS")
    if platforms and traceback.extract_tb(error.__traceback__)[-1].filename.endswith(JAX_BACKENDS):
        return (
            f"JAX finds no device for JAX_PLATFORMS={platforms}: unset it to compute on what is "
            "there, or install JAX for that device (pip install 'iicnet_jax[cuda]' for NVIDIA's)"
        )
    return None


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
    """Our own messages to stderr; of the libraries' nothing, who raise what they log."""
    handler = _AboveProgressBar()
    handler.setFormatter(logging.Formatter("%(message)s"))
    ours = logging.getLogger("iicnet_jax")
    ours.handlers = [handler]
    ours.setLevel(logging.INFO)
    ours.propagate = False
    absl_logging.set_verbosity(absl_logging.FATAL)
    sys.unraisablehook = _not_of_orbax


def _not_of_orbax(unraisable) -> None:
    """Where a checkpoint fails, Orbax leaves reads or writes behind that end after their loop."""
    if str(unraisable.exc_value) != "Event loop is closed":
        sys.__unraisablehook__(unraisable)


class _AboveProgressBar(logging.Handler):
    """Writes lines so that a progress bar below them stays whole."""

    def emit(self, record):
        tqdm.write(self.format(record), file=sys.stderr)
