"""Damaged and hostile model directories: each ends in a network or a UserError.

python -m tests.weights.fuzz_model_dir --count 10000 --seed 1
"""

import collections
import itertools
import json
import random
import struct
from pathlib import Path

import jax
from flax import nnx

from iicnet_jax.cli import model_table
from iicnet_jax.models import IICNet
from iicnet_jax.models.abstract import ConstantRngs
from iicnet_jax.models.baselines import IRN, WIN
from iicnet_jax.weights.model_dir import CONFIG, WEIGHTS, read_model, save_model
from tests.media.fuzz_loop import attempt, main, repeat

QUALITY = {
    **{part: {"psnr": 30.5, "ssim": None} for part in ("embedding", "restored")},
    "samples": 3,
    "split": "test",
    "devices": ["cpu"],
    "date": "2026-01-01",
    "data": {"task": "hiding", "root": "VOC", "miniature": True},
}
VALUES = [
    *(0, -1, 1, 2, 3, 64, 10_000, 100_000_000, 10**30, 0.5, 1e308, True, None),
    *("", "x", "ref", "haar", "irn", "\ud800", "\n", "0" * 64, [], [1], {}, {"a": 1}),
]
PIECES = [*'0123456789-.,:"[]{}', "null", "true", "NaN", "1e999", "9" * 5000, "[" * 5000]


def seeds(folder: Path) -> list[tuple[dict, bytes]]:
    """The two files of small models."""
    found = []
    for number, (method, network, fields) in enumerate(
        [
            ("iicnet", IICNet, {"num_images": 2, "relation_features": 2}),
            (
                "iicnet",
                IICNet,
                {"num_images": 1, "relation": False, "downscaling": "haar", "split": "prop"},
            ),
            ("irn", IRN, {"num_images": 1}),
            ("win", WIN, {"num_modules": 2, "memory": 2}),
        ]
    ):
        fields |= {"num_blocks": 2, "growth": 2}
        params = nnx.state(network(**fields, rngs=ConstantRngs()), nnx.Param)
        model = folder / f"model{number}"
        save_model(model, params, fields, {"task": "hiding", "quality": QUALITY}, method)
        found.append((json.loads((model / CONFIG).read_text()), (model / WEIGHTS).read_bytes()))
    return found


def mutate_config(config: dict, rng: random.Random) -> bytes:
    """The text of a configuration with other values, without some, or with other characters."""
    config = json.loads(json.dumps(config))
    for _ in range(rng.randrange(3)):
        if not (places := list(_places(config))):
            break
        parent, key = rng.choice(places)
        if rng.random() < 0.3:
            del parent[key]
        elif rng.random() < 0.2 and isinstance(parent, dict):
            parent[rng.choice(["", "x", "growth", "full_size", "method"])] = rng.choice(VALUES)
        else:
            parent[key] = rng.choice(VALUES)
    text = json.dumps(config)
    for _ in range(rng.choice([0, 0, 1, 3])):
        start = rng.randrange(len(text))
        text = text[:start] + rng.choice(PIECES) + text[start + rng.choice([0, 1, 5]) :]
    content = bytearray(text.encode())
    if rng.random() < 0.1:
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(content)


def mutate_weights(content: bytes, rng: random.Random) -> bytes:
    """The file with flipped bits, cut, or with another header that states its own length."""
    content = bytearray(content)
    kind = rng.randrange(4)
    if kind == 0:
        for _ in range(rng.choice([1, 1, 4, 64])):
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    elif kind == 1:
        del content[rng.randrange(len(content)) :]
    elif kind == 2:
        start = rng.randrange(len(content))
        content[start : start + rng.choice([1, 8, 64])] = rng.randbytes(rng.choice([0, 8, 64]))
    else:
        (length,) = struct.unpack_from("<Q", content)
        header = mutate_config(json.loads(content[8 : 8 + length]), rng)
        content[: 8 + length] = struct.pack("<Q", len(header)) + header
    return bytes(content)


def _places(value):
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(item, (dict, list)):
            yield from _places(item)


def run(count: int, seed: int, folder: Path) -> collections.Counter:
    """Loads and describes `count` damaged models; returns outcomes by their name.

    Raises whatever is no UserError, with the input kept as `folder/finding`.
    """
    rng = random.Random(seed)
    models = seeds(folder)
    finding, output = folder / "finding", folder / "output"
    finding.mkdir()
    output.mkdir()

    trials = itertools.count()

    def trial():
        if next(trials) % 100 == 0:
            jax.clear_caches()  # JAX compares what it traces with all that it has traced
        config, weights = rng.choice(models)
        text = json.dumps(config).encode()
        if rng.random() < 0.7:
            text = mutate_config(config, rng)
        else:
            weights = mutate_weights(weights, rng)
        (finding / CONFIG).write_bytes(text)
        (finding / WEIGHTS).write_bytes(weights)
        return [attempt(_load, finding), attempt(_describe, finding)]

    return repeat(count, trial, output)


def _load(folder):
    read_model(folder)


def _describe(folder):
    model_table.as_text([model_table.describe("x", folder)])


if __name__ == "__main__":
    main(__doc__, run, [])
