"""iicnet video, gif, stereo: embed and restore files that hold several images."""

import dataclasses
import functools

from tqdm import tqdm

from iicnet_jax.cli.arguments import (
    add_command,
    add_limits,
    add_model,
    add_output,
    add_quality,
    add_restoring,
    add_video_limits,
    codec_for,
    codec_of,
    note,
    show,
    video_limits,
)
from iicnet_jax.core.files import typed_path


def add_commands(commands) -> None:
    """video, gif and stereo, each with embed and restore."""
    for name, help, ways in (
        ("video", "a video in a smaller, slower one, and back", (_embed_video, _restore_video)),
        ("gif", "an animated GIF in a still picture, and back", (_embed_gif, _restore_gif)),
        ("stereo", "a stereo pair in its left view, and back", (_embed_stereo, _restore_stereo)),
    ):
        group = commands.add_parser(name, help=help)
        ways_of_group = group.add_subparsers(required=True, metavar="COMMAND")
        _add_ways(name, ways_of_group, *ways)


def _add_ways(name, commands, embed_command, restore_command):
    embed = add_command(commands, "embed", embed_command, _EMBED[name])
    add_model(embed, f"the bundled one for {'video' if name == 'gif' else name}")
    if name == "stereo":
        embed.add_argument(
            "input", type=typed_path, nargs="+", help="left and right view, or one file with both"
        )
        embed.add_argument(
            "--fit", action="store_true", help="scale and crop the right view to the left one"
        )
    else:
        embed.add_argument("input", type=typed_path, help="the file")
    if name != "video":
        add_quality(embed)
    restore = add_command(commands, "restore", restore_command, _RESTORE[name])
    restore.add_argument("input", type=typed_path, help="the embedding")
    add_model(restore, "the bundled one that embedded the file")
    add_restoring(restore)
    for parser in (embed, restore):
        add_output(parser, _OUT[name, parser is embed])
        add_limits(parser)
        if name == "video":
            _add_video_options(parser)


def _add_video_options(parser):
    parser.add_argument(
        "--side-by-side",
        action="store_true",
        default=None,
        help="the frames are two views side by side (restore: the record says it)",
    )
    parser.add_argument("--no-sound", action="store_true", help="leave the sound out")
    add_video_limits(parser)


_EMBED = {
    "video": "hide every N frames in one, without losing the sound or the duration",
    "gif": "hide the frames of an animated GIF in its middle frame",
    "stereo": "hide the right view in the left one",
}
_RESTORE = {
    "video": "get the video back from an embedding video",
    "gif": "get the animation back from an embedding",
    "stereo": "get both views back from an embedding",
}
_OUT = {  # by whether it is for embedding
    ("video", True): "a .mkv file",
    ("video", False): "a .mkv (lossless) or .mp4 file, or a folder for the frames",
    ("gif", True): "a .png or .webp file, or .jpg for models that survive it",
    ("gif", False): "a .gif or (animated) .png file, or a folder for the frames",
    ("stereo", True): "a .png or .webp file, or .jpg for models that survive it",
    ("stereo", False): "a .png file with both views side by side, or a folder for the two",
}


def _embed_video(arguments):
    from iicnet_jax import bundled
    from iicnet_jax.conversion.videos import embed_video

    options = _video_options(arguments)
    options["side_by_side"] = bool(options["side_by_side"])
    task = "stereo" if options["side_by_side"] else "video"
    codec = codec_for(arguments, lambda: bundled.for_task(task), bar=False)
    embedded = embed_video(codec, arguments.input, limits=video_limits(arguments), **options)
    note(embedded.notes)
    lines = [f"{embedded.path}: {embedded.frames} frames in {embedded.embeddings}"]
    result = {
        "file": str(embedded.path),
        "frames": embedded.frames,
        "embeddings": embedded.embeddings,
        "rate": [embedded.rate.numerator, embedded.rate.denominator],
        "record": dataclasses.asdict(embedded.record),
    }
    show(result, lines, arguments.json)


def _restore_video(arguments):
    from iicnet_jax.conversion.videos import restore_video
    from iicnet_jax.media import embedding_video

    file = embedding_video.examine(arguments.input, video_limits(arguments))
    codec = codec_of(arguments, file, bar=False)
    options = _video_options(arguments)
    restored = restore_video(codec, file, **options, size=arguments.size, force=arguments.force)
    _show_restored(arguments, restored)


def _video_options(arguments):
    return {
        "output": arguments.out,
        "side_by_side": arguments.side_by_side,
        "sound": not arguments.no_sound,
        "overwrite": arguments.overwrite,
        "progress": functools.partial(tqdm, unit="group", disable=None),
    }


def _embed_gif(arguments):
    from iicnet_jax.conversion.gifs import embed_gif

    _embed_still(arguments, embed_gif, "video")


def _restore_gif(arguments):
    from iicnet_jax.conversion.gifs import restore_gif

    _restore_still(arguments, restore_gif)


def _embed_stereo(arguments):
    from iicnet_jax.conversion.stereo import embed_stereo

    _embed_still(arguments, embed_stereo, "stereo", fit=arguments.fit)


def _restore_stereo(arguments):
    from iicnet_jax.conversion.stereo import restore_stereo

    _restore_still(arguments, restore_stereo)


def _embed_still(arguments, embed, task, **options):
    from iicnet_jax import bundled

    embedded = embed(
        codec_for(arguments, lambda: bundled.for_task(task), bar=True),
        arguments.input,
        arguments.out,
        quality=arguments.quality,
        overwrite=arguments.overwrite,
        max_pixels=arguments.max_pixels,
        **options,
    )
    note(embedded.notes)
    record = embedded.record
    lines = [f"{embedded.path}: {record.images} pictures in one"]
    result = {"file": str(embedded.path), "record": dataclasses.asdict(record)}
    show(result, lines, arguments.json)


def _restore_still(arguments, restore):
    from iicnet_jax.media import embedding_file

    file = embedding_file.examine(arguments.input, max_pixels=arguments.max_pixels)
    restored = restore(
        codec_of(arguments, file, bar=True),
        file,
        arguments.out,
        size=arguments.size,
        force=arguments.force,
        overwrite=arguments.overwrite,
    )
    _show_restored(arguments, restored)


def _show_restored(arguments, restored):
    note(restored.notes)
    paths = [str(path) for path in restored.paths]
    shown = paths if len(paths) < 5 else [*paths[:2], "...", paths[-1]]
    line = f"{arguments.input}: {', '.join(shown)}"
    show({"file": str(arguments.input), "restored": paths}, [line], arguments.json)
