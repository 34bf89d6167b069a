"""docs/commands.md against the program."""

import argparse
import re

import pytest

from iicnet_jax import cli
from tests.program import ROOT

PAGE = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
UNNAMED = {"-h", "--help", "-o", "--out"}  # these go without saying


def _commands(parser, name=""):
    """Every command's parser by its words."""
    below = [x for x in parser._actions if isinstance(x, argparse._SubParsersAction)]
    if not below:
        return {name.strip(): parser}
    return {
        words: command
        for action in below
        for word, sub in action.choices.items()
        for words, command in _commands(sub, f"{name} {word}").items()
    }


def _options(parser):
    return {name for action in parser._actions for name in action.option_strings}


COMMANDS = _commands(cli._parser())
# By heading.
SECTIONS = dict(re.findall(r"^## (.*)\n((?:(?!^## ).*\n)+)", PAGE, re.MULTILINE))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_is_described(command):
    (section,) = [
        text for title, text in SECTIONS.items() if f"iicnet {command}" in title.split(", ")
    ]
    described = set(re.findall(r"--[a-z][a-z-]+", section))
    assert _options(COMMANDS[command]) - UNNAMED <= described
    # A section may be about several commands; --config is read elsewhere.
    assert described <= set().union(*map(_options, COMMANDS.values())) | {"--config"}


def test_nothing_is_described_that_does_not_exist():
    described = {words for title in SECTIONS for words in title.split(", ")}
    assert described == {f"iicnet {command}" for command in COMMANDS}
