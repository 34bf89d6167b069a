"""Animated GIFs in still pictures, and back."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from iicnet_jax.conversion.gifs import embed_gif, restore_gif
from iicnet_jax.conversion.pictures import restore_file
from iicnet_jax.core.errors import UserError
from iicnet_jax.imaging.picture_reader import read_picture
from iicnet_jax.media import embedding_file
from iicnet_jax.media.embedding_file import examine, inspect, write_embedding
from tests.media.clips import SIDE, columns, numbered, numbers, write_gif
from tests.media.pictures import noise, save


def read_animation(path):
    """Frames, durations in milliseconds, and how often it is repeated or shown."""
    with Image.open(path) as image:
        frames, durations = [], []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            frames.append(np.asarray(image.convert("RGB")))
            durations.append(int(image.info.get("duration", 0)))
        return frames, durations, image.info.get("loop")


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.lists(st.integers(0, 65535), min_size=1, max_size=5),
    st.one_of(st.none(), st.integers(0, 65534)),
)
def test_frames_durations_and_loops_come_back(tmp_path_factory, hundredths, loop):
    folder, durations = tmp_path_factory.mktemp("gif"), [10 * x for x in hundredths]
    options = {} if loop is None else {"loop": loop}
    source = write_gif(folder / "a.gif", len(durations), durations, **options)
    result = embed_gif(columns(5), source, folder / "e.png")
    assert result.notes == ()
    assert result.record.about == {"grouping": "blocks", "durations": durations, "loop": loop}
    restore_gif(columns(5), examine(folder / "e.png"), folder / "r.gif")
    frames, read_durations, read_loop = read_animation(folder / "r.gif")
    assert (read_durations, read_loop) == (durations, loop)
    assert numbers(frames) == list(range(len(durations)))


def test_the_middle_frame_is_the_reference_and_the_last_one_is_repeated(tmp_path):
    embed_gif(columns(5), write_gif(tmp_path / "a.gif", 4), tmp_path / "e.webp")
    file = examine(tmp_path / "e.webp")
    pixels, record = file.pixels, file.record
    assert [int(value) // 4 - 1 for value in pixels[0, :5, 0]] == [2, 0, 1, 3, 3]
    assert (record.images, record.size) == (5, (SIDE, SIDE))
    # The file is an embedding like any other.
    assert inspect(tmp_path / "e.webp")["intact"]
    assert len(restore_file(columns(5), examine(tmp_path / "e.webp"), tmp_path / "all").paths) == 5


def test_more_frames_than_the_model_takes_are_an_error(tmp_path):
    source = write_gif(tmp_path / "a.gif", 4)
    message = r"a\.gif has more than 3 frames, and this model embeds 3: shorten it"
    with pytest.raises(UserError, match=message):
        embed_gif(columns(3), source, tmp_path / "e.png")
    assert not (tmp_path / "e.png").exists()


def test_what_it_is_restored_to(tmp_path):
    source = write_gif(tmp_path / "a.gif", 3, [50, 100, 70], loop=2)
    embed_gif(columns(), source, tmp_path / "e.png")
    as_gif = restore_gif(columns(), examine(tmp_path / "e.png"), tmp_path / "r.gif")
    assert as_gif.notes == (
        f"{tmp_path / 'r.gif'} has 256 colours a frame, as GIFs have: .png keeps all",
    )
    assert as_gif.paths == (tmp_path / "r.gif",)

    as_png = restore_gif(columns(), examine(tmp_path / "e.png"), tmp_path / "r.png")
    assert as_png.notes == ()
    frames, durations, shown = read_animation(tmp_path / "r.png")
    np.testing.assert_array_equal(frames, numbered(3))
    # A GIF that is repeated twice is shown three times.
    assert (durations, shown) == ([50, 100, 70], 3)

    pictures = restore_gif(columns(), examine(tmp_path / "e.png"), tmp_path / "frames")
    assert [path.name for path in pictures.paths] == ["000000.png", "000001.png", "000002.png"]
    assert numbers([read_picture(path).pixels for path in pictures.paths]) == [0, 1, 2]


@pytest.mark.parametrize(("loop", "shown"), [(0, 0), (None, 1), (1, 2)])
def test_an_animated_png_is_shown_as_often(tmp_path, loop, shown):
    options = {} if loop is None else {"loop": loop}
    embed_gif(columns(), write_gif(tmp_path / "a.gif", 3, **options), tmp_path / "e.png")
    restore_gif(columns(), examine(tmp_path / "e.png"), tmp_path / "r.png")
    assert read_animation(tmp_path / "r.png")[2] == shown


def test_colours_that_a_gif_cannot_hold_come_close(tmp_path):
    class Noise(type(columns().tiled)):
        def restore(self, embedding, size):
            ramp = np.linspace(0, 255, size[0] * size[1]).reshape(size).astype(np.uint8)
            image = np.stack([ramp, ramp.T, ramp // 2], axis=-1)
            return np.stack([image, image[::-1], image[:, ::-1]])

    loaded = columns()
    loaded.tiled.__class__ = Noise
    embed_gif(columns(), write_gif(tmp_path / "a.gif", 3, 100, 40, 40), tmp_path / "e.png")
    restore_gif(loaded, examine(tmp_path / "e.png"), tmp_path / "r.gif")
    restore_gif(loaded, examine(tmp_path / "e.png"), tmp_path / "r.png")
    close, exact = (read_animation(tmp_path / name)[0] for name in ("r.gif", "r.png"))
    assert len(close) == len(exact) == 3
    difference = np.abs(np.stack(close).astype(int) - exact)
    assert 0 < difference.mean() < 5


def test_transparent_parts_become_white_with_one_note(tmp_path):
    frames = []
    for value in (40, 80):
        pixels = np.full((SIDE, SIDE, 4), value, np.uint8)
        pixels[..., 3] = 255
        pixels[-4:, -4:, 3] = 0
        frames.append(Image.fromarray(pixels))
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], disposal=2)
    result = embed_gif(columns(), tmp_path / "a.gif", tmp_path / "e.png")
    assert result.notes == (f"{tmp_path / 'a.gif'} is transparent in places, which become white",)


def test_what_is_no_animation_is_named(tmp_path):
    save(tmp_path / "a.gif", noise(8, 8), format="PNG")
    with pytest.raises(UserError, match=r"a\.gif is not a picture that can be read: .* GIF"):
        embed_gif(columns(), tmp_path / "a.gif", tmp_path / "e.png")
    pixels = noise(8, 8)
    record = embedding_file.describe(
        pixels, task="video", images=3, size=(16, 16), model=columns().fingerprint
    )
    write_embedding(tmp_path / "e.png", pixels, record)
    message = r"e\.png does not say when the frames .* \(--force shows each for 0\.1 seconds\)"
    with pytest.raises(UserError, match=message):
        restore_gif(columns(), examine(tmp_path / "e.png"), tmp_path / "r.gif")
    restored = restore_gif(columns(), examine(tmp_path / "e.png"), tmp_path / "r.gif", force=True)
    assert "does not say when" in restored.notes[0]
    assert read_animation(tmp_path / "r.gif")[1:] == ([100] * 3, 0)


@pytest.mark.parametrize(
    "about",
    [
        {"durations": []},
        {"durations": [1, 2, 3, 4]},
        {"durations": [-1]},
        {"durations": [655_351]},
        {"durations": [True]},
        {"durations": ["100"]},
        {"durations": {"0": 1}},
        {"durations": [100], "loop": -1},
        {"durations": [100], "loop": 65_536},
        {"durations": [100], "loop": "0"},
    ],
    ids=json.dumps,
)
def test_times_out_of_range_are_refused(tmp_path, about):
    pixels = noise(8, 8)
    record = embedding_file.describe(
        pixels,
        task="video",
        images=3,
        size=(16, 16),
        model=columns().fingerprint,
        about={"loop": 0, **about},
    )
    write_embedding(tmp_path / "e.png", pixels, record)
    with pytest.raises(UserError, match="does not say when"):
        restore_gif(columns(), examine(tmp_path / "e.png"), tmp_path / "r.gif")
    assert not (tmp_path / "r.gif").exists()


def test_limits_and_wrong_models_and_outputs(tmp_path):
    source = write_gif(tmp_path / "a.gif", 3)
    with pytest.raises(UserError, match="megapixels: .*--max-pixels"):
        embed_gif(columns(), source, tmp_path / "e.png", max_pixels=100)
    with pytest.raises(UserError, match=r"must end in \.png or \.webp"):
        embed_gif(columns(), source, tmp_path / "e.gif")
    embed_gif(columns(), source, tmp_path / "e.png")
    with pytest.raises(UserError, match="--overwrite"):
        embed_gif(columns(), source, tmp_path / "e.png")
    with pytest.raises(UserError, match="was written by another model"):
        restore_gif(columns(fingerprint="f" * 64), examine(tmp_path / "e.png"), tmp_path / "r.gif")
    with pytest.raises(UserError, match=r"must end in \.gif or \.png or no suffix"):
        restore_gif(columns(), examine(tmp_path / "e.png"), tmp_path / "r.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.gif", "e.png"]


def test_an_interruption_leaves_nothing(tmp_path, monkeypatch):
    embed_gif(columns(), write_gif(tmp_path / "a.gif", 3), tmp_path / "e.png")
    before = sorted(tmp_path.iterdir())

    def full_disk(self, path, **options):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full_disk)
    with pytest.raises(UserError, match=r"r\.gif cannot be written: No space left on device"):
        restore_gif(columns(), examine(tmp_path / "e.png"), tmp_path / "r.gif")
    assert sorted(tmp_path.iterdir()) == before
