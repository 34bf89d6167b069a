"""MP4, AVI and MKV files as trees of elements, so that fuzzers reach the fields of their headers.

`parse` and `join` are each other's inverse on intact files.
"""

import dataclasses
import random

MP4, AVI, MKV = "mp4", "avi", "mkv"
# What holds other elements; everything else is bytes.
MP4_TREES = b"moov trak mdia minf dinf stbl edts mvex moof traf mfra udta".split()
AVI_TREES = (b"RIFF", b"LIST")
MKV_NAMES = (
    "1a45dfa3 18538067 114d9b74 4dbb 1549a966 1654ae6b ae e0 e1 7670 1f43b675 a0 75a1 a6 "
    "1c53bb6b bb b7 1254c367 7373 63c0 67c8 1941a469 61a7"
)
MKV_TREES = [bytes.fromhex(name) for name in MKV_NAMES.split()]
LARGEST = 64  # bytes of a field's element; more are frames


@dataclasses.dataclass
class Element:
    """A box of MP4, a chunk of AVI or an element of Matroska."""

    name: bytes
    content: "bytes | list[Element]"
    width: int = 4  # bytes of the size
    size: int | None = None  # instead of the true one


def kind_of(data: bytes) -> str:
    if data.startswith(b"RIFF"):
        return AVI
    return MKV if data.startswith(MKV_TREES[0]) else MP4


def parse(kind: str, data: bytes) -> list[Element]:
    return {MP4: _parse_mp4, AVI: _parse_avi, MKV: _parse_mkv}[kind](data)


def join(kind: str, elements: list[Element]) -> bytes:
    return b"".join(map({MP4: _join_mp4, AVI: _join_avi, MKV: _join_mkv}[kind], elements))


def mutate(data: bytes, rng: random.Random) -> bytes:
    """The file with damages that keep its structure, or break it at one place."""
    kind = kind_of(data)
    tree = parse(kind, data)
    for _ in range(rng.choice([1, 1, 2, 4])):
        places = list(_places(tree))
        if not places:
            break
        siblings, place = rng.choice(places)
        element, action = siblings[place], rng.random()
        if action < 0.6:
            if isinstance(element.content, bytes):
                element.content = _with_other_field(kind, element.content, rng)
        elif action < 0.7:
            element.size = _number(rng, len(join(kind, [element])), 4)
        elif action < 0.8:
            del siblings[place]
        elif action < 0.9:
            siblings.insert(rng.randrange(len(siblings) + 1), element)
        elif action < 0.95:
            siblings.insert(rng.randrange(len(siblings)), siblings.pop(place))
        else:
            others, other = rng.choice(places)
            element.name = others[other].name
    return join(kind, tree)


def _places(elements: list[Element], depth: int = 0):
    """Every element, as the list that it is in and its place there; frames seldom."""
    for place, element in enumerate(elements):
        if isinstance(element.content, list):
            if depth < 12:
                yield from _places(element.content, depth + 1)
        elif len(element.content) > LARGEST and place % 8:
            continue
        yield elements, place


def _with_other_field(kind: str, content: bytes, rng: random.Random) -> bytes:
    if not content:
        return content
    width = min(rng.choice([1, 2, 4, 4, 8]), len(content))
    # Fields of MP4 and AVI are aligned; those of Matroska are whole elements.
    at = 0 if kind == MKV else rng.randrange(len(content) // width) * width
    order = "little" if kind == AVI else "big"
    old = int.from_bytes(content[at : at + width], order)
    return content[:at] + _number(rng, old, width).to_bytes(width, order) + content[at + width :]


def _number(rng: random.Random, old: int, width: int) -> int:
    bits = 8 * width
    bit = 1 << rng.randrange(bits)
    limits = [0, 1, 2**bits - 1, 2 ** (bits - 1), 2 ** (bits - 1) - 1]
    near = [old + 1, old - 1, 2 * old, old // 2, -old, old ^ bit]
    new = rng.choice([*limits, *near, bit, rng.getrandbits(bits)])
    return new % (1 << bits)


def _parse_mp4(data: bytes) -> list[Element]:
    elements, at = [], 0
    while at < len(data):
        size, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        content = data[at + 8 : at + size]
        elements.append(Element(name, _parse_mp4(content) if name in MP4_TREES else content))
        at += size
    return elements


def _join_mp4(element: Element) -> bytes:
    content = _content(MP4, element)
    size = len(content) + 8 if element.size is None else element.size
    return size.to_bytes(4, "big") + element.name + content


def _parse_avi(data: bytes) -> list[Element]:
    elements, at = [], 0
    while at < len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        content = data[at + 8 : at + 8 + size]
        if name in AVI_TREES:  # a list says of what
            name, content = name + content[:4], _parse_avi(content[4:])
        elements.append(Element(name, content))
        at += 8 + size + size % 2
    return elements


def _join_avi(element: Element) -> bytes:
    content = element.name[4:] + _content(AVI, element)
    size = len(content) if element.size is None else element.size
    return element.name[:4] + size.to_bytes(4, "little") + content + bytes(len(content) % 2)


def _parse_mkv(data: bytes) -> list[Element]:
    elements, at = [], 0
    while at < len(data):
        name = data[at : at + 9 - data[at].bit_length()]
        at += len(name)
        width = 9 - data[at].bit_length()
        size = int.from_bytes(data[at : at + width], "big") - (1 << 7 * width)
        content = data[at + width : at + width + size]
        tree = name in MKV_TREES
        elements.append(Element(name, _parse_mkv(content) if tree else content, width))
        at += width + size
    return elements


def _join_mkv(element: Element) -> bytes:
    content = _content(MKV, element)
    size = len(content) if element.size is None else element.size
    width = max(element.width, -(-(size + 1).bit_length() // 7))
    return element.name + (size + (1 << 7 * width)).to_bytes(width, "big") + content


def _content(kind: str, element: Element) -> bytes:
    return element.content if isinstance(element.content, bytes) else join(kind, element.content)
