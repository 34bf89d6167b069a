"""Reads plain data from a pickle; nothing that it names is imported or called.

A pickle is a program for a small stack machine. This one knows the instructions that PyTorch's
files are made of, and builds only None, booleans, numbers, strings, lists, tuples, dictionaries
and the three inert records below. What a file says costs memory and time in proportion to its
length, and no more than MAX_INSTRUCTIONS allow.
"""

import dataclasses
import pickle  # for the names of its instructions
import struct
from collections.abc import Collection
from typing import Any

# The pickle of the largest network of the paper has about 100,000.
MAX_INSTRUCTIONS = 1_000_000


@dataclasses.dataclass(frozen=True)
class Global:
    """The name of a class or function; it stays a name."""

    name: str


@dataclasses.dataclass(frozen=True)
class Call:
    """A call that the pickle asks for and that is not made."""

    function: str
    arguments: tuple


@dataclasses.dataclass(frozen=True)
class Persistent:
    """What the file says about something that is stored outside the pickle."""

    identity: Any


def read_pickle(data: bytes, position: int, names: Collection[str]) -> tuple[Any, int]:
    """The value of the pickle that starts at `position`, and where the next byte after it is.

    Calls of `collections.OrderedDict` give dictionaries; the state of objects is left out.

    Args:
      names: the classes and functions that may be named, "collections.OrderedDict" among them.

    Raises:
      ValueError: the pickle is damaged, names something else, or is too long.
    """
    machine = _Machine(data, position, names)
    for _ in range(MAX_INSTRUCTIONS):
        instruction = machine.take(1)
        if instruction == pickle.STOP:
            return machine.pop(), machine.position
        machine.run(instruction)
    raise ValueError(f"it has more than {MAX_INSTRUCTIONS} instructions")


class _Machine:
    """The stack, the marks on it, the memo, and the place in the file."""

    def __init__(self, data, position, names):
        self.position = position
        self._data = data
        self._names = names
        self._stack = []
        self._below = []  # the stacks below each mark
        self._memo = {}

    def take(self, length):
        """The next bytes."""
        end = self.position + length
        if end > len(self._data):
            raise ValueError("it ends too early")
        taken = self._data[self.position : end]
        self.position = end
        return taken

    def pop(self):
        """The topmost value, above the last mark."""
        if not self._stack:
            raise ValueError("it takes a value that is not there")
        return self._stack.pop()

    def run(self, instruction):
        """Carries out one instruction, in order of how often files use them."""
        match instruction:
            case pickle.BINPUT:
                self._put(self._number("B"))
            case pickle.LONG_BINPUT:
                self._put(self._number("I"))
            case pickle.BINGET:
                self._get(self._number("B"))
            case pickle.LONG_BINGET:
                self._get(self._number("I"))
            case pickle.BININT1:
                self._push(self._number("B"))
            case pickle.BININT2:
                self._push(self._number("H"))
            case pickle.BININT:
                self._push(self._number("i"))
            case pickle.BINUNICODE:
                self._push(self.take(self._number("I")).decode())
            case pickle.MARK:
                self._below.append(self._stack)
                self._stack = []
            case pickle.TUPLE:
                self._push(tuple(self._pop_to_mark()))
            case pickle.EMPTY_TUPLE | pickle.TUPLE1 | pickle.TUPLE2 | pickle.TUPLE3:
                length = b")\x85\x86\x87".index(instruction)
                self._push(tuple(reversed([self.pop() for _ in range(length)])))
            case pickle.BINPERSID:
                self._push(Persistent(self.pop()))
            case pickle.REDUCE:
                arguments = self._pop_a(tuple)
                self._push(_call(self._pop_a(Global).name, arguments))
            case pickle.NONE:
                self._push(None)
            case pickle.NEWTRUE:
                self._push(True)
            case pickle.NEWFALSE:
                self._push(False)
            case pickle.EMPTY_DICT:
                self._push({})
            case pickle.SETITEM:
                value = self.pop()
                self._set_items([self.pop(), value])
            case pickle.SETITEMS:
                self._set_items(self._pop_to_mark())
            case pickle.EMPTY_LIST:
                self._push([])
            case pickle.APPEND:
                self._extend([self.pop()])
            case pickle.APPENDS:
                self._extend(self._pop_to_mark())
            case pickle.GLOBAL:
                self._push(self._global())
            case pickle.BUILD:
                self.pop()  # such as the versions of a network's layers
            case pickle.LONG1:
                self._push(int.from_bytes(self.take(self._number("B")), "little", signed=True))
            case pickle.BINFLOAT:
                self._push(struct.unpack(">d", self.take(8))[0])
            case pickle.PROTO:
                if (version := self._number("B")) != 2:
                    raise ValueError(f"it has the pickle protocol {version}, not 2")
            case _:
                raise ValueError(f"it has the instruction {instruction!r}, which no weights need")

    def _number(self, layout):
        return struct.unpack(f"<{layout}", self.take(struct.calcsize(layout)))[0]

    def _push(self, value):
        self._stack.append(value)

    def _pop_a(self, kind):
        value = self.pop()
        if not isinstance(value, kind):
            raise ValueError(f"it has a {type(value).__name__} in the place of a {kind.__name__}")
        return value

    def _pop_to_mark(self):
        if not self._below:
            raise ValueError("it takes a mark that is not there")
        items, self._stack = self._stack, self._below.pop()
        return items

    def _put(self, index):
        value = self.pop()
        self._memo[index] = value
        self._push(value)

    def _get(self, index):
        if index not in self._memo:
            raise ValueError(f"it takes the value {index}, which was not stored")
        self._push(self._memo[index])

    def _set_items(self, items):
        keys, values = items[::2], items[1::2]
        # Strings alone are safe keys: hashes of others may collide by design, or recurse deeply.
        if len(keys) != len(values) or not all(isinstance(key, str) for key in keys):
            raise ValueError("it has a dictionary whose keys are no names")
        target = self._pop_a(dict)
        target.update(zip(keys, values, strict=True))
        self._push(target)

    def _extend(self, items):
        target = self._pop_a(list)
        target.extend(items)
        self._push(target)

    def _global(self):
        module, name = self._line(), self._line()
        if f"{module}.{name}" not in self._names:
            raise ValueError(f"it asks for {f'{module}.{name}'[:100]!r}, which no weights need")
        return Global(f"{module}.{name}")

    def _line(self):
        end = self._data.find(b"\n", self.position)
        if end < 0:
            raise ValueError("it ends too early")
        line = self.take(end - self.position).decode()
        self.take(1)
        return line


def _call(function, arguments):
    if function != "collections.OrderedDict":
        return Call(function, arguments)
    if arguments:
        raise ValueError("it makes a dictionary with arguments")
    return {}
