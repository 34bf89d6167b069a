"""Damaged and hostile videos and GIFs: each ends in a result or a UserError.

python -m tests.media.fuzz_video_gif --kind headers --count 10000 --seed 1
"""

import collections
import json
import random
import shutil
from pathlib import Path

import av
from PIL import Image

from iicnet_jax.conversion.gifs import embed_gif, restore_gif
from iicnet_jax.conversion.videos import embed_video, restore_video
from iicnet_jax.core.errors import UserError
from iicnet_jax.imaging.video_reader import Limits, examine
from iicnet_jax.media import embedding_file, embedding_video, video_file
from iicnet_jax.media.embedding_video import HASHES, RECORD
from tests.media import elements
from tests.media.clips import columns, numbered, write_clip, write_gif
from tests.media.fuzz import mutate, mutated_text
from tests.media.fuzz_loop import attempt, main, repeat
from tests.media.pictures import noise

VIDEO, HEADERS, GIF = "video", "headers", "gif"  # bytes of videos, their structure
LIMITS = Limits(pixels=20_000, frames=1000, seconds=1000)
IMAGES = 3


def video_seeds(folder: Path) -> list[bytes]:
    """Small valid files: embedding videos, and videos of every format and several codecs."""
    clip = write_clip(folder / "clip.mp4", numbered(7), sound="aac")
    embed_video(columns(IMAGES), clip, folder / "e.mkv")
    embed_video(columns(2), clip, folder / "stereo.mkv", side_by_side=True)
    embed_video(columns(IMAGES, 1), clip, folder / "grey.mkv", sound=False)
    detailed = [noise(16, 18, seed=i) for i in range(4)]
    write_clip(folder / "b.mp4", numbered(12), codec="libx264", bf="2", g="4")
    write_clip(folder / "opus.mkv", detailed, codec="libx264", sound="libopus", bf="2")
    write_clip(folder / "flac.mov", detailed, codec="mpeg4", sound="aac", g="2")
    write_clip(folder / "mpeg4.avi", detailed, codec="mpeg4", sound="pcm_s16le", bf="1")
    write_clip(folder / "vp8.webm", detailed, codec="libvpx", g="2")
    write_clip(folder / "uneven.mp4", numbered(5), times=[0, 1, 5, 6, 20], sound="aac")
    write_clip(folder / "turned.mov", detailed, matrix=(0, 1, 1, 0), sound="pcm_s16be")
    # MP4 cuts what is before time 0.
    write_clip(folder / "trimmed.mp4", numbered(9), codec="libx264", bf="2", times=range(-3, 6))
    write_clip(
        folder / "dropped.avi", numbered(4), codec="mpeg4", times=[0, 1, 5, 6], sound="wmav2"
    )
    return [path.read_bytes() for path in sorted(folder.glob("*.*"))]


def gif_seeds(folder: Path) -> list[bytes]:
    """Small valid animations of all kinds of frames."""
    write_gif(folder / "a.gif", 3, [50, 70, 90], loop=0)
    write_gif(folder / "b.gif", 2, disposal=2)
    write_gif(folder / "single.gif", 1)
    frames = [Image.fromarray(noise(12, 9, seed=i)) for i in range(3)]
    frames[0].save(folder / "c.gif", save_all=True, append_images=frames[1:], disposal=3)
    clear = [Image.fromarray(noise(9, 12, 4, seed=i)) for i in range(3)]
    clear[0].save(folder / "d.gif", save_all=True, append_images=clear[1:], interlace=1)
    return [path.read_bytes() for path in sorted(folder.glob("*.gif"))]


def with_mutated_record(seed: Path, output: Path, rng: random.Random) -> None:
    """A sound video whose record or list of hashes is damaged."""
    video = examine(seed)
    attachments = {
        name: mutated_text(data.decode(), rng).encode("utf-8", "surrogatepass")
        if rng.random() < (0.8 if name == RECORD else 0.2)
        else data
        for name, data in video.attachments.items()
    }
    if rng.random() < 0.1:
        attachments.pop(rng.choice([RECORD, HASHES]))
    video_file.copy_video(output, video, attachments=attachments)


def still_with_mutated_times(output: Path, rng: random.Random) -> None:
    """An embedding of a GIF that says something odd of when its frames are shown."""
    pixels = noise(8, 8)
    text = '{"grouping": "blocks", "durations": [50, 70, 90], "loop": 0}'
    try:
        about = json.loads(mutated_text(text, rng))
        assert isinstance(about, dict)
    except (ValueError, RecursionError, AssertionError):
        about = {}
    embedding_file.write_embedding(
        output,
        pixels,
        embedding_file.describe(
            pixels,
            task="video",
            images=IMAGES,
            size=(16, 16),
            model=columns().fingerprint,
            about=about,
        ),
    )


def run(kind: str, count: int, seed: int, folder: Path) -> collections.Counter:
    """Feeds `count` mutated files to every operation; returns outcomes by their name.

    Raises whatever is no UserError, and AssertionError for an output that is not complete, with
    the input kept as `folder/finding`; ends the process if one input takes too long.
    """
    rng = random.Random(seed)
    sources = folder / "seeds"
    sources.mkdir()
    files = gif_seeds(sources) if kind == GIF else video_seeds(sources)
    finding, output = folder / "finding", folder / "output"
    output.mkdir()

    def try_video():
        if kind == HEADERS:
            finding.write_bytes(elements.mutate(rng.choice(files), rng))
        elif rng.random() < 0.1:
            with_mutated_record(sources / rng.choice(["e.mkv", "stereo.mkv"]), finding, rng)
        else:
            finding.write_bytes(mutate(rng.choice(files), rng))
        force, form = rng.random() < 0.7, rng.choice(["r.mkv", "r.mp4", "r"])
        return [
            attempt(_inspect, finding),
            attempt(_embed, finding, output, rng.random() < 0.2),
            attempt(_restore, finding, output / form, force),
        ]

    def try_gif():
        finding.write_bytes(mutate(rng.choice(files), rng))
        force, still = rng.random() < 0.7, folder / "still.png"
        still_with_mutated_times(still, rng)
        form = rng.choice(["r.gif", "r.png", "r"])
        return [
            attempt(_embed_gif, finding, output),
            attempt(_restore_gif, still, output / form, force),
        ]

    return repeat(count, try_gif if kind == GIF else try_video, output)


def _inspect(finding):
    json.dumps(embedding_video.inspect(finding, LIMITS))


def _embed(finding, output, side_by_side):
    loaded, options = columns(2 if side_by_side else IMAGES), {"side_by_side": side_by_side}
    result = embed_video(loaded, finding, output / "e.mkv", limits=LIMITS, **options)
    assert embedding_video.inspect(result.path)["intact"]
    try:
        restore_video(loaded, embedding_video.examine(result.path), output / "back.mkv")
    except UserError as error:
        raise AssertionError("what was embedded does not come back") from error
    assert examine(output / "back.mkv").frames == result.frames
    (output / "back.mkv").unlink()
    result.path.unlink()


def _restore(finding, output, force):
    restored = restore_video(
        columns(IMAGES), embedding_video.examine(finding, LIMITS), output, force=force
    )
    assert restored.paths
    if output.suffix:
        with av.open(str(output)) as container:
            assert next(container.decode(video=0), None) is not None
    _remove(output)


def _embed_gif(finding, output):
    result = embed_gif(columns(IMAGES), finding, output / "e.png", max_pixels=LIMITS.pixels)
    restore_gif(columns(IMAGES), embedding_file.examine(result.path), output / "back.gif")
    (output / "back.gif").unlink()
    result.path.unlink()


def _restore_gif(still, output, force):
    restored = restore_gif(columns(IMAGES), embedding_file.examine(still), output, force=force)
    for path in restored.paths:
        with Image.open(path) as image:
            image.load()
    _remove(output)


def _remove(output):
    if output.is_dir():
        shutil.rmtree(output)
    else:
        output.unlink()


if __name__ == "__main__":
    main(__doc__, run, [VIDEO, HEADERS, GIF])
