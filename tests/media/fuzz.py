"""Damaged and hostile picture files: each ends in a result or a UserError.

python -m tests.media.fuzz --count 10000 --seed 1
"""

import collections
import random
import struct
import tempfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from iicnet_jax.conversion.pictures import embed_files, restore_file
from iicnet_jax.media import embedding_file
from iicnet_jax.media.embedding_file import examine, inspect
from tests.media.fuzz_loop import attempt, main, repeat
from tests.media.pictures import network, noise, save

JPEG_SIGNATURE = b"\xff\xd8\xff"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_PIXELS = 1_000_000
SURVIVES = {"jpeg": 50}
INTERESTING = [0, 1, 127, 128, 255]


def seeds(folder: Path) -> list[bytes]:
    """Small valid files: embeddings with their records, and pictures of every format and kind."""
    pixels, grey = noise(9, 8), noise(9, 8, 1)[..., 0]
    paths = [save(folder / "a.png", noise(17, 16)), save(folder / "b.png", noise(17, 16, seed=1))]
    for suffix in ("png", "webp"):
        for channels in (1, 3):
            output = folder / f"embedding{channels}.{suffix}"
            embed_files(network(channels=channels), paths, output)
    for channels in (1, 3):
        output = folder / f"embedding{channels}.jpg"
        embed_files(network(channels=channels, survives=SURVIVES), paths, output)
    embeddings = sorted(folder.glob("embedding*"))
    exif = Image.Exif()
    exif[0x0112] = 6
    pictures = [
        save(folder / "turned.jpg", pixels, exif=exif, icc_profile=b"Display P3"),
        save(folder / "lossy.webp", pixels, exif=exif),
        save(folder / "grey.tif", grey),
        save(folder / "deep.tif", grey.astype(np.uint16) * 257),
        save(folder / "packed.tif", pixels, compression="tiff_lzw"),
        save(folder / "zip.tif", pixels, compression="tiff_deflate"),
        save(folder / "a.gif", grey),
        save(folder / "a.bmp", pixels),
        save(folder / "clear.png", np.dstack([pixels, grey])),
    ]
    frames = [Image.fromarray(grey), Image.fromarray(255 - grey)]
    for suffix in ("gif", "png", "webp", "tif"):
        path = folder / f"moving.{suffix}"
        frames[0].save(path, save_all=True, append_images=frames[1:])
        pictures.append(path)
    return [path.read_bytes() for path in [*embeddings, *pictures]]


def mutate(data: bytes, rng: random.Random) -> bytes:
    """A file with a few damages; half of the PNG files get their checksums put right again."""
    if data.startswith((PNG_SIGNATURE, JPEG_SIGNATURE)) and rng.random() < 0.2:
        return with_record(data, mutated_record(rng))
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 4, 16])):
        if not data:
            break
        start = rng.randrange(len(data))
        end = min(len(data), start + rng.choice([1, 2, 4, 16, 64]))
        kind = rng.randrange(7)
        if kind == 0:
            data[start] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[start] = rng.choice(INTERESTING)
        elif kind == 2:
            data[start:end] = rng.randbytes(end - start)
        elif kind == 3:
            del data[start:end]
        elif kind == 4:
            data[start:start] = data[start:end] * rng.choice([1, 1, 50])
        elif kind == 5:
            data[start:end] = bytes([rng.choice(INTERESTING)]) * (end - start)
        elif rng.random() < 0.3:
            del data[start:]
    data = bytes(data)
    return with_checksums(data) if rng.random() < 0.5 else data


def with_checksums(data: bytes) -> bytes:
    """The same PNG file with the CRC of every chunk that can be found made right."""
    if not data.startswith(PNG_SIGNATURE):
        return data
    fixed, position = bytearray(data), len(PNG_SIGNATURE)
    while position + 12 <= len(fixed):
        (length,) = struct.unpack_from(">I", fixed, position)
        end = position + 8 + length
        if end + 4 > len(fixed):
            break
        struct.pack_into(">I", fixed, end, zlib.crc32(fixed[position + 4 : end]))
        position = end + 4
    return bytes(fixed)


def mutated_record(rng: random.Random) -> str:
    """A record's text with damages that leave most of it JSON."""
    text = embedding_file.describe(
        noise(9, 8), task="hiding", images=2, size=(17, 16), model="0" * 64
    ).to_json()
    return mutated_text(text, rng)


def mutated_text(text: str, rng: random.Random) -> str:
    """JSON with a few damages."""
    for _ in range(rng.randrange(1, 5)):
        start = rng.randrange(len(text) or 1)
        end = start + rng.choice([0, 1, 1, 5])
        piece = rng.choice(
            [*'0123456789-.,:"[]{}', "null", "true", "1e999", "-1", "9" * 30, "\\ud800", "[" * 5000]
        )
        text = text[:start] + piece + text[end:]
    return text


def with_record(data: bytes, text: str) -> bytes:
    """A file of the same format with the pixels of `noise(9, 8)` and that text as its record."""
    if data.startswith(JPEG_SIGNATURE):
        comment = embedding_file.COMMENT + text.encode("utf-8", "surrogatepass")
        options = {"format": "JPEG", "comment": comment[: embedding_file.MAX_COMMENT]}
    else:
        chunks = PngInfo()
        chunks.add_itxt("iicnet", text, zip=len(text) % 2 == 0)
        options = {"format": "PNG", "pnginfo": chunks}
    with tempfile.TemporaryFile() as file:
        Image.fromarray(noise(9, 8)).save(file, **options)
        file.seek(0)
        return file.read()


def run(count: int, seed: int, folder: Path) -> collections.Counter:
    """Feeds `count` mutated files to inspect, restore and embed; returns outcomes by their name.

    Raises whatever is no UserError, and AssertionError for an output that is not complete, with
    the input kept as `folder/finding`.
    """
    rng = random.Random(seed)
    files = seeds(folder)
    finding, output = folder / "finding", folder / "output"
    output.mkdir()
    reference = save(folder / "reference.png", noise(9, 8))

    def trial():
        finding.write_bytes(mutate(rng.choice(files), rng))
        codec = network(channels=rng.choice([1, 3]), survives=rng.choice([{}, SURVIVES]))
        force = rng.random() < 0.7
        return [
            attempt(_inspect, finding),
            attempt(_restore, finding, output, codec, force),
            attempt(_embed, reference, finding, output),
        ]

    return repeat(count, trial, output)


def _inspect(finding):
    inspect(finding, max_pixels=MAX_PIXELS)


def _restore(finding, output, codec, force):
    restored = restore_file(
        codec,
        examine(finding, max_pixels=MAX_PIXELS),
        output / "r",
        force=force,
    )
    assert len(list((output / "r").iterdir())) == 2
    for path in restored.paths:
        with Image.open(path) as image:
            image.load()
        path.unlink()
    (output / "r").rmdir()


def _embed(reference, finding, output):
    embedded = embed_files(
        network(), [reference, finding], output / "e.png", fit=True, max_pixels=MAX_PIXELS
    )
    assert inspect(embedded.path)["intact"]
    embedded.path.unlink()


if __name__ == "__main__":
    main(__doc__, run, [])
