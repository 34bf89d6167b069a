"""What can end a run early: a signal, or numbers that are no longer finite."""

import collections
import math
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np

from iicnet_jax import files
from iicnet_jax.errors import UserError


class StopRequest:
    """Within `with StopRequest() as stop:`, SIGTERM and SIGINT set `stop.signal` and no more.

    A second signal of the same kind acts as it does outside.
    """

    def __init__(self):
        self.signal: signal.Signals | None = None

    def __enter__(self):
        self._before = {
            number: signal.signal(number, self._note) for number in (signal.SIGTERM, signal.SIGINT)
        }
        return self

    def __exit__(self, *_):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number, _frame):
        self.signal = signal.Signals(number)
        signal.signal(number, self._before[number])


class LossGuard:
    """Stops a run whose loss or gradient is not finite, and says which samples led there.

    Reading a number waits for the device, so each is read when the next step is under way.

    Args:
      report: the file that is written before the run stops.
      sample_name: the name of a sample, given its number in the training split.
    """

    def __init__(self, report: Path, sample_name: Callable[[int], str]):
        self._report = report
        self._sample_name = sample_name
        self._pending = collections.deque()

    def watch(self, step: int, loss, gradient_norm, indices: np.ndarray) -> None:
        """Remembers a step's numbers (perhaps not computed yet) and checks the step before."""
        self._pending.append((step, loss, gradient_norm, indices))
        if len(self._pending) > 1:
            self._check()

    def settle(self) -> None:
        """Checks all that is pending; to be called before anything is kept of the state."""
        while self._pending:
            self._check()

    def _check(self):
        step, loss, gradient_norm, indices = self._pending.popleft()
        loss, gradient_norm = float(loss), float(gradient_norm)
        if math.isfinite(loss) and math.isfinite(gradient_norm):
            return
        samples = [{"index": int(i), "name": self._sample_name(int(i))} for i in indices]
        found = {"step": step, "loss": str(loss), "gradient_norm": str(gradient_norm)}
        files.write_json(self._report, {**found, "samples": samples})
        raise UserError(
            f"in step {step} the loss was {loss} and the gradient's norm {gradient_norm}, so "
            f"training stopped; the samples of that step are listed in {self._report}, and the "
            "last checkpoint, of an earlier step, is kept. Look at those images first. If they "
            "are in order, start in a new workdir with a lower config.optimizer.learning_rate "
            "(half of it, say), a longer config.optimizer.warmup_steps, or a smaller "
            "config.optimizer.clip_norm"
        )
