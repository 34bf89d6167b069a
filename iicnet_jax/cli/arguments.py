"""Arguments that several commands share, and how results are printed."""

import argparse
import functools
import sys
from collections.abc import Iterable, Mapping

from tqdm import tqdm

from iicnet_jax.files import to_json
from iicnet_jax.media.images import MAX_PIXELS


def positive(text: str) -> int:
    """A whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not {text!r}")
    return int(text)


def size(text: str) -> tuple[int, int]:
    """Height and width, from WIDTHxHEIGHT."""
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise argparse.ArgumentTypeError(f"must be WIDTHxHEIGHT, like 640x480, not {text!r}")
    return int(height), int(width)


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
        "--model",
        required=True,
        help="a model's folder, the workdir of a run, or a name that `iicnet models` lists",
    )
    parser.add_argument(
        "--tile", type=positive, help="side in pixels of the tiles of large pictures: less memory"
    )


def load_network(arguments: argparse.Namespace, bar: bool):
    """The network that --model names; with a progress bar over its tiles if `bar`."""
    from iicnet_jax import bundled
    from iicnet_jax.media import convert

    progress = functools.partial(tqdm, unit="tile", leave=False, disable=None)
    return convert.load_network(
        bundled.find(arguments.model), tile=arguments.tile, progress=progress if bar else iter
    )


def add_limits(parser: argparse.ArgumentParser) -> None:
    """--max-pixels and --json."""
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
