"""Pictures of users: every kind becomes 8-bit RGB visibly, or is refused in one line."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image, PngImagePlugin

from iicnet_jax.core.errors import UserError
from iicnet_jax.imaging.picture_reader import FORMATS, picture_size, read_picture
from tests.media.pictures import noise, save

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


def png(path, depth, colour_type, values, key=None):
    """A PNG of one row, also of those kinds that Pillow can read but not write."""

    def chunk(kind, data):
        crc = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + crc

    width = len(values) // (3 if colour_type == 2 else 1)
    bits = "".join(f"{value:0{depth}b}" for value in values)
    row = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, 1, depth, colour_type, 0, 0, 0))]
    if key is not None:
        chunks.append((b"tRNS", struct.pack(f">{len(key)}H", *key)))
    chunks += [(b"IDAT", zlib.compress(b"\0" + row)), (b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks))
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
    picture = read_picture(png(tmp_path / "a.png", 16, 2, [0x1234, 0x8000, 0xFFFF]))
    np.testing.assert_allclose(picture.pixels[0, 0], [0x12, 0x80, 0xFF], atol=1)
    assert picture.notes == ("has 16 bits a channel, and is reduced to 8",)


WHITE = [255] * 3


@pytest.mark.parametrize(
    ("depth", "values", "key", "expected"),
    [
        (1, [0, 1], [1], [0, 255]),
        (1, [0, 1], [0], [255, 255]),
        (2, [0, 1, 2, 3], [2], [0, 85, 255, 255]),
        (4, [0, 7, 8, 15], [7], [0, 255, 8 * 17, 255]),
        (4, [0, 7, 8, 15], [0xF7], [0, 255, 8 * 17, 255]),  # the lowest bits count
        (8, [0, 7, 8, 15], [7], [0, 255, 8, 15]),
        (8, [0, 7, 8, 15], [0x107], [0, 255, 8, 15]),
        (16, [0, 30000, 30001, 65535], [30000], [0, 255, 117, 255]),
    ],
)
def test_a_grey_that_is_transparent_becomes_white(tmp_path, depth, values, key, expected):
    picture = read_picture(png(tmp_path / "a.png", depth, 0, values, key))
    assert picture.pixels[0].tolist() == [[grey] * 3 for grey in expected]
    assert "is transparent in places, which become white" in picture.notes


@pytest.mark.parametrize(
    ("depth", "values", "key", "expected"),
    [
        (8, [1, 2, 3, 1, 2, 4], [1, 2, 3], [WHITE, [1, 2, 4]]),
        (16, [256, 512, 769, 256, 512, 768], [256, 512, 768], [[1, 2, 3], WHITE]),
    ],
)
def test_a_colour_that_is_transparent_becomes_white(tmp_path, depth, values, key, expected):
    path = png(tmp_path / "a.png", depth, 2, values, key)
    for file in (path, io.BytesIO(path.read_bytes())):
        picture = read_picture(file, "a.png")
        assert picture.pixels[0].tolist() == expected
        assert "is transparent in places, which become white" in picture.notes


def test_a_key_colour_that_is_nowhere_changes_nothing(tmp_path):
    picture = read_picture(png(tmp_path / "a.png", 4, 0, [1, 2], [3]))
    assert picture.pixels[0, :, 0].tolist() == [17, 34]
    assert picture.notes == ("is grey, and becomes RGB",)


def ramp(channels, dtype=np.uint16):
    """Smooth, and in high and low bytes different."""
    greatest = np.iinfo(dtype).max
    values = np.linspace(0, greatest, 6 * 8 * channels).round().astype(dtype)
    return values.reshape(6, 8, channels)


def eight_bits(values):
    return values if values.dtype == np.uint8 else (values >> 8).astype(np.uint8)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("byte_order", ["<", ">"])
@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_colour_tiffs_of_any_layout(tmp_path, compression, byte_order, planes, dtype):
    pixels = ramp(3, dtype)
    stored = pixels if planes == "contig" else np.moveaxis(pixels, 2, 0)
    options = {"byteorder": byte_order, "planarconfig": planes, "compression": compression}
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", **options)
    picture = read_picture(tmp_path / "a.tif")
    np.testing.assert_array_equal(picture.pixels, eight_bits(pixels))
    sixteen = ("has 16 bits a channel, and is reduced to 8",)
    assert picture.notes == (sixteen if dtype == np.uint16 else ())


def test_an_uncompressed_ycbcr_tiff(tmp_path):
    pixels = noise(6, 8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="ycbcr")
    expected = Image.fromarray(pixels, "YCbCr").convert("RGB")
    np.testing.assert_allclose(read_picture(tmp_path / "a.tif").pixels, expected, atol=2)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("kind", ["minisblack", "miniswhite"])
@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint16])
def test_grey_tiffs_of_which_zero_is_black_or_white(tmp_path, compression, kind, dtype):
    grey = ramp(1)[..., 0]
    stored = {bool: grey > 999, np.uint8: eight_bits(grey), np.uint16: grey}[dtype]
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric=kind, compression=compression)
    expected = {bool: 255.0 * stored, np.uint8: stored, np.uint16: np.round(grey / 257)}[dtype]
    expected = expected if kind == "minisblack" else 255 - expected
    picture = read_picture(tmp_path / "a.tif")
    np.testing.assert_array_equal(picture.pixels, repeated(expected))
    assert ("has 16 bits a channel, and is reduced to 8" in picture.notes) == (dtype == np.uint16)


def test_twelve_bits_of_grey_span_the_whole_range(tmp_path):
    stored = "".join(f"{value:012b}" for value in (0, 2048, 4080, 4095))
    row = np.frombuffer(int(stored, 2).to_bytes(6, "big"), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", row[None], photometric="minisblack", byteorder="<")
    data = (tmp_path / "a.tif").read_bytes()
    # The width and the bits of a pixel.
    for tag, before, after in [(256, 6, 4), (258, 8, 12)]:
        at = next(i for i in range(len(data)) if data[i:].startswith(struct.pack("<H", tag)))
        assert data[at + 8] == before
        data = data[: at + 8] + bytes([after]) + data[at + 9 :]
    (tmp_path / "a.tif").write_bytes(data)
    picture = read_picture(tmp_path / "a.tif")
    assert picture.pixels[0, :, 0].tolist() == [0, 128, 254, 255]
    assert "has 12 bits a channel, and is reduced to 8" in picture.notes


@pytest.mark.parametrize(
    ("pixels", "options"),
    [
        (np.int8([[-128, 127]]), {}),
        (np.int16([[-128, 127]]), {}),
        (np.zeros((2, 3, 4), np.uint8), {"planarconfig": "separate", "extrasamples": [2]}),
    ],
    ids=["signed", "signed 16 bits", "grey and alpha in planes"],
)
def test_tiffs_that_pillow_takes_for_others_are_refused(tmp_path, pixels, options):
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack", **options)
    with pytest.raises(UserError, match=r"a\.tif has pixels of the kind .*convert it to 8-bit RGB"):
        read_picture(tmp_path / "a.tif")


def test_a_bmp_of_16_bits_a_pixel_has_fewer_a_channel(tmp_path):
    header = struct.pack("<IiiHHIIiiII", 40, 2, 1, 1, 16, 0, 4, 0, 0, 0, 0)
    pixels = struct.pack("<HH", 31 << 10, 31 << 5)
    start = b"BM" + struct.pack("<IHHI", 58, 0, 0, 54)
    (tmp_path / "a.bmp").write_bytes(start + header + pixels)
    picture = read_picture(tmp_path / "a.bmp")
    assert picture.pixels.tolist() == [[[255, 0, 0], [0, 255, 0]]]
    assert picture.notes == ()


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


# What is done to an array by EXIF orientation.
UPRIGHT = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: stored[::-1, ::-1].swapaxes(0, 1),
    8: lambda stored: np.rot90(stored),
}


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_a_photograph_is_turned_as_its_camera_says(tmp_path, orientation, file_format):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if file_format == "WEBP" else {}
    path = save(tmp_path / "a", PIXELS, exif=exif, format=file_format, **options)
    picture = read_picture(path)
    np.testing.assert_array_equal(picture.pixels, UPRIGHT[orientation](PIXELS))
    assert picture_size(path) == picture.pixels.shape[:2]
    expected = () if orientation == 1 else ("is turned upright, as its EXIF data say",)
    assert picture.notes == expected
    if file_format != "TIFF":
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


@pytest.mark.parametrize(
    "error",
    [ValueError, SyntaxError, struct.error, EOFError, MemoryError, RecursionError, KeyError],
)
def test_whatever_a_decoder_raises_the_message_names_the_file(tmp_path, monkeypatch, error):
    def load(image):
        raise error("broken")

    path = save(tmp_path / "a.png", PIXELS)
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", load)
    with pytest.raises(UserError, match=r"a\.png is damaged \('?broken'?\): replace the file"):
        read_picture(path)


def test_a_disk_that_cannot_be_read_does_not_damage_the_file(tmp_path):
    name = "n" * 300
    with pytest.raises(UserError, match=f"{name} cannot be read: File name too long"):
        read_picture(tmp_path / name)
