"""What can end a run early: a signal, or a loss that is no longer a number."""

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
    """Stops a run whose loss is not finite, and says which samples led there.

    Reading a loss waits for the device, so each is read when the next step is under way.

    Args:
      report: the file that is written before the run stops.
      sample_name: the name of a sample, given its number in the training split.
    """

    def __init__(self, report: Path, sample_name: Callable[[int], str]):
        self._report = report
        self._sample_name = sample_name
        self._pending = collections.deque()

    def watch(self, step: int, loss, indices: np.ndarray) -> None:
        """Remembers a step's loss (perhaps not computed yet) and checks the one before."""
        self._pending.append((step, loss, indices))
        if len(self._pending) > 1:
            self._check()

    def settle(self) -> None:
        """Checks all that is pending; to be called before anything is kept of the state."""
        while self._pending:
            self._check()

    def _check(self):
        step, loss, indices = self._pending.popleft()
        loss = float(loss)
        if math.isfinite(loss):
            return
        samples = [{"index": int(i), "name": self._sample_name(int(i))} for i in indices]
        files.write_json(self._report, {"step": step, "loss": str(loss), "samples": samples})
        raise UserError(
            f"the loss of step {step} is {loss}, so training stopped; the samples of that step "
            f"are listed in {self._report}, and the last checkpoint, of an earlier step, is "
            "kept. Look at those images first. If they are in order, start in a new workdir with "
            "a lower config.optimizer.learning_rate (half of it, say), a longer "
            "config.optimizer.warmup_steps, or a smaller config.optimizer.clip_norm"
        )
