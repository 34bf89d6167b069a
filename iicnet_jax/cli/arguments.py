"""Arguments that several commands share, and printing of results."""

import argparse
import functools
import glob
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from tqdm import tqdm

from iicnet_jax.core.errors import UserError
from iicnet_jax.core.files import to_json
from iicnet_jax.imaging.picture_reader import MAX_PIXELS


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


def expand(paths: Sequence[Path]) -> list[Path]:
    """Paths with * ? or [ in them that do not exist become the files that fit, as in a shell.

    Folders that exist are taken as they are called, and so are brackets where else nothing fits.

    Raises:
      UserError: nothing fits.
    """
    expanded = []
    for path in paths:
        if path.exists() or not glob.has_magic(str(path)):
            expanded.append(path)
            continue
        folder = next(folder for folder in path.parents if folder.exists())
        pattern = str(path.relative_to(folder))
        found = glob.glob(pattern, root_dir=folder)
        found = found or glob.glob(pattern.replace("[", "[[]"), root_dir=folder)
        if not found:
            raise UserError(f"there is nothing that fits {path}")
        expanded += [folder / name for name in sorted(found)]
    return expanded


def add_command(commands, name: str, command, help: str, **options) -> argparse.ArgumentParser:
    """A sub-command that calls `command(arguments)`."""
    parser = commands.add_parser(
        name, help=help, description=f"{help[0].upper()}{help[1:]}.", allow_abbrev=False, **options
    )
    parser.set_defaults(command=command)
    return parser


def add_model(parser: argparse.ArgumentParser, default: str) -> None:
    """--model, which model `default` it is without, and how large the tiles are."""
    parser.add_argument(
        "--model",
        help="a model's folder, the workdir of a run, or a name that `iicnet models` lists; "
        f"without it, {default}",
    )
    parser.add_argument(
        "--tile", type=positive, help="side in pixels of the tiles of large pictures: less memory"
    )


def load_network(arguments: argparse.Namespace, default: Callable[[], Path], bar: bool):
    """The network that --model names, or else `default`; `bar`: with progress over its tiles."""
    from iicnet_jax import bundled
    from iicnet_jax.conversion import pictures
    from iicnet_jax.core import compilation_cache

    compilation_cache.enable()
    folder = default() if arguments.model is None else bundled.find(arguments.model)
    progress = functools.partial(tqdm, unit="tile", leave=False, disable=None)
    return pictures.load_network(folder, tile=arguments.tile, progress=progress if bar else iter)


def model_of_picture(path: Path, max_pixels: int) -> Path:
    """The bundled model that an embedding file names. Raises UserError if it names none."""
    from iicnet_jax import bundled
    from iicnet_jax.media import embedding_file

    file = embedding_file.examine(path, max_pixels=max_pixels)
    return bundled.for_record(path, file.record, file.problem)


def model_of_video(path: Path, max_pixels: int, max_frames: int, max_seconds: int) -> Path:
    """The same for an embedding video."""
    from iicnet_jax import bundled
    from iicnet_jax.imaging.video_reader import Limits
    from iicnet_jax.media import embedding_video

    file = embedding_video.examine(path, Limits(max_pixels, max_frames, max_seconds))
    return bundled.for_record(path, file.record, file.problem)


def add_limits(parser: argparse.ArgumentParser) -> None:
    """--max-pixels and --json."""
    parser.add_argument(
        "--max-pixels", type=positive, default=MAX_PIXELS, help="refuse pictures with more pixels"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def add_video_limits(parser: argparse.ArgumentParser) -> None:
    """--max-frames and --max-seconds."""
    from iicnet_jax.imaging.video_reader import MAX_FRAMES, MAX_SECONDS

    for name, greatest in (("--max-frames", MAX_FRAMES), ("--max-seconds", MAX_SECONDS)):
        parser.add_argument(name, type=positive, default=greatest, help="refuse longer videos")


def show(result: Mapping | list, lines: Iterable[str], as_json: bool) -> None:
    """Prints a result, as JSON for programs or as lines for people."""
    print(to_json(result, indent=2) if as_json else "\n".join(lines))


def note(notes: Iterable[str]) -> None:
    """Says on stderr what has been changed or may be wrong."""
    for line in notes:
        print(f"note: {line}", file=sys.stderr)
