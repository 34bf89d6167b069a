"""Maps a function over items on all local devices, one thread a device."""

import collections
import queue
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import jax


def map_over_devices(function: Callable, items: Iterable) -> Iterator:
    """`function(item)` of every item, in order, a thread for each device of this process.

    In a thread, JAX's default device is the thread's own. At most twice as many items as there
    are devices have been begun and not been taken. With one device there are no threads.
    """
    devices = jax.local_devices()
    if len(devices) == 1:
        yield from map(function, items)
        return
    free = queue.SimpleQueue()
    for device in devices:
        free.put(device)

    def work(item):
        device = free.get()
        try:
            with jax.default_device(device):
                return function(item)
        finally:
            free.put(device)

    pending = collections.deque()
    with ThreadPoolExecutor(len(devices)) as threads:
        try:
            for item in items:
                pending.append(threads.submit(work, item))
                if len(pending) == 2 * len(devices):
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:  # after an error, what has not begun is left
            for future in pending:
                future.cancel()
