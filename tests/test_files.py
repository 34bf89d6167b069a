"""Files are written whole or not at all."""

import json

import pytest

from iicnet_jax import files


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    files.write_text(path, "old")

    def fail():
        with files.replacing(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_numbers_that_json_lacks_become_null(tmp_path):
    files.write_json(tmp_path / "a.json", {"a": [float("nan"), 1.5], "b": float("inf")})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": [None, 1.5], "b": None}


@pytest.mark.parametrize("exists", [False, True])
def test_a_folder_is_filled_whole_or_not_at_all(tmp_path, exists):
    folder = tmp_path / "folder"
    if exists:
        folder.mkdir()
        (folder / "old").write_text("old")
        (folder / "a").write_text("old")
    before = sorted(tmp_path.rglob("*"))

    def fill(fail):
        with files.filling(folder) as temporary:
            (temporary / "a").write_text("new")
            if fail:
                raise RuntimeError

    with pytest.raises(RuntimeError):
        fill(fail=True)
    assert sorted(tmp_path.rglob("*")) == before
    fill(fail=False)
    assert (folder / "a").read_text() == "new"
    assert sorted(path.name for path in folder.iterdir()) == ["a", "old"][: 1 + exists]
    assert list(tmp_path.iterdir()) == [folder]


def test_a_filled_folder_is_an_ordinary_one(tmp_path):
    (tmp_path / "ordinary").mkdir()
    with files.filling(tmp_path / "filled"):
        pass
    modes = {path.stat().st_mode for path in tmp_path.iterdir()}
    assert len(modes) == 1
