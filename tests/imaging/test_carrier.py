"""What files of the usual formats do to a picture."""

import io

import numpy as np
import pytest
from PIL import Image
from skimage import data

from iicnet_jax.imaging.carrier import parse

PICTURE = data.chelsea()[50:115, 60:139]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", ["png", "jpeg95", "jpeg40", "webp80", "avif60"])
def test_a_picture_comes_back_close_to_itself(name, channels):
    picture = np.ascontiguousarray(PICTURE[..., :channels])
    found = parse(name)(picture)
    assert (found.shape, found.dtype, str(parse(name))) == (picture.shape, np.uint8, name)
    error = np.abs(found.astype(int) - picture).mean()
    assert error == 0 if name == "png" else 0.5 < error < 8


def test_the_file_is_of_that_format_and_quality():
    assert parse("webp80").encode(PICTURE)[8:12] == b"WEBP"
    tables = Image.open(io.BytesIO(parse("jpeg50").encode(PICTURE))).quantization
    assert tables[0][0] == 16  # as in Annex K
    assert len(parse("jpeg90").encode(PICTURE)) > 2 * len(parse("jpeg30").encode(PICTURE))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gif", "'gif' is no format of png, jpeg, webp, avif"),
        ("jpeg", "jpeg has a quality of 1 to 100"),
        ("jpeg0", "jpeg has a quality of 1 to 100"),
        ("png90", "png has none"),
        ("JPEG 90", "'JPEG 90' is no carrier: write a format and a quality, such as jpeg80"),
    ],
)
def test_what_is_no_carrier_says_why(name, message):
    with pytest.raises(ValueError, match=message):
        parse(name)


def test_a_format_that_this_pillow_lacks_is_named(monkeypatch):
    monkeypatch.setattr("PIL.features.check", lambda feature: False)
    with pytest.raises(ValueError, match="this installation of Pillow cannot write avif"):
        parse("avif60")
