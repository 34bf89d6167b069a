"""Reads state dicts saved by PyTorch, without PyTorch and without unpickling.

Two layouts, both little endian. The legacy one (before PyTorch 1.6) is a row of pickles: a magic
number, the version, the machine, the state dict, the list of storage keys; then the storages in
the order of that list, each with its number of values before it. The newer one is a zip archive,
not compressed, with the state dict in `data.pkl` and storage k in `data/k`. In both, tensors are
windows (offset, shape, strides) on storages.
"""

import dataclasses
import functools
import io
import math
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from iicnet_jax.core.errors import UserError, explaining
from iicnet_jax.weights.pickle_data import Call, Global, Persistent, read_pickle

# The largest network of the paper takes less than 200 MB and 1,300 tensors.
MAX_BYTES = 2**30
MAX_TENSORS = 10_000
MAX_DIMENSIONS = 8

_DTYPES = {
    "torch.DoubleStorage": np.dtype("<f8"),
    "torch.FloatStorage": np.dtype("<f4"),
    "torch.HalfStorage": np.dtype("<f2"),
    "torch.LongStorage": np.dtype("<i8"),
    "torch.IntStorage": np.dtype("<i4"),
    "torch.ShortStorage": np.dtype("<i2"),
    "torch.CharStorage": np.dtype("i1"),
    "torch.ByteStorage": np.dtype("u1"),
}
_TENSORS = ("torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2")
_PARAMETER = "torch._utils._rebuild_parameter"
_NAMES = frozenset({"collections.OrderedDict", _PARAMETER, *_TENSORS, *_DTYPES})

_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
_PROTOCOL_VERSION = 1001
_ZIP_START = b"PK\x03\x04"
_ZIP_ENTRY = b"PK\x01\x02"  # in the table of contents
_PREFIX = "module."  # of names in networks that were trained on several GPUs


def read_torch_file(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a state dict by name, without the `module.` of parallel training.

    The arrays are read-only windows on what has been read. Whatever the file holds, none of it is
    executed, and memory and time stay in proportion to its size.

    Raises:
      UserError: there is no such file, or it is no state dict, or it is damaged.
    """
    path = Path(path)
    try:
        if not path.is_file():
            raise UserError(f"there is no file {path}")
        if path.stat().st_size > MAX_BYTES:
            raise UserError(
                f"{path} has {path.stat().st_size:,} bytes, and weights of this network have less "
                f"than {MAX_BYTES:,}: name a file with the weights alone"
            )
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from error
    problem = "is damaged or holds no weights as PyTorch's torch.save(state_dict) writes them"
    with explaining(f"{path} {problem}"):
        return _read(data)


@dataclasses.dataclass(frozen=True)
class _Storage:
    """What a pickle says about a storage."""

    dtype: np.dtype
    key: str
    length: int


# Gives the bytes of a storage.
_Locate = Callable[[_Storage], memoryview]


def _read(data):
    state_dict, locate = _read_zip(data) if data.startswith(_ZIP_START) else _read_legacy(data)
    if not isinstance(state_dict, dict):
        raise ValueError(f"it holds a {type(state_dict).__name__}, not a dictionary of tensors")
    if not 0 < len(state_dict) <= MAX_TENSORS:
        raise ValueError(f"it holds {len(state_dict)} entries, not 1 to {MAX_TENSORS}")
    arrays = {}
    for name, value in state_dict.items():
        try:
            arrays[name.removeprefix(_PREFIX)] = _tensor(value, locate)
        except ValueError as error:
            raise ValueError(f"{name[:100]!r}: {error}") from error
    if len(arrays) < len(state_dict):
        raise ValueError(f"it has names both with and without {_PREFIX!r}")
    # Many windows on one storage would be small in the file and large once they are copied.
    if sum(array.nbytes for array in arrays.values()) > len(data):
        raise ValueError("its tensors are larger than the file")
    return arrays


def _read_legacy(data):
    magic, position = read_pickle(data, 0, ())
    version, position = read_pickle(data, position, ())
    if (magic, version) != (_MAGIC_NUMBER, _PROTOCOL_VERSION):
        raise ValueError("it does not begin as such files do")
    machine, position = read_pickle(data, position, ())
    if not isinstance(machine, dict) or machine.get("little_endian") is not True:
        raise ValueError("it was not written by a little-endian machine")
    state_dict, position = read_pickle(data, position, _NAMES)
    keys, position = read_pickle(data, position, ())
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise ValueError("it has no list of storages")
    # How long a storage is depends on its dtype, which only the state dict knows.
    storages = {storage.key: storage for storage in _storages(state_dict)}
    if len(keys) != len(storages) or set(keys) != storages.keys():
        raise ValueError("its list of storages is not that of its tensors")
    places = {}
    for key in keys:
        header = data[position : position + 8]
        length = struct.unpack("<q", header)[0] if len(header) == 8 else None
        size = storages[key].length * storages[key].dtype.itemsize
        start, position = position + 8, position + 8 + size
        if length != storages[key].length:
            raise ValueError("its storages have other sizes than it says, or are missing")
        places[key] = memoryview(data)[start:position]
    return state_dict, lambda storage: places[storage.key]


def _read_zip(data):
    if data.count(_ZIP_ENTRY) > MAX_TENSORS:
        raise ValueError(f"it is an archive of more than {MAX_TENSORS} files")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except Exception as error:  # zipfile raises many kinds for broken archives
        raise ValueError(f"it is no zip archive ({error})") from error
    # Entries may share bytes, or be compressed a thousandfold.
    if sum(info.file_size for info in archive.infolist()) > len(data):
        raise ValueError("what it unpacks to is larger than the file")
    pickles = [name for name in archive.namelist() if name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise ValueError(f"it is an archive with {len(pickles)} data.pkl, not one")
    folder = pickles[0].removesuffix("data.pkl")

    @functools.cache
    def member(name):
        try:
            return archive.read(folder + name)
        except Exception as error:
            raise ValueError(f"{name[:100]!r} in the archive cannot be read ({error})") from error

    if f"{folder}byteorder" in archive.namelist() and member("byteorder") != b"little":
        raise ValueError("it was not written by a little-endian machine")
    state_dict, _ = read_pickle(member("data.pkl"), 0, _NAMES)
    return state_dict, lambda storage: memoryview(member(f"data/{storage.key}"))


def _storages(state_dict):
    """What the tensors of the state dict say about their storages."""
    values = state_dict.values() if isinstance(state_dict, dict) else ()
    return [_window(value)[0] for value in values]


def _tensor(value, locate: _Locate) -> np.ndarray:
    storage, offset, shape, strides = _window(value)
    raw, item = locate(storage), storage.dtype.itemsize
    if len(raw) != storage.length * item:
        raise ValueError(f"its storage has {len(raw)} bytes, not {storage.length} values")
    # Where a dimension is 1 its stride is never used, and may be anything.
    steps = [stride if size > 1 else 0 for size, stride in zip(shape, strides, strict=True)]
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, steps, strict=True))
    if not 0 < math.prod(shape) <= storage.length or last >= storage.length:
        raise ValueError(f"it is no part of its storage of {storage.length} values")
    in_bytes = [stride * item for stride in steps]
    return np.ndarray(shape, storage.dtype, raw, offset * item, in_bytes)


def _window(value) -> tuple[_Storage, int, tuple, tuple]:
    """Storage, offset, shape and strides of a tensor, in values."""
    if isinstance(value, Call) and value.function == _PARAMETER and value.arguments:
        value = value.arguments[0]
    if not isinstance(value, Call) or value.function not in _TENSORS or len(value.arguments) < 4:
        raise ValueError(f"it holds a {type(value).__name__}, not a tensor")
    storage, offset, shape, strides = value.arguments[:4]
    if not isinstance(shape, tuple) or not isinstance(strides, tuple):
        raise ValueError("its shape or its strides are no tuple")
    if not len(shape) == len(strides) <= MAX_DIMENSIONS:
        raise ValueError(f"it has {len(shape)} dimensions and {len(strides)} strides")
    if not all(_is_size(number) for number in (offset, *shape, *strides)):
        raise ValueError("its offset, shape or strides are no sizes")
    return _storage(storage), offset, shape, strides


def _storage(value) -> _Storage:
    match value:
        # The newer layout has five entries; in the older one, a sixth is for storages that are
        # themselves windows, which state dicts do not have.
        case Persistent(
            ("storage", Global(kind), str(key), _, length)
            | ("storage", Global(kind), str(key), _, length, None)
        ) if kind in _DTYPES and _is_size(length):
            return _Storage(_DTYPES[kind], key, length)  # type: ignore[arg-type]
    raise ValueError("its storage is described in a way that is not known")


def _is_size(value) -> bool:
    return type(value) is int and value >= 0
