"""Arguments that several commands share, and printing of results."""

import argparse
import functools
import glob
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from tqdm import tqdm

from iicnet_jax.core.errors import UserError
from iicnet_jax.core.files import to_json, typed_path
from iicnet_jax.imaging.carrier import Carrier, parse
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


def carrier(text: str) -> Carrier:
    """A file format and a quality, such as jpeg80."""
    try:
        return parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


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


def add_quality(parser: argparse.ArgumentParser) -> None:
    """--quality."""
    parser.add_argument(
        "--quality",
        type=positive,
        help="of a JPEG file, 1 to 100, for models that survive it; without it, 90 for .jpg. Of "
        "several embeddings, it makes all of them JPEG files",
    )


def codec_for(arguments: argparse.Namespace, default: Callable[[], Path], bar: bool):
    """The codec that --model names, or else `default`; `bar`: with progress over its tiles."""
    from iicnet_jax.core import compilation_cache
    from iicnet_jax.inference import codec

    compilation_cache.enable()
    model = default() if arguments.model is None else arguments.model
    progress = functools.partial(tqdm, unit="tile", leave=False, disable=None)
    return codec.load(model, tile=arguments.tile, progress=progress if bar else iter)


def codec_of(arguments: argparse.Namespace, file, bar: bool):
    """The same for an embedding file or video that was examined: by default, what wrote it."""
    from iicnet_jax import bundled

    default = functools.partial(bundled.for_record, file.path, file.record, file.problem)
    return codec_for(arguments, default, bar)


def add_output(
    parser: argparse.ArgumentParser, help: str, replaces: str = "existing files"
) -> None:
    """--out and --overwrite."""
    parser.add_argument("-o", "--out", type=typed_path, required=True, help=help)
    parser.add_argument("--overwrite", action="store_true", help=f"replace {replaces}")


def add_restoring(parser: argparse.ArgumentParser, of_what: str = "") -> None:
    """--size and --force."""
    parser.add_argument(
        "--size", type=size, help=f"WIDTHxHEIGHT{of_what}, for files without a record"
    )
    parser.add_argument(
        "--force", action="store_true", help="restore what can be restored from a changed file"
    )


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


def video_limits(arguments: argparse.Namespace):
    """What is read at most of a video."""
    from iicnet_jax.imaging.video_reader import Limits

    return Limits(arguments.max_pixels, arguments.max_frames, arguments.max_seconds)


def show(result: Mapping | list, lines: Iterable[str], as_json: bool) -> None:
    """Prints a result, as JSON for programs or as lines for people."""
    print(to_json(result, indent=2) if as_json else "\n".join(lines))


def note(notes: Iterable[str]) -> None:
    """Says on stderr what has been changed or may be wrong."""
    for line in notes:
        print(f"note: {line}", file=sys.stderr)
