"""Embedding files: what is written is read, and what happened on the way is said."""

import dataclasses
import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from iicnet_jax.media import diagnosis, embedding_file
from iicnet_jax.media.embedding_file import (
    MAX_LENGTH,
    Record,
    describe,
    examine,
    pixel_fingerprint,
    with_channels,
    write_embedding,
)
from tests.media.pictures import MODEL, noise, save

SUFFIXES = ["png", "webp"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def record_of(pixels, **fields):
    return describe(
        pixels, **{"task": "hiding", "images": 2, "size": (6, 7), "model": MODEL, **fields}
    )


def written(folder, suffix="png", channels=3):
    pixels = noise(6, 7, channels)
    path = folder / f"embedding.{suffix}"
    write_embedding(path, pixels, record_of(pixels))
    return path, pixels


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    suffix=st.sampled_from(SUFFIXES),
    channels=st.sampled_from([1, 3]),
    shape=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    size=st.tuples(st.integers(1, 2**20), st.integers(1, 2**20)),
    task=st.text("abcXYZ019_.-", min_size=1, max_size=64),
    images=st.integers(1, 1000),
    about=st.dictionaries(st.text(), JSON, max_size=3),
)
def test_record_and_pixels_come_back(
    tmp_path_factory, suffix, channels, shape, size, task, images, about
):
    path = tmp_path_factory.mktemp("embedding") / f"a.{suffix}"
    pixels = noise(*shape, channels)
    record = record_of(pixels, size=size, task=task, images=images, about=about)
    write_embedding(path, pixels, record)
    file = examine(path)
    np.testing.assert_array_equal(file.pixels, pixels)
    assert (file.record, file.problem) == (record, None)


def test_a_grey_embedding_is_a_grey_file(tmp_path):
    path, _ = written(tmp_path, channels=1)
    with Image.open(path) as image:
        assert image.mode == "L"


def test_the_record_is_a_text_that_other_programs_show(tmp_path):
    path, pixels = written(tmp_path)
    with Image.open(path) as image:
        fields = json.loads(image.text["iicnet"])
    assert fields == {
        "format": 1,
        "task": "hiding",
        "images": 2,
        "size": [6, 7],
        "channels": 3,
        "model": MODEL,
        "pixels": pixel_fingerprint(pixels),
        "about": {},
    }


def test_the_fingerprint_of_pixels_is_the_documented_one():
    # printf '1 2 3\n\0\1\2\3\4\5' | sha256sum
    pixels = np.arange(6, dtype=np.uint8).reshape(1, 2, 3)
    expected = "6ebc26fb7334943c68a046084fc1b7ec0162ddb521b0c1f8e6668d8dd7b3b32e"
    assert pixel_fingerprint(pixels) == expected
    assert pixel_fingerprint(pixels.reshape(2, 1, 3)) != expected


def keeping_the_record(path, change):
    """Saves a changed picture with the old record, as careful programs do."""
    with Image.open(path) as image:
        image.load()
        options = {}
        if image.format == "PNG":
            options["pnginfo"] = PngInfo()
            options["pnginfo"].add_itxt("iicnet", image.text["iicnet"])
        else:
            options = {"xmp": image.info["xmp"], "lossless": True}
        changed, more = change(image)
        changed.save(path, format=image.format, **(options | more))


def with_another_pixel(image):
    image.putpixel((0, 0), tuple(255 - value for value in image.getpixel((0, 0))))
    return image, {}


CHANGES = {
    "edited, recompressed or": with_another_pixel,
    r"resized or cropped \(14x12 pixels": lambda image: (image.resize((14, 12)), {}),
    r"colour-managed \(it has a colour profile\)": lambda image: (
        image.point(lambda value: min(255, value + 1)),
        {"icc_profile": b"Display P3"},
    ),
    "turned": lambda image: (image.transpose(Image.Transpose.ROTATE_90), {}),
    "reduced to grey": lambda image: (image.convert("L").convert("RGB"), {}),
}


@pytest.mark.parametrize(
    ("shape", "happened"),
    [
        ((351, 639), None),
        ((352, 640), None),  # whole squares of 2, 4, ...
        ((176, 320), None),  # of half the size
        ((351, 640), "resized or cropped"),
        ((356, 644), "resized or cropped"),
        ((640, 352), "turned"),
    ],
)
def test_embeddings_may_have_the_images_size_or_half_of_it_in_whole_squares(shape, happened):
    found = diagnosis.resized(shape, (351, 639))
    assert found is None if happened is None else found.startswith(happened)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(("looks", "change"), CHANGES.items())
def test_changed_pixels_are_noticed(tmp_path, suffix, looks, change):
    path, pixels = written(tmp_path, suffix)
    keeping_the_record(path, change)
    file = examine(path)
    assert re.search(f"changed since it was written: it looks {looks}", file.problem)
    assert file.record == record_of(pixels) and not file.record.matches(file.pixels)


def test_fewer_colours_are_noticed(tmp_path):
    path, _ = written(tmp_path, "png")
    keeping_the_record(path, lambda image: (image.quantize(16), {}))
    assert "it looks reduced to a palette" in examine(path).problem


def test_lossy_compression_is_noticed(tmp_path):
    path, _ = written(tmp_path, "webp")
    keeping_the_record(path, lambda image: (image, {"lossless": False}))
    file = examine(path)
    assert re.search("has been changed .* it looks recompressed with loss", file.problem)
    save(path, file.pixels, format="JPEG")
    assert "is a JPEG file without a record" in examine(path).problem
    assert examine(path).record is None


HARMLESS = {
    "opaque alpha": lambda image: (image.convert("RGBA"), {}),
    "palette": lambda image: (image.quantize(256), {}),
    "profile and turn": lambda image: (image, {"icc_profile": b"Display P3", "exif": turned()}),
}


def turned():
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS.keys())
def test_another_file_of_the_same_pixels_is_intact(tmp_path, change, channels):
    path, pixels = written(tmp_path, channels=channels)
    keeping_the_record(path, change)
    np.testing.assert_array_equal(examine(path).pixels, pixels)
    assert examine(path).problem is None


def test_a_colour_embedding_that_a_program_stored_as_grey_is_intact(tmp_path):
    pixels = np.repeat(noise(6, 7, 1), 3, axis=2)
    write_embedding(tmp_path / "a.png", pixels, record_of(pixels))
    keeping_the_record(tmp_path / "a.png", lambda image: (image.convert("L"), {}))
    np.testing.assert_array_equal(examine(tmp_path / "a.png").pixels, pixels)
    assert examine(tmp_path / "a.png").problem is None


def test_one_channel_and_three_equal_ones_are_the_same_picture():
    grey = noise(6, 7, 1)
    colour = np.repeat(grey, 3, axis=2)
    np.testing.assert_array_equal(with_channels(grey, 3), colour)
    np.testing.assert_array_equal(with_channels(colour, 1), grey)
    assert with_channels(noise(6, 7), 1) is None


def test_a_file_without_a_record_is_just_pixels(tmp_path):
    pixels = noise(3, 4)
    file = examine(save(tmp_path / "a.png", pixels))
    np.testing.assert_array_equal(file.pixels, pixels)
    assert (file.record, file.problem) == (None, None)


GOOD = json.loads(record_of(noise(1, 1)).to_json())
BAD_FIELDS = [
    ("format", 0, "its format cannot be 0"),
    ("format", "1", "its format cannot be '1'"),
    ("format", True, "its format cannot be True"),
    ("format", 2, "it has the format 2, and this program reads up to 1: use a newer iicnet_jax"),
    ("task", "", "its task cannot be ''"),
    ("task", "a" * 65, "its task"),
    ("task", "\x1b[2Jhiding", r"its task cannot be '\\x1b"),
    ("task", 3, "its task"),
    ("images", 0, "its images cannot be 0"),
    ("images", 1001, "its images"),
    ("images", 2.0, "its images"),
    ("images", True, "its images"),
    ("size", [6], "its size"),
    ("size", [6, 0], "its size"),
    ("size", [6, 2**20 + 1], "its size"),
    ("size", "67", "its size"),
    ("size", {"6": 7}, "its size"),
    ("channels", 2, "its channels"),
    ("channels", 4, "its channels"),
    ("model", MODEL.upper(), "its model"),
    ("model", MODEL[1:], "its model"),
    ("pixels", None, "its pixels"),
    ("about", [], "its about"),
]


@pytest.mark.parametrize(("field", "value", "message"), BAD_FIELDS)
def test_values_out_of_range_are_refused(field, value, message):
    Record.from_json(json.dumps(GOOD))
    with pytest.raises(ValueError, match=message):
        Record.from_json(json.dumps(GOOD | {field: value}))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is no JSON"),
        ("[]", "it is no JSON object"),
        ("{}", "its format cannot be None"),
        ('{"format": 1}', "it lacks channels, images, model, pixels, size, task"),
        ("[" * 60000, "it is no JSON"),
        (f'{{"format": {"9" * 5000}}}', "it is no JSON"),
        ('{"format": NaN}', "it is no JSON"),
        *(
            (f'{{"{name}": {"[" * depth}{"]" * depth}}}', "it is nested more than 32 deep")
            for name in ("about", "size", "later")
            for depth in (32, 900)
        ),
        (" " * (MAX_LENGTH + 1), "has 65537 characters, and at most 65536"),
    ],
)
def test_what_is_no_record_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        Record.from_json(text)


def test_what_a_task_adds_may_be_nested_but_not_without_end():
    def nested(depth):
        return record_of(noise(1, 1), about={"a": [] if depth == 2 else nested(depth - 1).about})

    record = nested(31)
    assert Record.from_json(record.to_json()) == record
    with pytest.raises(ValueError, match="its about cannot be"):
        nested(32)


def test_fields_of_later_programs_are_passed_over():
    assert Record.from_json(json.dumps(GOOD | {"later": 1})) == record_of(noise(1, 1))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_unusable_record_is_named(tmp_path, suffix, monkeypatch):
    pixels = noise(6, 7)
    path = tmp_path / f"a.{suffix}"
    monkeypatch.setattr(embedding_file, "FORMAT_VERSION", 2)
    write_embedding(path, pixels, record_of(pixels))
    monkeypatch.undo()
    file = examine(path)
    assert "record that cannot be used: it has the format 2" in file.problem
    np.testing.assert_array_equal(file.pixels, pixels)
    assert file.record is None


def test_what_is_written_must_fit_together(tmp_path):
    pixels = noise(6, 7)
    with pytest.raises(ValueError, match="describes other pixels"):
        write_embedding(tmp_path / "a.png", pixels, record_of(pixels // 2))
    long = record_of(pixels, about={"numbers": list(range(20000))})
    with pytest.raises(ValueError, match="at most 65536 characters"):
        write_embedding(tmp_path / "a.png", pixels, long)
    with pytest.raises(ValueError, match="its size"):
        dataclasses.replace(record_of(pixels), size=(0, 7))
    assert not list(tmp_path.iterdir())


def test_the_longest_record_is_read(tmp_path):
    pixels = noise(6, 7)
    record = record_of(pixels, about={"quotes": '"' * 30000, "more": ""})
    spare = MAX_LENGTH - len(record.to_json())
    record = record_of(pixels, about={**record.about, "more": "a" * spare})
    assert len(record.to_json()) == MAX_LENGTH
    for suffix in SUFFIXES:
        write_embedding(tmp_path / f"a.{suffix}", pixels, record)
        assert examine(tmp_path / f"a.{suffix}").record == record
