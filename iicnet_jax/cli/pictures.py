"""iicnet embed, restore, inspect, evaluate: picture files."""

import collections
import dataclasses
import functools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from iicnet_jax.cli.arguments import (
    add_command,
    add_limits,
    add_model,
    add_output,
    add_quality,
    add_restoring,
    add_video_limits,
    carrier,
    codec_for,
    expand,
    note,
    show,
    video_limits,
)
from iicnet_jax.core.errors import UserError
from iicnet_jax.core.files import typed_path
from iicnet_jax.core.wording import number_of, width_x_height
from iicnet_jax.imaging.picture_reader import SUFFIXES
from iicnet_jax.media.picture_file import LOSSLESS, LOSSY

VIDEO = ".mkv"  # what `inspect` looks for besides pictures


def add_commands(commands) -> None:
    """embed, restore, inspect and evaluate."""
    embed = add_command(commands, "embed", _embed, "hide pictures in one")
    embed.add_argument(
        "pictures",
        type=typed_path,
        nargs="+",
        help="in order, the reference first; or folders, each with the pictures of one embedding; "
        "models for one picture take any number of either",
    )
    add_output(
        embed, "a .png or .webp file, or .jpg for models that survive it; for several, a folder"
    )
    add_quality(embed)
    restore = add_command(commands, "restore", _restore, "get the pictures back from embeddings")
    restore.add_argument(
        "embeddings", type=typed_path, nargs="+", help="files, or folders of files"
    )
    add_output(
        restore, "folder for 00.png, 01.png, ...; for several embeddings, a folder in it for each"
    )
    add_restoring(restore, " of the pictures")
    evaluate = add_command(
        commands, "evaluate", _evaluate, "embed and restore pictures, and measure what is lost"
    )
    evaluate.add_argument("pictures", type=typed_path, nargs="+", help="as for embed")
    evaluate.add_argument(
        "--carrier",
        type=carrier,
        action="append",
        default=[],
        help="measure also through a file of this format and quality: png, jpeg80, webp80, avif60; "
        "may be repeated",
    )
    for parser in (embed, evaluate):
        parser.add_argument(
            "--fit", action="store_true", help="scale and crop pictures to the reference's size"
        )
    inspect = add_command(commands, "inspect", _inspect, "say what is in embeddings")
    inspect.add_argument(
        "embeddings", type=typed_path, nargs="+", help="files, or folders of files"
    )
    for parser in (embed, evaluate):
        add_model(parser, "a bundled one for so many pictures")
    add_model(restore, "the bundled one that embedded the file")
    add_video_limits(inspect)
    for parser in (embed, restore, evaluate, inspect):
        add_limits(parser)


def _embed(arguments):
    from iicnet_jax.conversion.pictures import embed_files

    codec, groups = _codec_and_groups(arguments)
    outputs = [_output(group, arguments) for group in groups]
    _check_names(outputs)
    for out in outputs:
        codec.check_output(out, arguments.overwrite, arguments.quality)

    def embed(job):
        group, out = job
        return embed_files(
            codec,
            group.pictures,
            out,
            fit=arguments.fit,
            quality=arguments.quality,
            overwrite=arguments.overwrite,
            max_pixels=arguments.max_pixels,
        )

    done = []
    jobs = zip(groups, outputs, strict=True)
    for embedded in _on_all_devices(embed, jobs, len(groups)):
        note(embedded.notes)
        done.append({"file": str(embedded.path), **dataclasses.asdict(embedded.record)})
    lines = [f"{item['file']}: {number_of(item['images'])} in one" for item in done]
    show(done, lines, arguments.json)


def _restore(arguments):
    from iicnet_jax import bundled
    from iicnet_jax.conversion.pictures import restore_file
    from iicnet_jax.media import embedding_file

    given = expand(arguments.embeddings)
    files = _files(given)
    several = len(files) > 1 or given[0].is_dir()
    outputs = [arguments.out / file.stem if several else arguments.out for file in files]
    _check_names(outputs)

    @functools.cache
    def codec(folder):
        return codec_for(arguments, lambda: folder, bar=len(files) == 1)

    def jobs():
        for path, out in zip(files, outputs, strict=True):
            file = embedding_file.examine(path, max_pixels=arguments.max_pixels)
            named = arguments.model is not None
            folder = None if named else bundled.for_record(path, file.record, file.problem)
            yield codec(folder), file, out

    def restore(job):
        options = {"size": arguments.size, "force": arguments.force}
        return restore_file(*job, **options, overwrite=arguments.overwrite)

    done = []
    results = _on_all_devices(restore, jobs(), len(files))
    for file, restored in zip(files, results, strict=True):
        note(restored.notes)
        done.append({"file": str(file), "pictures": [str(path) for path in restored.paths]})
    lines = [f"{item['file']}: {', '.join(item['pictures'])}" for item in done]
    show(done, lines, arguments.json)


def _inspect(arguments):
    from iicnet_jax import bundled

    found, surviving = [], bundled.surviving("jpeg")
    for file in _files(expand(arguments.embeddings), (*SUFFIXES, VIDEO)):
        found.append(_inspected(file, arguments))
        record = found[-1]["record"]
        found[-1]["bundled"] = None if record is None else bundled.name_of(record["model"])
        found[-1]["survives"] = found[-1]["bundled"] in surviving
    show(found, map(_description, found), arguments.json)


def _inspected(file, arguments):
    from iicnet_jax.media import embedding_file, embedding_video
    from iicnet_jax.models.baselines import low_bits

    if file.suffix.lower() == VIDEO:
        return embedding_video.inspect(file, video_limits(arguments))
    examined = embedding_file.examine(file, max_pixels=arguments.max_pixels)
    header = low_bits.find_header(examined.pixels) if examined.record is None else None
    return embedding_file.facts(examined) | {"low_bits": header and header._asdict()}


def _description(found):
    size = f"{found['width']}x{found['height']}"
    if header := found.get("low_bits"):
        images, of_size = number_of(header["images"]), width_x_height(header["size"])
        what = f"no record, but {images} of {of_size} in its lowest bits (low_bits), intact"
    elif found["record"] is None:
        what = "no record of what is in it"
    else:
        record = found["record"]
        what = (
            f"{number_of(record['images'])} of {width_x_height(record['size'])} (task "
            f"{record['task']}, model {found['bundled'] or record['model'][:12]}), "
            f"{'intact' if found['intact'] else 'CHANGED since'}"
        )
    form = found["format"]
    if found.get("quality") is not None:
        form = f"{form} of quality about {found['quality']}"
    line = f"{found['file']}: {form}, {size}: {what}"
    problem = found["problem"]
    if found["survives"]:
        problem = found.get("tolerable") or problem
    return line if problem is None else f"{line}; it {problem}"


def _evaluate(arguments):
    from iicnet_jax.conversion.pictures import measure_files

    codec, groups = _codec_and_groups(arguments)

    def measure(group):
        return measure_files(
            codec,
            group.pictures,
            carriers=arguments.carrier,
            fit=arguments.fit,
            max_pixels=arguments.max_pixels,
        )

    measured = []
    results = _on_all_devices(measure, groups, len(groups))
    for (_, pictures), (measures, notes) in zip(groups, results, strict=True):
        note(notes)
        measured.append({"pictures": [str(path) for path in pictures], **measures})
    show(measured, map(_quality, measured), arguments.json)


def _quality(item):
    lines = [f"{item['pictures'][0]}: {_restored(item)}, embedding {_db(item['embedding'])}"]
    for name, through in item.get("carriers", {}).items():
        lines.append(
            f"  {name}: {_restored(through)}, embedding {_db(through['embedding'])}; the first "
            f"picture alone would give {_restored(through['without_network'])}"
        )
    return "\n".join(lines)


def _restored(measures):
    if math.isnan(measures["restored"]["psnr"]):
        return "lost"
    frames = ", ".join(f"{frame['psnr']:.2f}" for frame in measures["frames"])
    return f"restored {_db(measures['restored'])} ({frames})"


def _db(measures):
    return f"{measures['psnr']:.2f} dB"


def _check_names(outputs):
    for path, count in collections.Counter(outputs).items():
        if count > 1:
            raise UserError(f"{count} results would be called {path}: do them one by one")


def _on_all_devices(function, jobs, count):
    """The results of all jobs in order, with a progress bar where there are several."""
    from iicnet_jax.inference.devices import map_over_devices

    results = map_over_devices(function, jobs)
    return tqdm(results, total=count, unit="file", disable=None if count > 1 else True)


class _Group(NamedTuple):
    """The pictures of one embedding."""

    name: str | None  # of the embedding among several, without a suffix
    pictures: Sequence[Path]


def _codec_and_groups(arguments):
    """The network, and what goes through it."""
    from iicnet_jax import bundled

    given = expand(arguments.pictures)
    groups = [_Group(None, given)]
    if _are_folders(given):
        groups = [_Group(folder.resolve().name, _pictures_in(folder)) for folder in given]
    codec = codec_for(
        arguments, lambda: bundled.for_pictures(len(groups[0].pictures)), bar=len(groups) == 1
    )
    if codec.network.num_images == 1 and (groups[0].name or len(given) > 1):
        # Every picture is an embedding of its own.
        pictures = [picture for group in groups for picture in group.pictures]
        groups = [_Group(picture.stem, [picture]) for picture in pictures]
    for group in groups:
        codec.check_count(len(group.pictures))
    return codec, groups


def _output(group, arguments):
    """Where an embedding goes."""
    out = arguments.out
    if group.name is None:
        return out
    if out.suffix.lower() in (*LOSSLESS, *LOSSY):
        raise UserError(f"{out} names one file, and there are several embeddings: name a folder")
    return out / f"{group.name}{'.png' if arguments.quality is None else '.jpg'}"


def _are_folders(paths):
    """Whether pictures come in folders. Raises UserError where some do and some do not."""
    folders = [path.is_dir() for path in paths]
    if any(folders) and not all(folders):
        raise UserError("name either pictures or folders of pictures, not both")
    return all(folders)


def _files(paths, suffixes=SUFFIXES):
    """The files, and the pictures in the folders, among the paths."""
    return [
        file
        for path in paths
        for file in (_pictures_in(path, suffixes) if path.is_dir() else [path])
    ]


def _pictures_in(folder, suffixes=SUFFIXES):
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in suffixes)
    found = [path for path in found if path.is_file() and not path.name.startswith(".")]
    if not found:
        raise UserError(f"{folder} holds no pictures ({', '.join(suffixes)})")
    return found
