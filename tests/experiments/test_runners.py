"""Runners from end to end on the sample in miniature: one row of a table; at night of every table.

They train and evaluate in this process, where what has been compiled for one is there for the
next. `test_tables.py` plans all rows of all tables.
"""

import csv
import importlib

import pytest
from flax import nnx

from experiments import runner
from experiments.sizes import MINIATURE
from iicnet_jax.experiment.evaluate import evaluate
from iicnet_jax.experiment.run import load_config
from iicnet_jax.experiment.train import train
from iicnet_jax.models.abstract import ConstantRngs
from tests import program, two_steps

# Compiling the relation module takes longest; the tests of experiments have done that.
SMALL = ["--config.model.relation=False"]
# A row of each table, how many measures it has, and what else is asked for.
ROWS = {
    "stereo": ("stereo", 6, SMALL),
    "ablations": ("stereo", 4, SMALL),
    "table1": ("mono-01", 4, SMALL),
    "table5": ("hp", 4, SMALL),
    "video": ("n3_down", 4, SMALL),
    "table2": ("zhu_step1", 4, []),
    "table3": ("grayscale_xia", 4, []),
    "table4": ("n11", 4, SMALL),
    "dual_view": ("x2", 6, SMALL),
    "composition": ("real", 6, SMALL),
    "hiding": ("n2", 6, SMALL),
}
LEARNT_BEFORE = ("ablations", "table1", "video")
QUICK = ("stereo", "ablations")  # the second finds what the first has learnt


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("miniature")


def arguments(folder, name):
    row, _, others = ROWS[name]
    return ["--data=sample", f"--workdir={folder / 'runs'}", f"--only={row}", "--seeds=1", *others]


def here(command, folder):
    """Stands in for the main program's process."""
    config = load_config([flag for flag in command if flag.startswith("--config")])
    assert command[-2:] == [f"--workdir={folder}", "--mode=train_and_eval"]
    assert train(config, folder)
    evaluate(config, folder)


def check(folder, name, text):
    with open(folder / "runs" / f"{name}.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == ROWS[name][1]
    assert MINIATURE.label in text and "is not the published dataset" in text
    for row in rows:
        assert row["remark"] == "" and row["images"] == row["seeds"] == "1"
        assert float(row["ours"]) > 0
        assert (folder / "runs" / row["run"] / "results.json").is_file()
        assert row["note"].startswith("MINIATURE")
    for suffix in ("txt", "md", "tex"):
        assert "MINIATURE" in (folder / "runs" / f"{name}.{suffix}").read_text()


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in QUICK else pytest.mark.nightly) for name in ROWS],
)
def test_a_table_in_miniature(name, folder, monkeypatch, capsys):
    monkeypatch.setattr(nnx, "Rngs", ConstantRngs)  # initial weights do not matter here
    two_steps.evaluate_corners(monkeypatch)
    known = set(folder.glob("runs/*/config.json"))
    table = importlib.import_module(f"experiments.{name}").TABLE
    with pytest.raises(SystemExit) as exit_status:
        runner.main(table, arguments(folder, name), here)
    assert exit_status.value.code == 0, capsys.readouterr().err
    check(folder, name, capsys.readouterr().out)
    # What another table has learnt is not learnt again.
    learnt = set(folder.glob("runs/*/config.json")) - known
    assert len(learnt) == (name not in LEARNT_BEFORE)


def test_the_command_says_what_would_run(tmp_path):
    process = program.start("experiments.stereo", [*arguments(tmp_path, "stereo"), "--dry_run"])
    status, stdout, stderr = program.finish(process)
    assert status == 0, stderr
    assert "python -m iicnet_jax.main" in stdout


@pytest.mark.nightly
def test_a_table_as_a_user_starts_it(folder):
    process = program.start("experiments.stereo", [*arguments(folder, "stereo"), "--steps=1"])
    status, stdout, stderr = program.finish(process)
    assert status == 0, stderr
    check(folder, "stereo", stdout)
