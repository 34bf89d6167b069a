"""Pictures of users: every kind becomes 8-bit RGB visibly, or is refused in one line."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import noise, save
from PIL import Image

from iicnet_jax.errors import UserError
from iicnet_jax.media.images import FORMATS, read_picture, write_picture

PIXELS = noise(5, 7)
GREY = noise(5, 7, 1)[..., 0]


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_every_allowed_format_is_read(tmp_path, file_format):
    grey = np.repeat(GREY[..., None], 3, axis=2)  # few colours, for the palette of a GIF
    options = {"lossless": True} if file_format == "WEBP" else {}
    picture = read_picture(save(tmp_path / "a", grey, format=file_format, **options))
    assert picture.format == file_format
    assert picture.pixels.shape == grey.shape
    if file_format != "JPEG":
        np.testing.assert_array_equal(picture.pixels, grey)


def test_other_formats_are_refused_even_if_pillow_knows_them(tmp_path):
    path = save(tmp_path / "a.png", PIXELS, format="PPM")
    with pytest.raises(UserError, match="not a picture that can be read: convert it to one of PNG"):
        read_picture(path)


def sixteen_bit_rgb(path):
    """A PNG of one pixel that Pillow can read but not write."""

    def chunk(kind, data):
        crc = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + crc

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(b"\0\x12\x34\x80\x00\xff\xff"))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + data + chunk(b"IEND", b""))
    return path


def with_alpha(alpha):
    return np.dstack([PIXELS, np.full(PIXELS.shape[:2], alpha, np.uint8)])


def half(pixels):
    """Over white, at half opacity."""
    return np.round(pixels * (128 / 255) + 127).astype(np.uint8)


def repeated(grey):
    return np.repeat(grey[..., None], 3, axis=2)


@pytest.mark.parametrize(
    ("image", "expected", "note"),
    [
        (Image.fromarray(PIXELS), PIXELS, None),
        (Image.fromarray(GREY), repeated(GREY), "is grey"),
        (Image.fromarray(GREY > 99), repeated(255 * (GREY > 99)), "is black and white"),
        (Image.fromarray(GREY).convert("P"), repeated(GREY), "has a palette"),
        (Image.fromarray(with_alpha(255)), PIXELS, None),
        (Image.fromarray(with_alpha(0)), np.full_like(PIXELS, 255), "which become white"),
        (Image.fromarray(with_alpha(128)), half(PIXELS), "which become white"),
        (Image.fromarray(GREY.astype(np.uint16) * 257), repeated(GREY), "16 bits"),
    ],
    ids=["RGB", "grey", "1 bit", "palette", "opaque", "clear", "half clear", "16 bits"],
)
def test_what_is_not_rgb_is_converted_visibly(tmp_path, image, expected, note):
    image.save(tmp_path / "a.png")
    picture = read_picture(tmp_path / "a.png")
    np.testing.assert_allclose(picture.pixels, expected, atol=1 if note and "white" in note else 0)
    assert bool(picture.notes) == bool(note)
    assert note is None or any(note in text for text in picture.notes)


def test_sixteen_bits_of_colour_are_reduced_visibly(tmp_path):
    picture = read_picture(sixteen_bit_rgb(tmp_path / "a.png"))
    np.testing.assert_allclose(picture.pixels[0, 0], [0x12, 0x80, 0xFF], atol=1)
    assert picture.notes == ("has 16 bits a channel, and is reduced to 8",)


def test_cmyk_is_converted_visibly(tmp_path):
    Image.new("CMYK", (4, 4)).save(tmp_path / "a.jpg")
    picture = read_picture(tmp_path / "a.jpg")
    np.testing.assert_allclose(picture.pixels, 255, atol=1)
    assert "is CMYK" in picture.notes[0]


@pytest.mark.parametrize("mode", ["F", "I", "LAB"])
def test_values_without_a_range_are_refused(tmp_path, mode):
    Image.new(mode, (4, 4)).save(tmp_path / "a.tif")
    with pytest.raises(UserError, match=f"a.tif has pixels of the kind {mode}.*convert it"):
        read_picture(tmp_path / "a.tif")


def test_a_photograph_is_turned_as_its_camera_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show the picture turned clockwise
    path = save(tmp_path / "a.png", PIXELS, exif=exif)
    picture = read_picture(path)
    np.testing.assert_array_equal(picture.pixels, np.rot90(PIXELS, -1))
    assert picture.notes == ("is turned upright, as its EXIF data say",)
    np.testing.assert_array_equal(read_picture(path, upright=False).pixels, PIXELS)


def test_damaged_exif_does_not_cost_the_picture(tmp_path):
    path = save(tmp_path / "a.png", PIXELS, exif=b"Exif\0\0II*\0\xff\xff\xff")
    picture = read_picture(path)
    np.testing.assert_array_equal(picture.pixels, PIXELS)


def test_of_an_animation_the_first_picture_is_taken(tmp_path):
    first, second = Image.fromarray(GREY), Image.fromarray(255 - GREY)
    first.save(tmp_path / "a.gif", save_all=True, append_images=[second])
    picture = read_picture(tmp_path / "a.gif")
    np.testing.assert_array_equal(picture.pixels, repeated(GREY))
    assert "holds several pictures; only the first is used" in picture.notes


@pytest.mark.parametrize(("profile", "notes"), [(b"..sRGB..", 0), (b"Display P3", 1)])
def test_a_colour_profile_that_matters_is_named(tmp_path, profile, notes):
    picture = read_picture(save(tmp_path / "a.png", PIXELS, icc_profile=profile))
    assert len(picture.notes) == notes


def test_pixels_are_counted_before_they_are_decoded(tmp_path):
    path = save(tmp_path / "a.png", PIXELS)
    limit = Image.MAX_IMAGE_PIXELS
    assert read_picture(path, max_pixels=35).pixels.shape == (5, 7, 3)
    for max_pixels in (34, 17, 1):
        with pytest.raises(UserError, match="megapixels: make it smaller, or allow more with"):
            read_picture(path, max_pixels=max_pixels)
    assert limit == Image.MAX_IMAGE_PIXELS


def test_a_bomb_is_refused_by_its_header(tmp_path):
    data = bytearray(save(tmp_path / "a.png", PIXELS).read_bytes())
    data[16:24] = struct.pack(">II", 2**31 - 1, 2**31 - 1)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(UserError, match="has more than 200 megapixels"):
        read_picture(tmp_path / "a.png")


def test_files_that_are_no_pictures_are_named(tmp_path):
    with pytest.raises(UserError, match=r"there is no file .*nothing\.png"):
        read_picture(tmp_path / "nothing.png")
    with pytest.raises(UserError, match="cannot be opened: Is a directory"):
        read_picture(tmp_path)
    (tmp_path / "a.png").write_text("hello")
    with pytest.raises(UserError, match="not a picture"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize("file_format", FORMATS)
def test_half_a_file_is_damaged(tmp_path, file_format):
    path = save(tmp_path / "a", noise(40, 40), format=file_format)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match=f"{path} is (damaged .*replace the file|not a picture)"):
        read_picture(path)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from([1, 3]),
    st.sampled_from(["png", "webp"]),
)
def test_what_is_written_is_what_is_read(tmp_path_factory, height, width, channels, suffix):
    path = tmp_path_factory.mktemp("written") / f"a.{suffix}"
    pixels = noise(height, width, channels, seed=height)
    write_picture(path, pixels)
    read = read_picture(path).pixels
    np.testing.assert_array_equal(read, np.broadcast_to(pixels, read.shape))


def test_one_channel_is_a_grey_png(tmp_path):
    write_picture(tmp_path / "a.png", noise(3, 4, 1))
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "L"


def test_files_are_replaced_only_on_request(tmp_path):
    path = save(tmp_path / "a.png", PIXELS)
    before = path.read_bytes()
    with pytest.raises(UserError, match="exists: name another file, or pass --overwrite"):
        write_picture(path, PIXELS // 2)
    assert path.read_bytes() == before
    write_picture(path, PIXELS // 2, overwrite=True)
    np.testing.assert_array_equal(read_picture(path).pixels, PIXELS // 2)


def test_lossy_and_impossible_outputs_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"must end in \.png or \.webp"):
        write_picture(tmp_path / "a.jpg", PIXELS)
    with pytest.raises(UserError, match="at most 16383 pixels a side, and this picture 16384"):
        write_picture(tmp_path / "a.webp", np.zeros((1, 16384, 3), np.uint8))
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written: "):
        write_picture(tmp_path / "file" / "a.png", PIXELS)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
