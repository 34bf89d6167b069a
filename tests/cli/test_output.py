"""What is printed, whatever names are made of and whoever reads it."""

import io
import json
import os
import sys

import pytest
from PIL import Image

from iicnet_jax import cli
from iicnet_jax.core import console

NAME = os.fsdecode(b"\xff.png")  # no text in UTF-8


@pytest.fixture
def picture(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (3, 2)).save(NAME)


def test_names_that_are_no_text_are_printed(picture, capfd, monkeypatch):
    with monkeypatch.context() as patch, open(1, "w", encoding="utf-8", closefd=False) as stdout:
        patch.setattr(sys, "stdout", stdout)
        cli.main(["inspect", NAME])
    stdout, stderr = capfd.readouterr()
    assert stdout == "\\udcff.png: PNG, 3x2: no record of what is in it\n"
    assert stderr == ""


def test_names_that_are_no_text_come_back_from_json(picture, capsys):
    cli.main(["inspect", "--json", NAME])
    [found] = json.loads(capsys.readouterr().out)
    assert found["file"] == NAME


@pytest.fixture
def stdout(monkeypatch):
    """Lets stdout be another file, and fails if that complains when it is closed."""

    def replace(file):
        stream = io.TextIOWrapper(io.BufferedWriter(io.FileIO(file, "w")))
        monkeypatch.setattr(sys, "stdout", stream)
        opened.append(stream)

    opened = []
    yield replace
    for stream in opened:
        stream.close()


@pytest.fixture
def unread():
    """A pipe whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


@pytest.mark.parametrize("arguments", [["--help"], ["models"], ["inspect", NAME]])
def test_a_reader_that_has_gone_is_no_mistake(picture, stdout, unread, capsys, arguments):
    stdout(unread)
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 141
    assert capsys.readouterr().err == ""


def test_much_output_that_nobody_reads(stdout, unread):
    stdout(unread)
    with pytest.raises(SystemExit, match="141"), console.printing():
        print("x" * 1_000_000)


def test_output_that_the_disk_refuses_is_told(picture, stdout, capsys):
    stdout("/dev/full")
    with pytest.raises(SystemExit) as ended:
        cli.main(["inspect", NAME])
    assert ended.value.code == 1
    assert capsys.readouterr().err == "error: No space left on device\n"
