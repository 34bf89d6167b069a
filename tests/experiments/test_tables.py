"""Tables of results: what is run, found and resumed, what is shown, and what may go wrong."""

import csv
import importlib
import json
import signal
import sys

import pytest

from experiments import rendering, runner, runs, table2, table3
from experiments.definition import Measure, Published, Row, Table, measures
from experiments.rendering import Line, Outcome
from iicnet_jax.core.errors import UserError
from iicnet_jax.experiment.run import load_config
from tests.fake_runs import Launcher, write_run
from tests.miniature import write_miniature

TABLES = (
    *("table1", "table2", "table3", "table4", "table5"),
    *("video", "stereo", "dual_view", "composition", "hiding", "ablations"),
)
SHORT = ("--config.steps=4",)


@pytest.fixture
def data(tmp_path):
    """A folder that has DAVIS 2017, as far as a runner looks."""
    (tmp_path / "data" / "DAVIS-2017").mkdir(parents=True)
    return tmp_path / "data"


def start(table, data, tmp_path, *arguments, launch=None):
    """Runs a table with an interface of its own; returns its exit status."""
    command = [f"--data={data}", f"--workdir={tmp_path / 'runs'}", *SHORT, *arguments]
    with pytest.raises(SystemExit) as exit_status:
        runner.main(table, command, launch or Launcher())
    return exit_status.value.code


def rows_of(tmp_path, name):
    with open(tmp_path / "runs" / f"{name}.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_one_network_is_evaluated_at_three_time_steps(data, tmp_path, capsys):
    launch = Launcher()
    assert start(table2.TABLE, data, tmp_path, "--only=iicnet*", "--seeds=2", launch=launch) == 0
    assert launch.modes == ["train_and_eval"] * 2 + ["eval"] * 4
    rows = rows_of(tmp_path, "table2")
    psnr = {row["experiment"]: row for row in rows if row["measure"] == "restored PSNR (grey)"}
    ours = [float(row["ours"]) for row in psnr.values()]
    assert ours == sorted(ours, reverse=True)  # more noise at a larger step
    row = psnr["IICNet, step 3"]
    assert row["published"] == "37.872" and row["seeds"] == "2" and row["images"] == "2"
    assert float(row["difference"]) == pytest.approx(float(row["ours"]) - 37.872, abs=2e-3)
    assert float(row["spread"]) > 0
    assert row["protocol"] == "grey; frame stride 3; supplement, Table 2"
    assert {len(row["run"].split()) for row in rows} == {2}
    text = capsys.readouterr().out
    assert text == (tmp_path / "runs" / "table2.txt").read_text() + "\n"
    assert "Fewer than 3 seeds: no difference is claimed." in text
    assert "Not as the configurations say: steps=4." in text
    # Nothing is left to do.
    again = Launcher()
    assert start(table2.TABLE, data, tmp_path, "--only=iicnet*", "--seeds=2", launch=again) == 0
    assert again.modes == [] and rows_of(tmp_path, "table2") == rows


def test_a_run_that_fails_loses_no_other(data, tmp_path, capsys):
    launch = Launcher(failing=[1])
    only = "--only=iicnet_step1"
    assert start(table2.TABLE, data, tmp_path, only, launch=launch) == 1
    assert launch.modes == ["train_and_eval"] * 3
    row = rows_of(tmp_path, "table2")[0]
    assert row["seeds"] == "2" and float(row["ours"]) > 20
    (folder,) = (tmp_path / "runs").glob("video_n9-seed1-*")
    assert row["remark"] == f"failed: the loss is not finite ({folder.name})"
    assert (folder / "error.txt").read_text().endswith("followed by\nits last words\n")
    # When it succeeds, its error is forgotten.
    assert start(table2.TABLE, data, tmp_path, only) == 0
    assert rows_of(tmp_path, "table2")[0]["remark"] == "" and not (folder / "error.txt").exists()


def test_older_results_are_not_taken_for_new_ones(data, tmp_path):
    assert start(table2.TABLE, data, tmp_path, "--only=iicnet_step1", "--seeds=1") == 0
    # As when the evaluation is interrupted.
    nothing = lambda command, folder: None  # noqa: E731
    only = "--only=iicnet_step3"
    assert start(table2.TABLE, data, tmp_path, only, "--seeds=1", launch=nothing) == 1
    row = rows_of(tmp_path, "table2")[0]
    assert row["ours"] == "" and "stopped before it was evaluated" in row["remark"]


def test_what_is_missing_leaves_a_row(tmp_path, capsys):
    (tmp_path / "data").mkdir()
    launch = Launcher()
    assert start(table3.TABLE, tmp_path / "data", tmp_path, "--seeds=1", launch=launch) == 1
    assert launch.modes == []
    remarks = {row["experiment"]: row["remark"] for row in rows_of(tmp_path, "table3")}
    assert remarks["Grayscale, IICNet"] == "dataset missing: VOCdevkit"
    assert remarks["Rescaling, IRN"] == "dataset missing: DIV2K"
    assert {row["ours"] for row in rows_of(tmp_path, "table3")} == {""}
    # How to get each is said once, beneath all rows.
    for suffix in ("txt", "md"):
        text = (tmp_path / "runs" / f"table3.{suffix}").read_text()
        _, beneath = text.split(f"There is no {tmp_path / 'data' / 'VOCdevkit'}: ")
        assert "http://host.robots.ox.ac.uk/pascal/VOC/voc2012/" in beneath
        assert "dataset missing" not in beneath and beneath.count("There is no") == 1


def test_a_plan_says_once_how_to_get_what_is_missing(tmp_path, capsys):
    command = [f"--data={tmp_path}", f"--workdir={tmp_path / 'runs'}", "--dry_run"]
    runner.main(table3.TABLE, command)
    plan = capsys.readouterr().out
    assert plan.count("dataset missing: VOCdevkit") == 6  # two rows, three seeds
    assert plan.count(f"There is no {tmp_path / 'VOCdevkit'}: ") == 1


def test_a_configuration_that_is_not_there_leaves_a_row(data, tmp_path):
    table = Table("new", "New", [Row("new", "New", "not_yet_written", measures())])
    assert start(table, data, tmp_path, "--seeds=1") == 1
    remarks = {row["remark"] for row in rows_of(tmp_path, "new")}
    assert remarks == {"configuration missing: configs/not_yet_written.py"}


def test_an_unfinished_run_goes_on(data, tmp_path, capsys):
    root = f"--config.data.root={data / 'DAVIS-2017'}"
    config = load_config(["--config=configs/video_n9.py", *SHORT, root])
    folder = tmp_path / "runs" / "started by hand"
    write_run(folder, config, finished=False)
    only = ("--only=iicnet_step1", "--seeds=1")
    command = [f"--data={data}", f"--workdir={tmp_path / 'runs'}", *SHORT, *only, "--dry_run"]
    runner.main(table2.TABLE, command)
    plan = capsys.readouterr().out
    # Two of four steps are left, at a quarter of a second each.
    assert "goes on after step 2" in plan and "Training: 0 s" in plan
    assert "0.250 (1 x cpu)" in plan and f"'--workdir={folder}'" in plan
    assert start(table2.TABLE, data, tmp_path, *only) == 0
    assert rows_of(tmp_path, "table2")[0]["run"] == folder.name


def test_fingerprints_tell_what_is_learnt(tmp_path):
    def fingerprint(*flags):
        return runs.fingerprint(load_config(["--config=configs/stereo.py", *flags]))

    plain = fingerprint()
    assert plain == runs.fingerprint(json.loads(json.dumps(load_plain().to_dict())))
    for flag in (
        "run.log_every=7",
        "evaluation.limit=3",
        f"data.root={tmp_path}",
        "data.frame_stride=3",
    ):
        assert fingerprint(f"--config.{flag}") == plain
    for flag in ("seed=1", "steps=7", "data.crop=96", "model.num_blocks=4"):
        assert fingerprint(f"--config.{flag}") != plain
    write_miniature(tmp_path, train=1)
    assert fingerprint(f"--config.data.root={tmp_path}") != plain


def load_plain():
    return load_config(["--config=configs/stereo.py"])


@pytest.mark.parametrize("name", TABLES)
def test_every_table_says_what_would_run(name, tmp_path, capsys):
    module = importlib.import_module(f"experiments.{name}")
    (tmp_path / "data").mkdir()
    arguments = [f"--data={tmp_path / 'data'}", f"--workdir={tmp_path / 'runs'}", "--seeds=1"]
    runner.main(module.TABLE, [*arguments, "--dry_run"])
    plan = capsys.readouterr().out
    for row in module.TABLE.rows:
        assert row.title in plan
    assert plan.count(" missing: ") == len(module.TABLE.rows)
    assert not (tmp_path / "runs").exists()


def test_table_1_has_the_published_settings():
    from experiments import table1

    assert {row.protocol for row in table1.TABLE.rows} == {"settings as published"}
    assert len(table1.TABLE.rows) == 21
    row = [*table1.ROWS[0]]
    row[3] = "4"
    assert table1.check(row) == "settings differ: data.batch_size is 2, there 4"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only=n11,nothing"], "--only: no row is called 'nothing'; there are n11, n13, n15"),
        (["--data=/nowhere"], "--data: there is no folder /nowhere"),
        (["surplus"], "unexpected argument 'surplus' (see --help)"),
        (["--config.model.blocks=2"], "config.model.blocks is unknown: configs/base.py lists"),
    ],
)
def test_mistakes_end_in_one_line(arguments, message, data, tmp_path, capsys):
    from experiments import table4

    assert start(table4.TABLE, data, tmp_path, *arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: {message}") and error.count("\n") == 1


def test_no_difference_between_protocols():
    results = {"samples": 3, "networks": {"trained": {"rounded": {"restored": {"psnr": 30.0}}}}}
    lines = [
        Line(
            Row("a", "A & b_c", "stereo", ()),
            Measure("restored", "psnr", Published(31.0, "paper", protocol)),
            [Outcome(results, "run_1"), Outcome(remark="failed: 100% of it")],
        )
        for protocol in ("", "DIV2K")
    ]
    same, other = (dict(zip(rendering.COLUMNS, line.cells(), strict=True)) for line in lines)
    assert same["difference"] == "-1.000" and same["protocol"] == "RGB; paper"
    assert other["difference"] == "-" and other["protocol"] == "RGB; published: DIV2K; paper"
    assert same["spread"] == "-" and same["seeds"] == "1" and same["run"] == "run_1"


def test_a_table_in_every_form(tmp_path):
    table = Table("t", "Title", [], notes=["A note."])
    row = Row("a", "A & b_c", "stereo", ())
    results = {"samples": 3, "networks": {"trained": {"rounded": {"restored": {"ssim": 0.5}}}}}
    lines = [Line(row, Measure("restored", "ssim"), [Outcome(results, "run|1")] * 2)]
    text = rendering.write(table, lines, ["First."], tmp_path)
    assert text.startswith("Title\n\nFirst.\nA note.\n\nexperiment")
    assert "A & b_c     restored SSIM          -  0.5000  0.0000      2           -       3" in text
    assert "- A & b_c (restored SSIM): protocol: RGB; run: run|1 run|1" in text
    assert r"run\|1" in (tmp_path / "t.md").read_text()
    latex = (tmp_path / "t.tex").read_text()
    assert r"A \& b\_c & restored SSIM & - & 0.5000" in latex
    assert r"\caption{Title. First. A note.}" in latex
    (line,) = csv.DictReader((tmp_path / "t.csv").read_text().splitlines())
    assert line["published"] == "" and line["ours"] == "0.5000" and line["note"] == "First. A note."


def test_a_failed_program_is_quoted(tmp_path):
    script = "import sys; print('step 1'); sys.exit('error: no data: get it')"
    with pytest.raises(runs.RunError, match="^no data: get it\n\nstep 1"):
        runs.launch([sys.executable, "-c", script], tmp_path)
    assert "step 1" in (tmp_path / "log.txt").read_text()
    with pytest.raises(runs.RunError, match="^ValueError: 5"):
        runs.launch([sys.executable, "-c", "raise ValueError(5)"], tmp_path)


def test_a_program_may_save_before_an_interruption_ends(tmp_path):
    script = """
import os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(print("saved")))
print("ready", flush=True)
os.kill(os.getppid(), signal.SIGTERM)
while True:
    signal.pause()
"""
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        runs.launch([sys.executable, "-c", script], tmp_path)
    assert (tmp_path / "log.txt").read_text().endswith("saved\n")
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_damaged_miniature_is_a_mistake_of_the_user(tmp_path):
    (tmp_path / "miniature.json").write_text("{")
    with pytest.raises(UserError, match="is damaged"):
        runs.miniature_counts(tmp_path)


def test_durations():
    assert runner._duration(5) == "5 s" and runner._duration(600) == "10 min"
    assert runner._duration(72_000) == "20.0 h"
