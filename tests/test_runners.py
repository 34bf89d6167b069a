"""Runners from end to end, as a user starts them, on the sample in miniature.

Those that share a network with another; `test_tables.py` plans all of them.
"""

import csv
import subprocess
import sys

import pytest

from tests.program import ROOT, environment


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("miniature")


def start(folder, name, *arguments):
    """Runs a table in a folder that all share; returns its text and its lines."""
    cache = folder / "compiled"
    done = subprocess.run(
        [
            *(sys.executable, "-m", f"experiments.{name}", "--data=sample", "--seeds=1"),
            *(f"--workdir={folder / 'runs'}", *arguments),
        ],
        cwd=ROOT,
        env=environment(cache),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with open(folder / "runs" / f"{name}.csv", encoding="utf-8", newline="") as file:
        return done.stdout, list(csv.DictReader(file))


# Compiling the relation module takes longest; the tests of experiments have done that.
SMALL = "--config.model.relation=False"


@pytest.mark.parametrize(
    ("name", "arguments", "count"),
    [
        ("stereo", (SMALL,), 6),
        ("ablations", ("--only=stereo", SMALL), 4),  # the same run
        ("table1", ("--only=mono-01", SMALL), 4),  # the same run
        # One row each of larger tables.
        ("table5", ("--only=hp", SMALL), 4),
        ("video", ("--only=n3_down", SMALL), 4),  # the same run
    ],
)
def test_a_table_in_miniature(name, arguments, count, folder):
    known = set(folder.glob("runs/*/config.json"))
    text, rows = start(folder, name, *arguments)
    assert "MINIATURE: reduced networks" in text and "is not the published dataset" in text
    assert len(rows) == count
    for row in rows:
        assert row["remark"] == "" and row["images"] == row["seeds"] == "1"
        assert float(row["ours"]) > 0
        assert (folder / "runs" / row["run"] / "results.json").is_file()
        assert row["note"].startswith("MINIATURE")
    for suffix in ("txt", "md", "tex"):
        assert "MINIATURE" in (folder / "runs" / f"{name}.{suffix}").read_text()
    # What another table has learnt is not learnt again.
    if name in ("ablations", "table1", "video"):
        assert set(folder.glob("runs/*/config.json")) == known
