"""Methods beside each other: equal steps, equal time, their costs, and one's own among them."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from experiments import costs, figure, methods
from iicnet_jax.core import files
from iicnet_jax.experiment import build
from iicnet_jax.experiment.run import load_config
from tests.fake_runs import Launcher, write_run

SPEEDS = {"iicnet": 4.0, "win_naive": 8.0, "win": 2.0, "low_bits": 0.0}  # steps a second


class TimedLauncher(Launcher):
    """Methods differ in speed."""

    def __call__(self, command, folder):
        config = load_config([flag for flag in command if flag.startswith("--config")])
        super().__call__(command, folder)
        write_run(folder, config, 4.0 + config.seed, SPEEDS[config.method])
        self.steps = getattr(self, "steps", {})
        self.steps.setdefault(config.method, []).append(config.steps)


@pytest.fixture
def data(tmp_path):
    (tmp_path / "data" / "flicker").mkdir(parents=True)
    return tmp_path / "data"


@pytest.fixture(autouse=True)
def _quick_costs(monkeypatch):
    def time_run(folder, config):
        noted = {"seconds_per_megapixel": 2.5, "devices": ["cpu"], "date": "2026-11-27"}
        files.write_json(folder / costs.FILE, noted)

    monkeypatch.setattr(costs, "time_run", time_run)
    monkeypatch.setattr(costs, "count", lambda config: (1234, 5678.9))


def start(data, tmp_path, *arguments, launch=None):
    command = [f"--data={data}", f"--workdir={tmp_path / 'runs'}", "--task=hiding", "--steps=40"]
    with pytest.raises(SystemExit) as exit_status:
        methods.main([*command, *arguments], launch or TimedLauncher())
    return exit_status.value.code


def rows_of(tmp_path, name):
    with open(tmp_path / "runs" / f"{name}.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_equal_steps_then_equal_time(data, tmp_path, capsys):
    launch = TimedLauncher()
    assert start(data, tmp_path, "--seeds=2", launch=launch) == 0
    # IICNet's second runs are its first ones.
    assert launch.steps == {
        "iicnet": [40] * 2,
        "win_naive": [40] * 2 + [80] * 2,
        "win": [40] * 2 + [20] * 2,
        "low_bits": [40],
    }
    rows = rows_of(tmp_path, "methods_hiding")
    assert [row["method"] for row in rows if row["file"] == "8 bits"] == [
        "IICNet",
        "WIN-Naive",
        "WIN",
        "codec in low bits",
    ]
    assert rows[-1]["seeds"] == "1"  # it learns nothing
    first, floats = rows[:2]
    assert floats["file"] == "floats" and floats["parameters"] == ""
    assert "±" in first["restored PSNR"] and first["seeds"] == first["images"] == "2"
    assert (first["steps"], first["parameters"], first["FLOP a pixel"]) == ("40", "1,234", "5,679")
    assert (first["s a megapixel"], first["training s"]) == ("2.50", "10")
    assert 0 < float(first["bytes a pixel"]) < 4
    equal_time = rows_of(tmp_path, "methods_hiding_equal_time")
    assert [row["steps"] for row in equal_time if row["steps"]] == ["40", "80", "20", "0"]
    assert {row["training s"] for row in equal_time if row["parameters"] == "1,234"} == {"10"}
    for suffix in ("txt", "md", "tex", "jpg"):
        assert (tmp_path / "runs" / f"methods_hiding.{suffix}").stat().st_size
    assert "Fewer than 3 seeds" in capsys.readouterr().out
    # Nothing is left to do, and what is measured later changes no number of steps.
    for path in (tmp_path / "runs").glob("*/metrics.jsonl"):
        path.write_text(path.read_text().replace('second": ', 'second": 9'))
    again = TimedLauncher()
    assert start(data, tmp_path, "--seeds=2", launch=again) == 0
    assert again.modes == []


def test_hidden_pictures_alone_are_measured():
    measures = {"restored": {"psnr": 1.0}, "restored_without_reference": {"psnr": 2.0}}
    assert methods.part_of(measures, "restored") == {"psnr": 2.0}
    assert methods.part_of({"restored": {"psnr": 1.0}}, "restored") == {"psnr": 1.0}


def test_a_way_that_was_evaluated_has_a_line(data, tmp_path):
    assert start(data, tmp_path, "--seeds=1", "--only=win") == 0
    (path,) = (tmp_path / "runs").glob("*/evaluations/*.json")
    results = json.loads(path.read_text())
    measured = results["networks"]["trained"]
    measured["jpeg90"] = {**measured["rounded"], "without_network": measured["float"]}
    path.write_text(json.dumps(results))
    assert start(data, tmp_path, "--seeds=1", "--only=win") == 0
    rows = rows_of(tmp_path, "methods_hiding")
    assert [row["file"] for row in rows] == ["8 bits", "floats", "JPEG 90", "JPEG 90"]
    assert rows[3]["method"] == "the reference alone" and rows[3]["embedding PSNR"] == ""
    assert {row["restored PSNR"] for row in rows} == {rows[0]["restored PSNR"]} != {""}


def test_what_a_file_destroys_is_lost(data, tmp_path):
    assert start(data, tmp_path, "--only=low_bits") == 0
    (path,) = (tmp_path / "runs").glob("*/evaluations/*.json")
    results = json.loads(path.read_text())
    measured = results["networks"]["trained"]
    part = dict.fromkeys(("psnr", "ssim"))
    measured["jpeg90"] = {
        "embedding": measured["rounded"]["embedding"],
        "restored": part,
        "lost": 1.0,
    }
    path.write_text(json.dumps(results))
    assert start(data, tmp_path, "--only=low_bits") == 0
    row = rows_of(tmp_path, "methods_hiding")[-1]
    assert (
        row["restored PSNR"] == row["restored SSIM"] == "lost" and float(row["embedding PSNR"]) > 0
    )


@pytest.mark.parametrize("task", methods.TASKS)
def test_every_method_of_a_task_has_a_configuration_for_it(task):
    table = methods.table_of(task, {})
    assert {row.name for row in table.rows} >= {"iicnet", "win_naive", "win"}
    images = set()
    for row in table.rows:
        flags = [f"--config.{name}={value}" for name, value in row.fields.items()]
        module, _, argument = row.config.partition(":")
        config = load_config([f"--config=configs/{module}.py{argument and ':'}{argument}", *flags])
        assert config.data.task == task
        images.add(config.model.num_images)
    assert len(images) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--task=dancing"], "--task must be one of hiding, grayscale"),
        (["--method=mine"], "--method must be NAME=FILE.py, not 'mine'"),
        (["--method=win=mine.py"], "--method: win is the name of another method"),
    ],
)
def test_mistakes_end_in_one_line(arguments, message, data, tmp_path, capsys):
    assert start(data, tmp_path, *arguments) == 1
    assert capsys.readouterr().err.startswith(f"error: {message}")


def test_a_method_of_ones_own_that_is_not_there_leaves_a_row(data, tmp_path):
    assert start(data, tmp_path, "--method=mine=nowhere.py", "--only=mine", "--seeds=1") == 1
    (row,) = rows_of(tmp_path, "methods_hiding")
    assert row["remark"] == "configuration missing: nowhere.py"


def test_the_picture_shows_every_method_in_a_row():
    side = figure.Image.new("RGB", (60, 40))
    restored = [side, Image.fromarray(np.full((40, 60, 3), 7, np.uint8))]
    small = side.resize((30, 20))  # as when rescaling
    sample = figure.Sample("a", [side, side], restored, small, small)
    sheet = np.asarray(figure.methods({"one": sample, "two": sample}, side=32))
    cell = 32 + figure.GAP
    assert sheet.shape == (2 * (cell + figure.LABEL) - figure.GAP, 5 * cell - figure.GAP, 3)
    error = sheet[figure.LABEL : figure.LABEL + 32, 4 * cell : 4 * cell + 32]
    assert (error == 7 * figure.AMPLIFICATION).all()


def test_costs_of_a_network(monkeypatch, tmp_path):
    monkeypatch.undo()  # the true functions
    config = load_config(["--config=configs/grayscale.py", "--config.model.relation=False"])
    config.model.update(num_blocks=2, growth=2)
    parameters, flops = costs.count(config)
    network = build.create_model(config)
    leaves = build.nnx.state(network, build.nnx.Param)
    assert parameters == sum(leaf.size for _, leaf in build.nnx.to_flat_state(leaves))
    # Twice the multiplications of the convolutions, there and back, and a little more.
    convolutions = (
        2
        * 2
        * sum(
            np.prod(leaf.shape)
            for path, leaf in build.nnx.to_flat_state(leaves)
            if path[-1] == "kernel"
        )
    )
    assert 0.9 < flops / convolutions < 1.2
