"""PyTorch's weight files, whole or hostile, written instruction by instruction."""

import io
import math
import struct
import zipfile
from collections import OrderedDict

import numpy as np

from iicnet_jax.weights.pickle_data import Call, Global, Persistent

LAYOUTS = ("legacy", "zip")
KINDS = {
    "f8": "Double",
    "f4": "Float",
    "f2": "Half",
    "i8": "Long",
    "i4": "Int",
    "i2": "Short",
    "i1": "Char",
    "u1": "Byte",
}


def weight_file(layout: str, arrays) -> bytes:
    """What torch.save writes for a state dict of these arrays."""
    arrays = {name: np.asarray(array) for name, array in arrays.items()}
    storages = {str(94000 + i): array for i, array in enumerate(arrays.values())}
    tensors = {
        name: tensor(key, array.shape, kind=storage_kind(array), legacy=layout == "legacy")
        for (name, array), key in zip(arrays.items(), storages, strict=True)
    }
    return file_of(layout, tensors, storages)


def storage_kind(array) -> str:
    return f"torch.{KINDS[array.dtype.str[1:]]}Storage"


def tensor(
    key, shape, *, offset=0, strides=None, length=None, kind="torch.FloatStorage", legacy=True
) -> Call:
    """A tensor of a state dict; contiguous and as large as its storage unless told otherwise."""
    if strides is None:
        strides = tuple(math.prod(shape[i + 1 :]) for i in range(len(shape)))
    length = math.prod(shape) if length is None else length
    storage = ("storage", Global(kind), key, "cpu", length, *([None] if legacy else []))
    arguments = (Persistent(storage), offset, tuple(shape), strides, False, OrderedDict())
    return Call("torch._utils._rebuild_tensor_v2", arguments)


def file_of(layout, state_dict, storages) -> bytes:
    """A file with any state dict and any storages."""
    if layout == "zip":
        return zip_file({"data.pkl": pickled(OrderedDict(state_dict))}, storages)
    machine = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}
    head = [0x1950A86A20F9469CFC6C, 1001, machine, OrderedDict(state_dict), list(storages)]
    data = [struct.pack("<q", array.size) + array.tobytes() for array in storages.values()]
    return b"".join([*map(pickled, head), *data])


def zip_file(members, storages=None, compression=zipfile.ZIP_STORED) -> bytes:
    """The newer layout, with any members."""
    members = {"version": b"3\n", "byteorder": b"little", **members}
    members |= {f"data/{key}": array.tobytes() for key, array in (storages or {}).items()}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(f"latest/{name}", content)
    return stream.getvalue()


def members_of(content: bytes) -> dict[str, bytes]:
    """What `zip_file` was made of."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name.removeprefix("latest/"): archive.read(name) for name in archive.namelist()}


def pickled(value) -> bytes:
    """A pickle of protocol 2, as Python writes it."""
    return b"\x80\x02" + b"".join(_instructions(value, {})) + b"."


def _instructions(value, memo):
    """Of an ordered dictionary also the state that state dicts have."""
    if isinstance(value, (str, Global)) and (key := getattr(value, "name", value)) in memo:
        yield b"h" + bytes([memo[key]])
        return
    match value:
        case None:
            yield b"N"
        case bool():
            yield b"\x88" if value else b"\x89"
        case int() if 0 <= value < 256:
            yield b"K" + bytes([value])
        case int() if 0 <= value < 2**31:
            yield b"J" + struct.pack("<i", value)
        case int():
            content = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            yield b"\x8a" + bytes([len(content)]) + content
        case float():
            yield b"G" + struct.pack(">d", value)
        case str():
            yield b"X" + struct.pack("<I", len(value.encode())) + value.encode()
            yield from _remember(value, memo)
        case Global():
            yield b"c" + "{}\n{}\n".format(*value.name.rsplit(".", 1)).encode()
            yield from _remember(value.name, memo)
        case tuple():
            yield b"("
            for item in value:
                yield from _instructions(item, memo)
            yield b"t"
        case list():
            yield b"](" + b"".join(b"".join(_instructions(item, memo)) for item in value) + b"e"
        case OrderedDict():
            yield from _instructions(Global("collections.OrderedDict"), memo)
            yield b")R"
            yield from _items(value, memo)
            yield from _instructions({"_metadata": {"": {"version": 1}}}, memo)
            yield b"b"
        case dict():
            yield b"}"
            yield from _items(value, memo)
        case Call(function, arguments):
            yield from _instructions(Global(function), memo)
            yield from _instructions(arguments, memo)
            yield b"R"
        case Persistent(identity):
            yield from _instructions(identity, memo)
            yield b"Q"


def _items(value, memo):
    yield b"("
    for item in value.items():
        for part in item:
            yield from _instructions(part, memo)
    yield b"u"


def _remember(key, memo):
    if len(memo) < 256:
        memo[key] = len(memo)
        yield b"q" + bytes([memo[key]])
