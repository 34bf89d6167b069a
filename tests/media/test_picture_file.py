"""Pictures are written without loss, or not at all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from iicnet_jax.core.errors import UserError
from iicnet_jax.imaging.picture_reader import read_picture
from iicnet_jax.media.picture_file import check_output, write_picture
from tests.media.pictures import noise, save

PIXELS = noise(5, 7)


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
        check_output(path, overwrite=False)
    assert path.read_bytes() == before
    check_output(path, overwrite=True)
    write_picture(path, PIXELS // 2)
    np.testing.assert_array_equal(read_picture(path).pixels, PIXELS // 2)


def test_lossy_and_impossible_outputs_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"must end in \.png or \.webp"):
        check_output(tmp_path / "a.jpg", overwrite=False)
    with pytest.raises(UserError, match="at most 16383 pixels a side, and this picture 16384"):
        write_picture(tmp_path / "a.webp", np.zeros((1, 16384, 3), np.uint8))
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written: "):
        write_picture(tmp_path / "file" / "a.png", PIXELS)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
