"""Damages weight files at random, and reads them.

python -m tests.weights.fuzzing COUNT SEED
"""

import collections
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from iicnet_jax.core.errors import UserError
from iicnet_jax.weights.torch_file import read_torch_file
from tests.torch_files import LAYOUTS, members_of, weight_file, zip_file

# Instructions, among them all that the reader knows, and lengths that promise much.
FRAGMENTS = [
    *(bytes([code]) for code in b"(.012FGIJKLMNPQRSTUVX]abcdeghijlopqrstu})\x85\x86\x87\x88\x89"),
    *(bytes([code]) + b"\xff" * 8 for code in b"XTBUrjJ\x8a\x8b\x8c\x8d\x8e\x95\x96"),
    b"cposix\nsystem\n",
    b"c__builtin__\neval\n",
    b"ccollections\nOrderedDict\n",
    b"ctorch._utils\n_rebuild_tensor_v2\n",
    b"\xff" * 4,
    b"\xff" * 8,
    b"\x00" * 8,
    b"PK\x01\x02",
    b"PK\x05\x06",
]


def targets() -> list[tuple[bytes, Callable[[bytes], bytes]]]:
    """What to damage, and how to make a file of it.

    An archive has checksums, so its pickle is also damaged before it is packed.
    """
    random = np.random.RandomState(0)
    arrays = {
        "module.2.operations.0.F.conv1.weight": random.normal(size=(2, 3, 1, 1)),
        "module.2.operations.0.F.conv1.bias": random.normal(size=2),
        "module.1.operations.1.weight": random.normal(size=(3, 3)),
    }
    arrays = {name: array.astype(np.float32) for name, array in arrays.items()}
    legacy, archive = (weight_file(layout, arrays) for layout in LAYOUTS)
    members = members_of(archive)

    def pack(content):
        return zip_file(members | {"data.pkl": content})

    return [(legacy, bytes), (archive, bytes), (members["data.pkl"], pack)]


def mutate(data: bytes, random: np.random.RandomState) -> bytes:
    """The same bytes with one to four mistakes."""
    damaged = bytearray(data)
    for _ in range(random.randint(1, 5)):
        start = random.randint(len(damaged) + 1)
        # Mostly short pieces, sometimes much of the file.
        end = min(len(damaged), start + int(2 ** (random.random_sample() * 10)))
        match random.randint(8):
            case 0:
                del damaged[start:end]
            case 1:
                damaged[start:start] = damaged[start:end]
            case 2:
                place = random.randint(len(damaged) + 1)
                damaged[place:place] = damaged[start:end]
            case 3:
                damaged[start : start + 1] = random.bytes(1)
            case 4 | 5:
                fragment = FRAGMENTS[random.randint(len(FRAGMENTS))]
                damaged[start : start + len(fragment)] = fragment
            case 6:
                damaged[start:start] = FRAGMENTS[random.randint(len(FRAGMENTS))]
            case 7 if random.randint(4) == 0:
                del damaged[start:]
    return bytes(damaged)


def fuzz(folder: Path, count: int, seed: int) -> tuple[collections.Counter, float]:
    """Reads `count` damaged files: how many were read or refused, and the longest time (s).

    Any other exception than the reader's own is passed on; the file stays in `folder`.
    """
    random = np.random.RandomState(seed)
    sources = targets()
    path = folder / "damaged.pth"
    outcomes, longest = collections.Counter(), 0.0
    for i in range(count):
        content, pack = sources[i % len(sources)]
        path.write_bytes(pack(mutate(content, random)))
        start = time.perf_counter()
        try:
            read_torch_file(path)
            outcomes["read"] += 1
        except UserError:
            outcomes["refused"] += 1
        longest = max(longest, time.perf_counter() - start)
    return outcomes, longest


if __name__ == "__main__":
    print(*fuzz(Path(tempfile.mkdtemp()), int(sys.argv[1]), int(sys.argv[2])))
