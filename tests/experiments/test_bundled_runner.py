"""The models of the package, trained anew: how long, what is better, and what is replaced."""

import numpy as np
import pytest
from flax import nnx

from experiments import bundled as experiment
from experiments.datasets import write_sample
from experiments.runs import RunError
from iicnet_jax import bundled
from iicnet_jax.core import files
from iicnet_jax.experiment.configuration import flatten
from iicnet_jax.experiment.run import load_config
from iicnet_jax.models import IICNet
from iicnet_jax.weights.model_dir import read_model, save_model
from tests import fake_runs

FIELDS = {"num_images": 2, "relation": False, "num_blocks": 1, "growth": 2}


def quality(embedding, restored, alone=0.0):
    return {"embedding": embedding, "restored": restored, "without_network": alone}


@pytest.mark.parametrize(
    ("new", "better"),
    [
        ({"png": quality(40.1, 30)}, True),
        ({"png": quality(40, 30)}, False),  # nothing gained
        ({"png": quality(39.6, 31)}, True),  # 0.4 dB lower, and higher on average
        ({"png": quality(39.4, 35)}, False),  # 0.6 dB lower
        ({"png": quality(44, 29.4)}, False),
        ({"png": quality(40.9, 29.6), "jpeg80": quality(29.9, 19.9)}, True),
        ({"png": quality(50, 40), "jpeg80": quality(30, 19)}, False),  # worse in JPEG files
    ],
)
def test_what_is_taken_over(new, better):
    now = {"png": quality(40, 30), "jpeg80": quality(30, 20)}
    assert experiment.is_better(new, now) is better


def test_a_first_model_must_beat_the_reference_alone():
    assert experiment.is_better({"png": quality(20, 30.1, alone=30)}, None)
    lossy = {"png": quality(20, 40, alone=30), "jpeg60": quality(20, 29.9, alone=30)}
    assert not experiment.is_better(lossy, None)


def test_steps_fill_the_time():
    assert experiment.steps_that_fit(100.0, 4.55, 50, 1) == 455
    assert experiment.steps_that_fit(100.0, 4.55, 50, 20) == 440
    with pytest.raises(RunError, match=r"too little time for 50 steps \(4.0 a second\)"):
        experiment.steps_that_fit(12.4, 4.0, 50, 1)


class Program:
    """Stands in for the main program: what it was told, and what it leaves."""

    def __init__(self, finishing=True):
        self.finishing = finishing
        self.calls = []

    def __call__(self, command, folder, seconds=None):
        *_, workdir, mode = command
        assert workdir == f"--workdir={folder}"
        config = load_config([flag for flag in command if flag.startswith("--config")])
        self.calls.append((folder.name, mode.removeprefix("--mode="), config.steps, seconds))
        if mode == "--mode=eval":
            results = fake_runs.evaluate(folder, config, noise=2.0)
            measures = results["networks"]["trained"]
            for name in config.evaluation.carriers:
                measures[name] = {**measures["rounded"], "without_network": measures["rounded"]}
            files.write_json(folder / "results.json", results)
            return
        finished = self.finishing or folder.name.endswith(".speed")
        fake_runs.write_run(folder, config, steps_per_second=10.0, finished=finished)


@pytest.fixture
def start(tmp_path, monkeypatch, random_network):
    """Runs the command on a sample, with models in a folder that stands for the package's."""
    monkeypatch.setattr(bundled, "FOLDER", tmp_path / "models")
    write_sample(tmp_path / "data", ["flicker"])

    def save(folder):
        model = random_network(lambda: IICNet(**FIELDS, rngs=nnx.Rngs(0)))
        save_model(folder, nnx.state(model, nnx.Param), FIELDS, {})

    def export(workdir, checkpoint, folder, half):
        assert checkpoint == "latest" and half
        save(folder)

    save(tmp_path / "models" / "hiding")
    monkeypatch.setattr(experiment, "export", export)

    def start(program, now=20.0, minutes=2, *arguments):
        monkeypatch.setattr(
            experiment, "measure", lambda *_: {"png": quality(now, now, alone=10.0)}
        )
        command = [f"--data={tmp_path / 'data'}", f"--workdir={tmp_path / 'runs'}"]
        command += [f"--minutes={minutes}", "--only", "hiding"]
        with pytest.raises(SystemExit) as ended:
            experiment.main([*command, *arguments], program)
        return ended.value.code, (tmp_path / "runs" / "bundled.md").read_text()

    return start


def test_a_better_model_replaces_the_one_before(start, tmp_path):
    program = Program()
    status, table = start(program)
    assert status == 0
    (timed, train, evaluation) = program.calls
    assert timed[:3] == ("hiding.speed", "train", 100)
    # 120 s without a tenth, at 10 steps a second; about 10 s that the timing would have taken.
    assert train[:2] == ("hiding", "train") and 1070 < train[2] <= 1080
    assert 100 < train[3] <= 120
    assert evaluation == ("hiding", "eval", train[2], None)
    assert "taken over; hiding-1 is the one before" in table
    assert list(bundled.folders()) == ["hiding"] and list(bundled.earlier()) == ["hiding-1"]
    assert not (tmp_path / "runs" / "hiding.speed").exists()

    # A finished run is not trained again.
    again = Program()
    start(again)
    assert [call[1] for call in again.calls] == ["eval"]
    assert list(bundled.earlier()) == ["hiding-1", "hiding-2"]


def test_a_worse_model_is_not_taken_over(start):
    status, table = start(Program(), now=60.0)
    assert status == 0 and "stays as it is" in table
    assert bundled.earlier() == {}


def test_a_run_that_is_not_done_goes_on_to_the_same_step(start):
    stopped = Program(finishing=False)
    status, table = start(stopped)
    steps = stopped.calls[-1][2]
    assert status == 1 and f"the same command goes on to step {steps}" in table
    program = Program()
    status, _ = start(program, 20.0, 77)
    assert status == 0
    assert [call[:3] for call in program.calls] == [
        ("hiding", "train", steps),
        ("hiding", "eval", steps),
    ]


def test_too_little_time_is_said(start):
    status, table = start(Program(), 20.0, 0.01)
    assert status == 1 and "too little time for 50 steps" in table


def test_a_missing_dataset_is_told_before_anything_is_run(start, tmp_path, capsys):
    command = ["--minutes=1", f"--data={tmp_path / 'none'}", f"--workdir={tmp_path / 'runs'}"]
    with pytest.raises(SystemExit) as ended:
        experiment.main([*command, "--only", "hiding"], None)
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("error: ")


def test_a_model_is_measured_through_files(tmp_path, random_network):
    root = write_sample(tmp_path, ["flicker"])["flicker"]
    model = random_network(lambda: IICNet(**FIELDS, rngs=nnx.Rngs(0)))
    save_model(tmp_path / "model", nnx.state(model, nnx.Param), FIELDS, {})
    fields = {"data.root": root, "evaluation.limit": 1}
    flags = [f"--config.{name}={value}" for name, value in fields.items()]
    config = load_config([f"--config={experiment.CONFIGS / 'bundled' / 'hiding.py'}", *flags])
    assert flatten(config)["evaluation.carriers"] == ()
    found = experiment.measure(tmp_path / "model", config, ("png", "jpeg60"))
    assert list(found) == ["png", "jpeg60"]
    assert found["png"]["embedding"] > found["jpeg60"]["embedding"] > 5
    # Another picture is all that the reference alone shows of the hidden one.
    assert all(5 < psnrs["without_network"] < 30 for psnrs in found.values())
    assert np.isfinite([*found["jpeg60"].values()]).all()
    assert read_model(tmp_path / "model").network.num_images == 2
