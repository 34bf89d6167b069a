"""SIGINT (Ctrl-C) and SIGTERM end a program wherever it is, and leave nothing half-written.

Imports nothing that takes time, so that a program can begin with it.
"""

import atexit
import contextlib
import os
import signal
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def unwinding() -> Iterator[None]:
    """Within it, both signals raise SystemExit with the status 128 + number.

    Libraries catch everything in places, and with it what is raised here: then it comes again.
    Among imports an exception may crash the interpreter: there the program ends at once, or, if
    something is being written, as soon as the import is done.
    """
    caught = None

    def stop(number, frame):
        nonlocal caught
        caught = caught or number
        if not _importing(frame):
            signal.setitimer(signal.ITIMER_REAL, 1, 1)
            if not isinstance(sys.exc_info()[1], SystemExit):  # what tidies up is not interrupted
                sys.exit(128 + caught)
        elif _writing():
            signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
        else:
            os._exit(128 + caught)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
        if caught:
            sys.exit(128 + caught)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        # What there is to do at the end of the interpreter is short, and no place for exceptions.
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
        for number, handler in before.items():
            signal.signal(number, handler)


def _writing() -> bool:
    """Whether something half-written would be left if the program ended at once."""
    files = sys.modules.get("iicnet_jax.core.files")  # which takes time to import
    return files is not None and files.writing()


def _importing(frame) -> bool:
    """Whether a module is being imported where the signal came."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
