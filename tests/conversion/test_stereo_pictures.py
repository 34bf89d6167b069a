"""Stereo pictures in their left views, and back."""

import numpy as np
import pytest

from iicnet_jax.conversion.stereo import embed_stereo, restore_stereo
from iicnet_jax.core.errors import UserError
from iicnet_jax.imaging.picture_reader import read_picture
from iicnet_jax.media.embedding_file import examine, inspect
from tests.media.clips import columns
from tests.media.pictures import noise, save

LEFT, RIGHT = np.full((9, 8, 3), 40, np.uint8), np.full((9, 8, 3), 90, np.uint8)


@pytest.fixture(params=["two files", "side by side"])
def inputs(tmp_path, request):
    if request.param == "two files":
        return [save(tmp_path / "l.png", LEFT), save(tmp_path / "r.png", RIGHT)]
    return [save(tmp_path / "both.png", np.concatenate([LEFT, RIGHT], axis=1))]


def test_both_forms_come_back_in_both_forms(tmp_path, inputs):
    result = embed_stereo(columns(2), inputs, tmp_path / "e.png")
    assert (result.record.size, result.notes) == ((9, 8), ())
    assert read_picture(result.path).pixels[0, 0, 0] == 40  # the left view is the reference
    form = {} if len(inputs) == 2 else {"grouping": "side-by-side"}
    assert inspect(result.path)["record"]["about"] == form

    (path,) = restore_stereo(columns(2), examine(result.path), tmp_path / "both.webp").paths
    np.testing.assert_array_equal(read_picture(path).pixels, np.concatenate([LEFT, RIGHT], axis=1))
    left, right = restore_stereo(columns(2), examine(result.path), tmp_path / "views").paths
    assert (left.name, right.name) == ("left.png", "right.png")
    np.testing.assert_array_equal(read_picture(left).pixels, LEFT)
    np.testing.assert_array_equal(read_picture(right).pixels, RIGHT)


def test_notes_name_the_file(tmp_path):
    source = save(tmp_path / "grey.png", noise(4, 6, 1)[..., 0])
    result = embed_stereo(columns(2), [source], tmp_path / "e.png")
    assert result.notes == (f"{source} is grey, and becomes RGB",)


def test_what_is_no_pair_of_views_is_refused(tmp_path, inputs):
    output = tmp_path / "e.png"
    with pytest.raises(UserError, match="3 files are given: name the left and the right view, or"):
        embed_stereo(columns(2), [inputs[0]] * 3, output)
    with pytest.raises(UserError, match="embeds 3 images, but two views need one that embeds 2"):
        embed_stereo(columns(3), inputs, output)
    odd = save(tmp_path / "odd.png", noise(4, 7))
    with pytest.raises(UserError, match=r"odd\.png has 7 columns, which are no two views of one"):
        embed_stereo(columns(2), [odd], output)
    with pytest.raises(UserError, match="all pictures need one size; --fit"):
        embed_stereo(columns(2), [inputs[0], odd], output)
    assert not output.exists()
    embed_stereo(columns(2), [inputs[0], odd], output, fit=True)


def test_outputs_and_other_models(tmp_path, inputs):
    output = embed_stereo(columns(2), inputs, tmp_path / "e.png").path
    for name, message in [
        ("e.png", "exists: name another file, or pass --overwrite"),
        ("r.jpg", r"must end in \.png or \.webp or no suffix, for a folder"),
    ]:
        with pytest.raises(UserError, match=message):
            restore_stereo(columns(2), examine(output), tmp_path / name)
    with pytest.raises(UserError, match="was written by another model"):
        restore_stereo(columns(2, fingerprint="f" * 64), examine(output), tmp_path / "new.png")
    assert not (tmp_path / "new.png").exists()
    with pytest.raises(UserError, match="already holds .*: name another folder, or pass --over"):
        restore_stereo(columns(2), examine(output), tmp_path)
    with pytest.raises(UserError, match="exists"):
        embed_stereo(columns(2), inputs, output)
    embed_stereo(columns(2), inputs, output, overwrite=True)
