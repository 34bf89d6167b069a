"""What is typed for paths, and which files a pattern stands for."""

import argparse
from pathlib import Path

import pytest

from iicnet_jax import cli
from iicnet_jax.cli.arguments import expand
from iicnet_jax.core.errors import UserError
from iicnet_jax.core.files import typed_path


def _actions(parser):
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from _actions(below)
        else:
            yield action


def test_every_path_may_begin_with_a_tilde():
    types = [action.type for action in _actions(cli._parser())]
    assert types.count(typed_path) > 15 and Path not in types


@pytest.fixture
def photos(tmp_path, monkeypatch):
    for name in (
        "My [2020] photos/b.png",
        "My [2020] photos/a.png",
        "My 2 photos/c.png",
        "d[1]",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("My [2020] photos/*.png", ["My [2020] photos/a.png", "My [2020] photos/b.png"]),
        ("My [2020] photos", ["My [2020] photos"]),
        ("My [2] photos/*", ["My 2 photos/c.png"]),
        ("*/[ac].png", ["My 2 photos/c.png", "My [2020] photos/a.png"]),
        ("* [2020] photos/a*", ["My [2020] photos/a.png"]),
        ("d[1]*", ["d[1]"]),
        ("d[1]", ["d[1]"]),
        ("missing.png", ["missing.png"]),
    ],
)
@pytest.mark.parametrize("absolute", [False, True])
def test_a_pattern_stands_for_the_files_that_fit(photos, pattern, names, absolute):
    start = photos if absolute else Path()
    assert expand([start / pattern]) == [start / name for name in names]


def test_a_pattern_that_fits_nothing_is_a_mistake(photos):
    with pytest.raises(UserError, match=r"there is nothing that fits My \[2020\] photos/\*\.jpg"):
        expand([Path("My [2020] photos/*.jpg")])
