"""Rooms depend on one another in one direction, and every module can be imported by itself."""

import ast
from pathlib import Path

import pytest

import iicnet_jax

# A room may import those of the lines above its own, and itself.
LAYERS = (
    {"core"},
    {"imaging"},
    {"models", "data", "media"},
    {"weights", "training"},
    {"bundled"},
    {"inference"},
    {"evaluation"},
    {"conversion"},
    {"experiment", "demo"},
    {"cli"},
    {"main", "__main__"},
)
LEVELS = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
ROOT = Path(iicnet_jax.__file__).parent


def rooms_imported(path):
    """Rooms that a module imports anywhere in it, with the line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            if name.startswith("iicnet_jax."):
                yield name.split(".")[1], node.lineno


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path):
    room = path.relative_to(ROOT).parts[0].removesuffix(".py")
    if room == "__init__":  # the public names
        return
    for other, line in rooms_imported(path):
        lower = other == room or LEVELS[other] < LEVELS[room]
        assert lower, f"{path.relative_to(ROOT)}:{line}: {room} may not import {other}"
