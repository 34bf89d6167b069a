"""Training and evaluation by several processes, through `jax.distributed`.

All run the same program with the same configuration, each on devices of its own, and share the
workdir. Process 0 writes, the others keep quiet. With one process, nothing here does anything.
"""

import contextlib
import dataclasses
import itertools
import json
import multiprocessing
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from orbax.checkpoint import multihost

from iicnet_jax.core.errors import UserError

OTHERS_SAY_WHY = "if another process ended before, its messages say why"
HEARTBEAT_TIMEOUT = 30  # seconds of silence after which JAX takes a process for lost
# In what JAX says when the connection to a process breaks, or nothing comes from it.
SIGNS_OF_LOSS = ("Gloo", "heartbeat timeout", "Connection closed", "Socket closed")
LONGEST_WAIT = 24 * 3600  # seconds that a process waits for one that is alive


@dataclasses.dataclass(frozen=True)
class Processes:
    """How this process finds the others; as it stands, there are none.

    Args:
      detect: ask the cluster (SLURM, Open MPI, Kubernetes, Cloud TPU) for what is not given.
      coordinator: HOST:PORT at which process 0 listens.
      count: number of processes.
      index: of this process, from 0.
      timeout: seconds to wait for the others.
    """

    detect: bool = False
    coordinator: str | None = None
    count: int | None = None
    index: int | None = None
    timeout: int = 300

    def check(self) -> None:
        """Raises UserError unless this describes one process or one of several."""
        coordinator, count, index = self.coordinator, self.count, self.index
        if self.detect or (coordinator, count, index) == (None, None, None):
            return
        if coordinator is None or count is None or index is None:
            raise UserError(
                "--coordinator, --num_processes and --process_id belong together; on SLURM, Open "
                "MPI, Kubernetes and Cloud TPU, --distributed alone finds all three"
            )
        host, _, port = coordinator.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise UserError(f"--coordinator is {coordinator!r}, but must be HOST:PORT")
        if count < 1:
            raise UserError(f"--num_processes is {count}, but must be at least 1")
        if not 0 <= index < count:
            raise UserError(
                f"--process_id is {index}, but with --num_processes={count} must be "
                f"from 0 to {count - 1}"
            )


@contextlib.contextmanager
def joined(processes: Processes) -> Iterator[None]:
    """Within it, JAX has the devices of all processes; to be entered before JAX has any.

    When the body fails, this process ends at once: the others then lose the connection and end
    too, and do not wait for something that will not come.

    Raises:
      UserError: the processes cannot be found.
    """
    processes.check()
    if not processes.detect and processes.coordinator is None:
        yield
        return
    with _deadline(processes):
        _initialize(processes)
    _wait_for_all()
    # The first collective connects the processes, for which XLA gives them half a minute.
    multihost_utils.sync_global_devices("joined")
    try:
        yield
    except SystemExit as error:
        _end_now(error.code)
    except BaseException as error:
        who = f"process {jax.process_index()} of {jax.process_count()}"
        if lost := _lost_process(error):
            print(f"error: {who} cannot go on: {lost}; {OTHERS_SAY_WHY}", file=sys.stderr)
        else:
            traceback.print_exc()
            print(f"error: {who} cannot go on; {OTHERS_SAY_WHY}", file=sys.stderr)
        _end_now(1)
    jax.distributed.shutdown()


def _lost_process(error: BaseException) -> str | None:
    """JAX's first line about a process that is gone, None if the error is another one."""
    line = str(error).partition("\n")[0]
    ours = isinstance(error, jax.errors.JaxRuntimeError)
    return line if ours and any(sign in line for sign in SIGNS_OF_LOSS) else None


def _initialize(processes):
    if processes.index == 0:
        _check_port(processes.coordinator)
    options: dict[str, Any] = {} if processes.detect else {"cluster_detection_method": "deactivate"}
    try:
        jax.distributed.initialize(
            processes.coordinator,
            processes.count,
            processes.index,
            # Ours comes first: JAX ends the process without a word that a user understands.
            initialization_timeout=processes.timeout + 60,
            heartbeat_timeout_seconds=HEARTBEAT_TIMEOUT,
            **options,
        )
    except (ValueError, RuntimeError, OSError) as error:
        raise UserError(
            f"the processes cannot be found: {error}. Without SLURM, Open MPI, Kubernetes or Cloud "
            "TPU, give --coordinator=HOST:PORT, --num_processes and --process_id"
        ) from error


def _check_port(address):
    """JAX would end in a segmentation fault."""
    port = int(address.rpartition(":")[2])
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("", port))
        except OSError as error:
            raise UserError(
                f"process 0 cannot listen at port {port}: {error.strerror}; choose another port "
                "in --coordinator"
            ) from error


@contextlib.contextmanager
def _deadline(processes):
    """Ends the process with a message if the body takes too long; nothing can interrupt it."""

    def give_up():
        who = "this process" if processes.index is None else f"process {processes.index}"
        where = processes.coordinator or "the address that the cluster told"
        print(
            f"error: {who} has waited for {processes.timeout} s at {where} and not all processes "
            "came: start all of them, with the same --coordinator and --num_processes and a "
            "--process_id each, where process 0 is HOST and its port can be reached "
            "(--join_timeout waits longer)",
            file=sys.stderr,
        )
        _end_now(1)

    timer = threading.Timer(processes.timeout, give_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end_now(status):
    """Without JAX's end, which waits for all processes."""
    for child in multiprocessing.active_children():
        child.kill()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else int(status is not None))


def let_sigterm_end() -> None:
    """SIGTERM ends this process from now on. JAX has taken it over, for training to stop at."""
    if jax.process_count() > 1:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def is_main() -> bool:
    """Whether this is the process that writes."""
    return jax.process_index() == 0


def gather(items: Sequence) -> list:
    """The items of all processes, in the processes' order; items are what JSON holds."""
    if jax.process_count() == 1:
        return list(items)
    _wait_for_all()
    text = np.frombuffer(json.dumps(list(items)).encode(), np.uint8)
    lengths = multihost_utils.process_allgather(np.int32(text.size))
    padded = np.zeros(lengths.max(), np.uint8)
    padded[: text.size] = text
    texts = multihost_utils.process_allgather(padded)
    parts = [json.loads(row[:length].tobytes()) for row, length in zip(texts, lengths, strict=True)]
    return [item for part in parts for item in part]


_waits = itertools.count()


def _wait_for_all():
    """Collectives on a CPU give up after some time, and evaluating a share may take hours."""
    wait = multihost.get_barrier_sync_fn()
    wait(key=f"iicnet_jax_{next(_waits)}", timeout_ms=1000 * LONGEST_WAIT)


def share(items: Sequence) -> Sequence:
    """This process's part of `items`; the parts in the processes' order are all of them."""
    count, index = jax.process_count(), jax.process_index()
    # Rounded up, so that process 0 has one where there are any.
    first, last = (-(-len(items) * i // count) for i in (index, index + 1))
    return items[first:last]


@contextlib.contextmanager
def all_or_none() -> Iterator[None]:
    """A UserError in one process is raised in all; none is left waiting for the others."""
    error = None
    try:
        yield
    except UserError as mistake:
        error = mistake
    messages = gather([None if error is None else str(error)])
    if error is not None:
        raise error
    for index, message in enumerate(messages):
        if message is not None:
            raise UserError(f"process {index}: {message}")
