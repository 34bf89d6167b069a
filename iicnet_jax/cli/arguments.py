"""Arguments that several commands share, and how results are printed."""

import argparse
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from iicnet_jax.files import to_json


def positive(text: str) -> int:
    """A whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not {text!r}")
    return int(text)


def add_command(commands, name: str, command, help: str, **options) -> argparse.ArgumentParser:
    """A sub-command that calls `command(arguments)`."""
    parser = commands.add_parser(
        name, help=help, description=f"{help[0].upper()}{help[1:]}.", allow_abbrev=False, **options
    )
    parser.set_defaults(command=command)
    return parser


def add_model(parser: argparse.ArgumentParser) -> None:
    """--model, and how large the tiles are in which it works."""
    parser.add_argument(
        "--model", type=Path, required=True, help="a model's folder, or the workdir of a run"
    )
    parser.add_argument(
        "--tile", type=positive, help="side in pixels of the tiles of large pictures: less memory"
    )


def add_limits(parser: argparse.ArgumentParser) -> None:
    """--max-pixels and --json."""
    from iicnet_jax.media.images import MAX_PIXELS

    parser.add_argument(
        "--max-pixels", type=positive, default=MAX_PIXELS, help="refuse pictures with more pixels"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def show(result: Mapping | list, lines: Iterable[str], as_json: bool) -> None:
    """Prints a result, as JSON for programs or as lines for people."""
    print(to_json(result, indent=2) if as_json else "\n".join(lines))


def note(notes: Iterable[str]) -> None:
    """Says on stderr what has been changed or may be wrong."""
    for line in notes:
        print(f"note: {line}", file=sys.stderr)
