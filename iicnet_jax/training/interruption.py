"""Ends training early: on a signal, or when the loss is not finite."""

import collections
import math
import os
import signal
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
from jax.experimental import multihost_utils

from iicnet_jax.core import distributed, files
from iicnet_jax.core.errors import UserError


class StopRequest:
    """Within `with StopRequest() as stop:`, SIGTERM and SIGINT are a request to stop, and no more.

    A second signal of the same kind acts as it does outside. Of several processes, all stop at
    the same step, whichever has had the signal.
    """

    def __init__(self):
        self.signal: signal.Signals | None = None

    def at(self, step: int) -> bool:
        """Whether to stop after this step; to be asked at every step."""
        # JAX has the processes agree on a step, once one of them has had a SIGTERM.
        if jax.process_count() > 1 and multihost_utils.reached_preemption_sync_point(step):
            self.signal = signal.SIGTERM
        return self.signal is not None

    def __enter__(self):
        if jax.process_count() > 1:
            handlers = {signal.SIGINT: self._pass_on}  # JAX handles SIGTERM itself
        else:
            handlers = {signal.SIGTERM: self._note, signal.SIGINT: self._note}
        self._before = {
            number: signal.signal(number, handler) for number, handler in handlers.items()
        }
        return self

    def __exit__(self, *_):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number, _frame):
        self.signal = signal.Signals(number)
        signal.signal(number, self._before[number])

    def _pass_on(self, number, _frame):
        os.kill(os.getpid(), signal.SIGTERM)
        signal.signal(number, self._before[number])


class LossGuard:
    """Stops a run whose loss or gradient is not finite, and says which samples led there.

    Reading a number waits for the device, so each is read when the next step is under way.

    Args:
      report: the file that is written before the run stops.
      sample_name: the name of a sample, given its number in the training split.
      unverified: the step that the run went on from, where nothing shows whether its checkpoint
        was damaged.
    """

    def __init__(
        self, report: Path, sample_name: Callable[[int], str], unverified: int | None = None
    ):
        self._unverified = unverified
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
        # All processes get here, with the same numbers.
        whole_batch = distributed.gather(indices.tolist())
        samples = [{"index": i, "name": self._sample_name(i)} for i in whole_batch]
        found = {"step": step, "loss": str(loss), "gradient_norm": str(gradient_norm)}
        if distributed.is_main():
            files.write_json(self._report, {**found, "samples": samples})
        blame = "Look at those images first"
        if self._unverified is not None:
            blame = (
                f"The run went on from the checkpoint of step {self._unverified}, which has no "
                "checksums: if its files were damaged, put them back or use an older one. Else "
                "look at those images"
            )
        raise UserError(
            f"in step {step} the loss was {loss} and the gradient's norm {gradient_norm}, so "
            f"training stopped; the samples of that step are listed in {self._report}, and the "
            f"last checkpoint, of an earlier step, is kept. {blame}. If they "
            "are in order, start in a new workdir with a lower config.optimizer.learning_rate "
            "(half of it, say), a longer config.optimizer.warmup_steps, or a smaller "
            "config.optimizer.clip_norm"
        )
