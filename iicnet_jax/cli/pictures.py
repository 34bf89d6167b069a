"""iicnet embed, restore, inspect, evaluate: one's own pictures."""

import dataclasses
from pathlib import Path

from tqdm import tqdm

from iicnet_jax.cli.arguments import (
    add_command,
    add_limits,
    add_model,
    load_network,
    note,
    show,
    size,
)
from iicnet_jax.errors import UserError

# What a folder of pictures is searched for.
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")


def add_commands(commands) -> None:
    """embed, restore, inspect and evaluate."""
    embed = add_command(commands, "embed", _embed, "hide pictures in one")
    embed.add_argument(
        "pictures",
        type=Path,
        nargs="+",
        help="in order, the reference first; or folders, each with the pictures of one embedding",
    )
    embed.add_argument(
        "-o", "--out", type=Path, required=True, help="a .png or .webp file; for folders, a folder"
    )
    restore = add_command(commands, "restore", _restore, "get the pictures back from embeddings")
    restore.add_argument("embeddings", type=Path, nargs="+", help="files, or folders of files")
    restore.add_argument(
        "-o",
        "--out",
        type=Path,
        required=True,
        help="folder for 00.png, 01.png, ...; for several embeddings, a folder in it for each",
    )
    restore.add_argument(
        "--size", type=size, help="WIDTHxHEIGHT of the pictures, for files without a record"
    )
    restore.add_argument(
        "--force", action="store_true", help="restore what can be restored from a changed file"
    )
    for parser in (embed, restore):
        parser.add_argument("--overwrite", action="store_true", help="replace existing files")
    evaluate = add_command(
        commands, "evaluate", _evaluate, "embed and restore pictures, and measure what is lost"
    )
    evaluate.add_argument("pictures", type=Path, nargs="+", help="as for embed")
    for parser in (embed, evaluate):
        parser.add_argument(
            "--fit", action="store_true", help="scale and crop pictures to the reference's size"
        )
    inspect = add_command(commands, "inspect", _inspect, "say what is in embeddings")
    inspect.add_argument("embeddings", type=Path, nargs="+", help="files, or folders of files")
    for parser in (embed, restore, evaluate):
        add_model(parser)
    for parser in (embed, restore, evaluate, inspect):
        add_limits(parser)


def _embed(arguments):
    from iicnet_jax.media.convert import embed_files

    jobs = [(arguments.pictures, arguments.out)]
    if _are_folders(arguments.pictures):
        jobs = [(_pictures_in(f), arguments.out / f"{f.name}.png") for f in arguments.pictures]
    network = load_network(arguments, bar=len(jobs) == 1)
    done = []
    for pictures, out in _progress(jobs):
        embedded = embed_files(
            network,
            pictures,
            out,
            fit=arguments.fit,
            overwrite=arguments.overwrite,
            max_pixels=arguments.max_pixels,
        )
        note(embedded.notes)
        done.append({"file": str(out), **dataclasses.asdict(embedded.record)})
    lines = [f"{item['file']}: {item['images']} pictures in one" for item in done]
    show(done, lines, arguments.json)


def _restore(arguments):
    from iicnet_jax.media.convert import restore_file

    files = _files(arguments.embeddings)
    several = len(files) > 1 or arguments.embeddings[0].is_dir()
    if len({file.stem for file in files}) < len(files):
        raise UserError("two embeddings have the same name: restore them one by one")
    network = load_network(arguments, bar=len(files) == 1)
    done = []
    for file in _progress(files):
        restored = restore_file(
            network,
            file,
            arguments.out / file.stem if several else arguments.out,
            size=arguments.size,
            force=arguments.force,
            overwrite=arguments.overwrite,
            max_pixels=arguments.max_pixels,
        )
        note(restored.notes)
        done.append({"file": str(file), "pictures": [str(path) for path in restored.paths]})
    lines = [f"{item['file']}: {', '.join(item['pictures'])}" for item in done]
    show(done, lines, arguments.json)


def _inspect(arguments):
    from iicnet_jax.media.convert import inspect_file
    from iicnet_jax.media.convert_video import inspect_video

    found = [
        (inspect_video if file.suffix == ".mkv" else inspect_file)(
            file, max_pixels=arguments.max_pixels
        )
        for file in _files(arguments.embeddings)
    ]
    show(found, map(_description, found), arguments.json)


def _description(found):
    size = f"{found['width']}x{found['height']}"
    if found["record"] is None:
        what = "no record of what is in it"
    else:
        record = found["record"]
        height, width = record["size"]
        what = (
            f"{record['images']} pictures of {width}x{height} (task {record['task']}, model "
            f"{record['model'][:12]}), {'intact' if found['intact'] else 'CHANGED since'}"
        )
    return f"{found['file']}: {found['format']}, {size}: {what}"


def _evaluate(arguments):
    from iicnet_jax.media.convert import measure_files

    groups = [arguments.pictures]
    if _are_folders(arguments.pictures):
        groups = [_pictures_in(folder) for folder in arguments.pictures]
    network = load_network(arguments, bar=len(groups) == 1)
    measured = []
    for pictures in _progress(groups):
        measures, notes = measure_files(
            network, pictures, fit=arguments.fit, max_pixels=arguments.max_pixels
        )
        note(notes)
        measured.append({"pictures": [str(path) for path in pictures], **measures})
    show(measured, map(_quality, measured), arguments.json)


def _quality(item):
    frames = ", ".join(f"{frame['psnr']:.2f}" for frame in item["frames"])
    line = f"{item['pictures'][0]}: restored {item['restored']['psnr']:.2f} dB ({frames})"
    if item["embedding"]:
        line += f", embedding {item['embedding']['psnr']:.2f} dB"
    return line


def _progress(jobs):
    return tqdm(jobs, unit="file", disable=None if len(jobs) > 1 else True)


def _are_folders(paths):
    """Whether pictures come in folders. Raises UserError where some do and some do not."""
    folders = [path.is_dir() for path in paths]
    if any(folders) and not all(folders):
        raise UserError("name either pictures or folders of pictures, not both")
    return all(folders)


def _files(paths):
    """The files, and the pictures in the folders, among the paths."""
    return [file for path in paths for file in (_pictures_in(path) if path.is_dir() else [path])]


def _pictures_in(folder):
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    found = [path for path in found if path.is_file() and not path.name.startswith(".")]
    if not found:
        raise UserError(f"{folder} holds no pictures ({', '.join(SUFFIXES)})")
    return found
