"""Ends training early: on a signal, or when the loss is not finite."""

import collections
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

    def at(self, call: int) -> bool:
        """Whether to stop after this call of train steps; to be asked after each, by its number."""
        # JAX has the processes agree on a call, once one of them has had a SIGTERM.
        if jax.process_count() > 1 and multihost_utils.reached_preemption_sync_point(call):
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

    Reading a number waits for the device, so each is read when the next call is under way.

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
        """Remembers numbers (perhaps not computed yet) and checks those of the call before.

        Args:
          step: the last of the steps that one call has made.
          loss: of each of these steps.
          gradient_norm: likewise.
          indices: of the samples of each of these steps.
        """
        self._pending.append((step, loss, gradient_norm, indices))
        if len(self._pending) > 1:
            self._check()

    def settle(self) -> None:
        """Checks all that is pending; to be called before anything is kept of the state."""
        while self._pending:
            self._check()

    def _check(self):
        last, losses, norms, indices = self._pending.popleft()
        losses, norms = np.asarray(losses), np.asarray(norms)
        finite = np.isfinite(losses) & np.isfinite(norms)
        if finite.all():
            return
        # All processes get here, with the same numbers. Steps after the first such have them, too.
        first = int(np.argmin(finite))
        step = last - len(finite) + 1 + first
        loss, gradient_norm = float(losses[first]), float(norms[first])
        whole_batch = distributed.gather(indices[first].tolist())
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
