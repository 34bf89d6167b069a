"""A profile of some steps, and what a device says of its memory."""

import logging
from pathlib import Path

import jax

log = logging.getLogger(__name__)


class Profile:
    """Traces a window of steps, for TensorBoard: `with profile: ... before(...) ... after(...)`.

    The window is widened to whole calls of train steps. In the trace, a call has the name
    `train_steps` and the number of its last step.

    Args:
      folder: receives the trace, below plugins/profile.
      first: the window's first step, from 1.
      count: how many steps it has; with 0, nothing is traced.
    """

    def __init__(self, folder: Path, first: int, count: int):
        self._folder = folder
        self._first, self._last = first, first + count - 1
        self._running = False

    def before(self, step: int, state) -> None:
        """To be called before the call of train steps that ends with this one."""
        if not self._running and self._first <= step and self._last >= self._first:
            jax.block_until_ready(state)
            jax.profiler.start_trace(str(self._folder))
            self._running = True

    def after(self, step: int, state) -> None:
        """To be called after it."""
        if self._running and step >= self._last:
            jax.block_until_ready(state)
            self.__exit__()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._running:
            jax.profiler.stop_trace()
            log.info("profile in %s; see it with TensorBoard's profile plugin", self._folder)
        self._last = self._first - 1  # no other
        self._running = False


def peak_memory() -> dict[str, float]:
    """GB that a device of this process has needed at most, {} where it does not tell."""
    memory = [device.memory_stats() or {} for device in jax.local_devices()]
    peaks = [of["peak_bytes_in_use"] for of in memory if "peak_bytes_in_use" in of]
    return {"peak_memory_gb": max(peaks) / 1e9} if peaks else {}
