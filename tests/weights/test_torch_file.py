"""Weight files of PyTorch: what is read, and that no file can do harm."""

import io
import pathlib
import pickle
import struct
import tracemalloc
import zipfile
from collections import OrderedDict

import numpy as np
import pytest

from iicnet_jax.core.errors import UserError
from iicnet_jax.weights import pickle_data, torch_file
from iicnet_jax.weights.pickle_data import Call, read_pickle
from iicnet_jax.weights.torch_file import read_torch_file
from tests.torch_files import (
    KINDS,
    LAYOUTS,
    file_of,
    members_of,
    pickled,
    tensor,
    weight_file,
    zip_file,
)
from tests.weights.fuzzing import fuzz

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
VALUES = np.arange(24, dtype=np.float32)


@pytest.fixture
def read(tmp_path):
    """Reads a file of these bytes."""

    def read(content):
        path = tmp_path / "latest.pth"
        path.write_bytes(content)
        return read_torch_file(path)

    return read


@pytest.fixture(params=LAYOUTS)
def layout(request):
    return request.param


@pytest.fixture
def window(read, layout):
    """Reads one tensor on a storage of 24 values."""

    def window(**arguments):
        arguments = {"key": "0", "shape": (2, 3), "length": 24} | arguments
        state_dict = {"weight": tensor(**arguments, legacy=layout == "legacy")}
        return read(file_of(layout, state_dict, {"0": VALUES}))["weight"]

    return window


@pytest.mark.parametrize("dtype", KINDS)
def test_values_and_types_are_those_of_the_file(read, layout, dtype):
    arrays = {"weight": np.arange(24).reshape(2, 3, 4).astype(dtype), "bias": np.ones(1, dtype)}
    tensors = read(weight_file(layout, arrays))
    assert list(tensors) == ["weight", "bias"]
    for name, array in arrays.items():
        assert tensors[name].dtype == array.dtype
        np.testing.assert_array_equal(tensors[name], array)


def test_the_pickles_of_pytorch_itself_are_read(read):
    file = (GOLDEN / "official_n3.pth").read_bytes()
    state_dict, keys, end = unpickled(file)
    # Every value says which storage it is in; the storages follow in the order of their keys.
    lengths = {key: length for key, length, *_ in state_dict.values()}
    storages = [np.full(lengths[key], i, np.float32) for i, key in enumerate(keys)]
    tail = [struct.pack("<q", len(storage)) + storage.tobytes() for storage in storages]
    tensors = read(file[:end] + b"".join(tail))
    assert list(tensors) == list(state_dict) and len(tensors) == 216
    for name, (key, _, shape) in state_dict.items():
        assert tensors[name].shape == shape and tensors[name].flags.c_contiguous
        assert (tensors[name] == keys.index(key)).all()


def unpickled(file):
    """Python's own reading of the legacy layout's pickles, and where they end."""

    class Unpickler(pickle.Unpickler):
        def persistent_load(self, identity):
            return identity[2], identity[4]

        def find_class(self, module, name):
            if name == "OrderedDict":
                return OrderedDict
            return lambda storage, offset, shape, *_: (*storage, shape)

    stream = io.BytesIO(file)
    *_, state_dict, keys = [Unpickler(stream).load() for _ in range(5)]
    return state_dict, keys, stream.tell()


def test_the_prefix_of_parallel_training_is_left_out(read, layout):
    arrays = {"module.a.module.b": VALUES, "c": VALUES}
    assert list(read(weight_file(layout, arrays))) == ["a.module.b", "c"]


def test_a_name_may_not_be_there_both_with_and_without_the_prefix(read, layout):
    with pytest.raises(UserError, match="both with and without 'module.'"):
        read(weight_file(layout, {"module.a": VALUES, "a": VALUES}))


def test_offset_and_strides_are_honoured(window):
    value = window(shape=(3, 2), offset=5, strides=(1, 12))
    np.testing.assert_array_equal(value, [[5, 17], [6, 18], [7, 19]])


def test_the_stride_of_a_single_row_means_nothing(window):
    np.testing.assert_array_equal(window(shape=(1, 2), strides=(10**30, 1)), [[0, 1]])


def test_a_number_is_a_tensor_too(window):
    assert window(shape=(), strides=(), offset=23) == 23


def test_tensors_may_share_a_storage(read, layout):
    windows = {
        name: tensor("0", (12,), offset=offset, length=24, legacy=layout == "legacy")
        for name, offset in {"first": 0, "second": 12}.items()
    }
    tensors = read(file_of(layout, windows, {"0": VALUES}))
    np.testing.assert_array_equal([tensors["first"], tensors["second"]], VALUES.reshape(2, 12))


def test_parameters_are_tensors(read):
    parameter = Call("torch._utils._rebuild_parameter", (tensor("0", (24,)), True, OrderedDict()))
    tensors = read(file_of("legacy", {"weight": parameter}, {"0": VALUES}))
    np.testing.assert_array_equal(tensors["weight"], VALUES)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"offset": 19}, "no part of its storage of 24 values"),
        ({"strides": (22, 1)}, "no part of its storage"),
        ({"strides": (10**30, 1)}, "no part of its storage"),
        ({"offset": 10**30}, "no part of its storage"),
        ({"shape": (10**6, 10**6), "strides": (0, 0)}, "no part of its storage"),
        ({"shape": (0, 3)}, "no part of its storage"),
        ({"offset": -1}, "no sizes"),
        ({"strides": (-1, 1)}, "no sizes"),
        ({"shape": (-2, -3)}, "no sizes"),
        ({"shape": (True, 3)}, "no sizes"),
        ({"shape": (2.0, 3)}, "no sizes"),
        ({"strides": (1,)}, "2 dimensions and 1 strides"),
        ({"shape": (1,) * 9}, "9 dimensions"),
        ({"strides": [3, 1]}, "no tuple"),
        ({"key": None}, "described in a way that is not known"),
        ({"length": -1}, "described in a way"),
        ({"kind": "collections.OrderedDict"}, "described in a way"),
        ({"kind": "torch.BFloat16Storage"}, "asks for 'torch.BFloat16Storage'"),
        ({"kind": "torch.DoubleStorage"}, "storage"),
        ({"length": 10**15}, "storage"),
        ({"length": 10**40}, "storage"),
        ({"length": 23}, "storage"),
        ({"key": "1"}, "storage|data/1"),
    ],
)
def test_tensors_that_reach_beyond_the_file_are_refused(window, arguments, message):
    with pytest.raises(UserError, match=message):
        window(**arguments)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1, 2], "holds a list, not a dictionary"),
        ({}, "holds 0 entries"),
        ({"epoch": 3}, "'epoch': it holds a int, not a tensor"),
        ({"state_dict": {"a": None}}, "'state_dict': it holds a dict"),
        ({"a": Call("torch._utils._rebuild_tensor_v2", ())}, "holds a Call"),
        ({"a": Call("torch._utils._rebuild_parameter", ())}, "holds a Call"),
        ({3: None}, "keys are no names"),
        ({(): None}, "keys are no names"),
        (Call("collections.OrderedDict", ([["a", None]],)), "dictionary with arguments"),
    ],
)
def test_other_things_than_state_dicts_are_refused(read, value, message):
    with pytest.raises(UserError, match=message):
        read(zip_file({"data.pkl": pickled(value)}))


@pytest.mark.parametrize("name", ["posix.system", "builtins.eval", "torch.load", "numpy.load"])
def test_what_a_file_names_is_neither_imported_nor_called(read, layout, name):
    with pytest.raises(UserError, match=f"asks for '{name}', which no weights need"):
        read(file_of(layout, {"a": Call(name, ("exit 1",))}, {}))


def instructions(code):
    return b"\x80\x02" + code + b"."


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (b"", "takes a value that is not there"),
        (b"R", "takes a value that is not there"),
        (b"t", "takes a mark that is not there"),
        (b"(1", "instruction b'1'"),
        (b"h\x07", "takes the value 7, which was not stored"),
        (b"j\xff\xff\xff\xff", "which was not stored"),
        (b"}}R", "a dict in the place of a tuple"),
        (b"})R", "a dict in the place of a Global"),
        (b"]NNs", "keys are no names"),
        (b"](X\x01\x00\x00\x00aNu", "a list in the place of a dict"),
        (b"}(X\x01\x00\x00\x00au", "keys are no names"),
        (b"}Na", "a dict in the place of a list"),
        (b"X\xff\xff\xff\xffabc", "ends too early"),
        (b"X\x01\x00\x00\x00\xff", "codec can't decode"),
        (b"\x8a\xff\x00", "ends too early"),
        (b"cposix", "ends too early"),
        (b"\x80\x04", "pickle protocol 4"),
        (b"I1\n", "instruction b'I'"),
        (b"\x8b\xff\xff\xff\x7f", "instruction b"),
        (b"\x8d" + b"\xff" * 8, "instruction b"),
        (b"(" * 5000, "takes a value that is not there"),
    ],
)
def test_pickles_that_python_would_stumble_over_are_refused(read, code, message):
    with pytest.raises(UserError, match=message):
        read(zip_file({"data.pkl": instructions(code)}))


def test_endless_pickles_are_refused(read, monkeypatch):
    monkeypatch.setattr(pickle_data, "MAX_INSTRUCTIONS", 1000)
    with pytest.raises(UserError, match="more than 1000 instructions"):
        read(zip_file({"data.pkl": instructions(b"N" * 1000)}))


@pytest.mark.parametrize("code", [b")" + b"\x85" * 100_000, b")" + b"Q" * 100_000])
def test_deep_nesting_is_only_deep(code):
    value, end = read_pickle(instructions(code), 0, ())
    assert end == len(code) + 3
    del value  # Frees many objects, one inside the other.


def test_a_high_place_in_the_memo_takes_no_memory():
    tracemalloc.start()
    value, _ = read_pickle(instructions(b"Nr\xff\xff\xff\xffj\xff\xff\xff\xff"), 0, ())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert value is None and peak < 100_000


def test_many_windows_on_one_storage_are_refused(read, layout):
    windows = {str(i): tensor("0", (1000,), legacy=layout == "legacy") for i in range(100)}
    with pytest.raises(UserError, match="its tensors are larger than the file"):
        read(file_of(layout, windows, {"0": np.ones(1000, np.float32)}))


def test_compressed_archives_are_refused(read):
    arrays = {"weight": np.zeros(10**6, np.float32)}
    members = members_of(weight_file("zip", arrays))
    with pytest.raises(UserError, match="what it unpacks to is larger than the file"):
        read(zip_file(members, compression=zipfile.ZIP_DEFLATED))


def test_archives_of_very_many_files_are_refused(read, monkeypatch):
    monkeypatch.setattr(torch_file, "MAX_TENSORS", 3)
    with pytest.raises(UserError, match="an archive of more than 3 files"):
        read(weight_file("zip", {"weight": VALUES, "bias": VALUES}))


@pytest.mark.parametrize("members", [{}, {"data.pkl": b"", "a/data.pkl": b""}])
def test_archives_without_a_single_pickle_are_refused(read, members):
    with pytest.raises(UserError, match="data.pkl, not one"):
        read(zip_file(members))


def test_other_byte_orders_are_refused(read):
    members = members_of(weight_file("zip", {"weight": VALUES})) | {"byteorder": b"big"}
    with pytest.raises(UserError, match="not written by a little-endian machine"):
        read(zip_file(members))
    content = weight_file("legacy", {"weight": VALUES})
    little = pickled("little_endian")[2:-1] + b"\x88"
    little = little[: 5 + len("little_endian")]
    start = content.index(little) + len(little) + 2
    assert content[start : start + 1] == b"\x88"
    with pytest.raises(UserError, match="not written by a little-endian machine"):
        read(content[:start] + b"\x89" + content[start + 1 :])


def test_storages_of_another_length_are_refused(read):
    content = weight_file("legacy", {"weight": VALUES})
    storage = struct.pack("<q", 24) + VALUES.tobytes()
    assert content.endswith(storage)
    for length in (23, 25, -1, 2**62):
        with pytest.raises(UserError, match="storages have other sizes"):
            read(content[: -len(storage)] + struct.pack("<q", length) + VALUES.tobytes())


def test_a_storage_may_not_be_left_out_of_the_list_or_added(read):
    windows = {"a": tensor("0", (24,)), "b": tensor("1", (24,))}
    for keys in (["0"], ["0", "1", "2"], ["0", "2"]):
        with pytest.raises(UserError, match="list of storages"):
            read(file_of("legacy", windows, dict.fromkeys(keys, VALUES)))


def test_cut_files_are_refused(read, layout):
    content = weight_file(layout, {"weight": VALUES, "bias": VALUES[:3]})
    for length in range(0, len(content), 7):
        with pytest.raises(UserError, match="is damaged or holds no weights"):
            read(content[:length])


@pytest.mark.parametrize("change", [(0x1950A86A20F9469CFC6C, 7), (1001, 1000)])
def test_other_rows_of_pickles_are_refused(read, change):
    before, after = (pickled(number) for number in change)
    content = weight_file("legacy", {"weight": VALUES})
    assert before in content
    with pytest.raises(UserError, match="does not begin as such files do"):
        read(content.replace(before, after))


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"{}", b"\x80\x02.", b"PK\x03\x04"])
def test_other_files_are_refused(read, content):
    with pytest.raises(UserError, match="is damaged or holds no weights"):
        read(content)


def test_paths_that_are_no_files_are_refused(tmp_path):
    for path in (tmp_path / "nowhere.pth", tmp_path):
        with pytest.raises(UserError, match="there is no file"):
            read_torch_file(path)


def test_files_that_are_too_large_are_not_read(read, monkeypatch):
    monkeypatch.setattr(torch_file, "MAX_BYTES", 100)
    with pytest.raises(UserError, match=r"has [\d,]+ bytes, .* less than 100"):
        read(weight_file("legacy", {"weight": VALUES}))


def test_hundreds_of_damaged_files_are_read_or_refused(tmp_path):
    outcomes, longest = fuzz(tmp_path, count=600, seed=1)
    assert outcomes["read"] + outcomes["refused"] == 600
    assert min(outcomes.values()) > 20
    assert longest < 5
