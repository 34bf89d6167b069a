"""Files are written whole or not at all."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from iicnet_jax.core import files


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


def test_a_symbolic_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/a").write_text("old")
    (tmp_path / "a").symlink_to("elsewhere/a")
    (tmp_path / "dangling").symlink_to(tmp_path / "elsewhere/new/b")
    for name, target in (("a", "elsewhere/a"), ("dangling", "elsewhere/new/b")):
        files.write_text(tmp_path / name, "new")
        assert (tmp_path / name).is_symlink()
        assert (tmp_path / target).read_text() == "new"


def test_links_in_and_to_a_folder_stay_when_it_is_filled(tmp_path):
    (tmp_path / "target").write_text("old")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/a").symlink_to("../target")
    (tmp_path / "link").symlink_to("folder")
    (tmp_path / "dangling").symlink_to("made")
    for name in ("link", "dangling"):
        with files.filling(tmp_path / name) as temporary:
            (temporary / "a").write_text("new")
        assert (tmp_path / name).is_symlink()
    assert (tmp_path / "folder/a").is_symlink()
    assert (tmp_path / "target").read_text() == (tmp_path / "made/a").read_text() == "new"


@pytest.mark.parametrize("name", ["a" * 255, f"{'a' * 251}.png", "é" * 127])
def test_a_file_may_have_the_longest_name(tmp_path, name):
    files.write_text(tmp_path / name, "new")
    with files.filling(tmp_path / f"{name[:-1]}b"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, f"{name[:-1]}b"])


def test_what_a_killed_program_left_is_removed_and_what_is_in_use_stays(tmp_path):
    """Bodies of one process hold their folders as those of another one do."""
    with files.replacing(tmp_path / "a") as in_use:
        in_use.write_text("new")
        left = tmp_path / f"{files.TEMPORARY}left"
        left.mkdir(mode=0o700)
        (left / "new.png").touch()
        (tmp_path / f"{files.TEMPORARY}link").symlink_to(tmp_path)
        files.write_text(tmp_path / "b", "new")
        assert not left.exists() and in_use.exists()
        assert files.writing()
    assert (tmp_path / "a").read_text() == "new"
    assert not files.writing()


def test_what_a_process_writes_stays_until_it_is_killed(tmp_path):
    program = (
        "import pathlib, sys; from iicnet_jax.core import files\n"
        "with files.replacing(pathlib.Path(sys.argv[1])) as temporary:\n"
        "    temporary.touch(); print('ready', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, tmp_path / "a"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        files.write_text(tmp_path / "b", "")
        assert len(list(tmp_path.glob(f"{files.TEMPORARY}*/new"))) == 1
        process.kill()
    files.write_text(tmp_path / "b", "")
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_names_that_are_no_text_can_be_written_about(tmp_path):
    files.write_text(tmp_path / "a", os.fsdecode(b"\xff.png"))
    assert (tmp_path / "a").read_text() == "\\udcff.png"


@pytest.mark.parametrize(
    ("typed", "path"),
    [("~/x.png", "/home/me/x.png"), ("a/~/x", "a/~/x"), ("~nobody.png", "~nobody.png")],
)
def test_a_tilde_is_the_home_folder(monkeypatch, typed, path):
    monkeypatch.setenv("HOME", "/home/me")
    assert files.typed_path(typed) == Path(path)
