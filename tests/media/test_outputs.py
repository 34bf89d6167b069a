"""What is told before the long work about files that could not be written after it."""

import os

import pytest

from iicnet_jax.core.errors import UserError
from iicnet_jax.core.files import TEMPORARY
from iicnet_jax.media.outputs import check_file, check_folder, check_form

PNG = (".png",)


def test_what_is_there_stays_unless_it_is_to_be_replaced(tmp_path):
    path = tmp_path / "a.png"
    assert check_form(path.with_suffix(".PNG"), PNG, False) == ".png"
    path.touch()
    with pytest.raises(UserError, match=r"a\.png exists: name another file, or pass --overwrite"):
        check_file(path, PNG, False)
    check_file(path, PNG, True)
    check_folder(tmp_path, False, ["b.png"])
    with pytest.raises(UserError, match=r"already holds a\.png: name another folder"):
        check_folder(tmp_path, False, ["a.png", "b.png"])
    with pytest.raises(UserError, match=r"already holds a\.png: name another folder"):
        check_form(tmp_path / "", ("",), False)
    check_folder(tmp_path, True, ["a.png"])


def test_files_and_folders_do_not_take_each_others_place(tmp_path):
    (tmp_path / "a.png").mkdir()
    (tmp_path / "file").touch()
    for overwrite in (False, True):
        with pytest.raises(UserError, match=r"a\.png is a folder: name a file"):
            check_file(tmp_path / "a.png", PNG, overwrite)
        with pytest.raises(UserError, match=r"a\.png is a folder: name another folder"):
            check_folder(tmp_path, overwrite, ["a.png"])
        with pytest.raises(UserError, match="file is a file: name a folder"):
            check_folder(tmp_path / "file", overwrite)
        with pytest.raises(UserError, match=r"b\.png cannot be written: .*file is a file"):
            check_file(tmp_path / "file/more/b.png", PNG, overwrite)


def test_a_folder_without_the_right_to_write_is_named(tmp_path, monkeypatch):
    # Root may write everywhere, so that permissions of a real folder would show nothing.
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    check_file(tmp_path.parent / "x.png", PNG, False)
    for check in (
        lambda: check_file(tmp_path / "new/x.png", PNG, False),
        lambda: check_folder(tmp_path / "new", False),
        lambda: check_folder(tmp_path, False, []),
    ):
        with pytest.raises(UserError, match=f"cannot be written: {tmp_path} is read-only"):
            check()


def test_a_link_counts_as_what_it_leads_to_even_if_that_is_not_there(tmp_path):
    for name in ("a.png", "folder"):
        (tmp_path / name).symlink_to(tmp_path / f"nowhere/{name}")
    with pytest.raises(UserError, match=r"a\.png is a link to .*/a\.png, which is not there"):
        check_file(tmp_path / "a.png", PNG, False)
    with pytest.raises(UserError, match="folder is a link to .*/folder, which is not there"):
        check_folder(tmp_path / "folder", False)
    check_file(tmp_path / "a.png", PNG, True)
    check_folder(tmp_path / "folder", True)
    with pytest.raises(UserError, match=r"already holds a\.png"):
        check_folder(tmp_path, False, ["a.png"])
    (tmp_path / "device.png").symlink_to("/dev/null")
    with pytest.raises(UserError, match=r"device\.png is no ordinary file"):
        check_file(tmp_path / "device.png", PNG, True)


def test_names_that_the_disk_does_not_take_are_told(tmp_path):
    check_file(tmp_path / f"{'a' * 251}.png", PNG, False)
    for name in (f"{'a' * 252}.png", f"{'ä' * 126}.png", f"new/{'a' * 252}.png", f"{'a/' * 2048}a"):
        with pytest.raises(UserError, match=r"cannot be written \(File name too long\)"):
            check_file(tmp_path / f"{name}.png", PNG, False)
        with pytest.raises(UserError, match=r"cannot be written \(File name too long\)"):
            check_folder(tmp_path / name, False)


def test_what_a_killed_program_left_does_not_fill_a_folder(tmp_path):
    (tmp_path / f"{TEMPORARY}left").mkdir()
    check_folder(tmp_path, False)
