"""The training loop, in runs of a few steps: what is resumed, kept and exported."""

import json
import shutil

import numpy as np
import pytest
from flax import nnx

from iicnet_jax.experiment import export
from iicnet_jax.inference.tiling import Tiled
from iicnet_jax.models.abstract import ConstantRngs
from iicnet_jax.models.layers import parameter_arrays
from iicnet_jax.weights.model_dir import read_model
from tests import program
from tests.two_steps import evaluate_corners


def train(workdir, **fields):
    status, _, stderr = program.call_main(program.command(workdir, mode="train", **fields))
    assert status == 0, stderr
    return workdir


def go_on_from(step, workdir, copy, **fields):
    """What the run in `workdir` would have learnt, had it been killed after that step."""
    shutil.copytree(workdir, copy)
    for path in (copy / "checkpoints").iterdir():
        if int(path.name) > step:
            shutil.rmtree(path)
    shutil.rmtree(copy / "model")
    assert (copy / f"checkpoints/{step}").exists()
    return train(copy, **fields)


def weights(workdir):
    return parameter_arrays(nnx.state(read_model(workdir / "model").network, nnx.Param))


def reports(workdir):
    """By step, what was logged of the training, without what depends on the clock."""
    lines = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    return {
        line["step"]: {name: value for name, value in line.items() if "second" not in name}
        for line in lines
        if "train/loss" in line
    }


def assert_same_run(ours, theirs):
    """Bit for bit."""
    weights_of = [path / "model/model.safetensors" for path in (ours, theirs)]
    assert weights_of[0].read_bytes() == weights_of[1].read_bytes()
    assert reports(ours) == reports(theirs)


@pytest.fixture(autouse=True, scope="module")
def quick():
    """Of whole images only a corner is evaluated; initial weights do not matter here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nnx, "Rngs", ConstantRngs)
        evaluate_corners(patch)
        yield


AVERAGED = {
    "steps": 4,
    "loop": "scan",  # compiles fastest
    "evaluation__untrained": False,
    "optimizer__ema_decay": 0.99,
}


@pytest.fixture(scope="module")
def averaged(tmp_path_factory):
    """A run with a moving average of the weights."""
    return train(tmp_path_factory.mktemp("runs") / "averaged", **AVERAGED)


def test_the_moving_average_is_resumed_exactly_and_validated_evaluated_and_exported(
    averaged, tmp_path, monkeypatch
):
    _, state = export.read_run(averaged, "latest")
    params, average = map(parameter_arrays, (state.params, state.ema_params))
    assert any(np.abs(params[name] - average[name]).max() > 1e-5 for name in params)
    export.export(averaged, "latest", tmp_path / "model")
    assert equal(weights(averaged), average)
    assert equal(weights(tmp_path), average)

    measured = []
    with_params = Tiled.with_params

    def remember(self, params):
        measured.append(parameter_arrays(params))
        return with_params(self, params)

    monkeypatch.setattr(Tiled, "with_params", remember)
    copy = go_on_from(2, averaged, tmp_path / "copy", **AVERAGED)  # validated at the end
    assert_same_run(copy, averaged)
    status, _, stderr = program.call_main(program.command(averaged, mode="eval", **AVERAGED))
    assert status == 0, stderr
    assert len(measured) == 2 and all(equal(found, average) for found in measured)


def equal(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def test_a_batch_that_cannot_be_parted_is_refused_before_anything_is_written(tmp_path):
    arguments = program.command(tmp_path / "run", data__batch_size=4, optimizer__accumulate=3)
    status, _, stderr = program.call_main(arguments)
    assert status == 1
    assert "config.data.batch_size is 4, which is no multiple of config.optimizer.acc" in stderr
    assert not (tmp_path / "run").exists()


def test_calls_of_several_steps_learn_what_single_steps_learn(averaged, tmp_path):
    fields = {**AVERAGED, "run__steps_per_call": 2, "run__log_every": 2, "run__validate_every": 4}
    called = train(tmp_path / "called", **fields)
    ours, theirs = weights(called), weights(averaged)
    for name, array in theirs.items():
        np.testing.assert_allclose(ours[name], array, atol=1e-4)
    logged, single = reports(called), reports(averaged)
    assert list(logged) == [2, 4]
    for step, line in logged.items():
        of_steps = [single[number]["train/loss"] for number in (step - 1, step)]
        assert line["train/loss"] == pytest.approx(np.mean(of_steps), rel=1e-4)


def test_calls_must_divide_the_run_and_its_intervals(tmp_path):
    fields = {"steps": 12, "run__steps_per_call": 4, "run__validate_every": 8}
    arguments = program.command(
        tmp_path / "run", run__log_every=6, run__checkpoint_every=12, **fields
    )
    status, _, stderr = program.call_main(arguments)
    assert status == 1
    assert (
        "does not divide config.run.log_every (6): change these, or take a divisor of 2" in stderr
    )
    assert not (tmp_path / "run").exists()


def test_a_run_goes_on_with_calls_that_divide_where_it_stopped(averaged, tmp_path):
    shutil.copytree(averaged, tmp_path / "copy")
    fields = {**AVERAGED, "run__steps_per_call": 4, "run__log_every": 4, "run__validate_every": 4}
    shutil.rmtree(tmp_path / "copy/checkpoints/4")
    arguments = program.command(tmp_path / "copy", run__checkpoint_every=4, **fields)
    status, _, stderr = program.call_main(arguments)
    assert status == 1
    assert "goes on from step 2, which is no multiple of config.run.steps_per_call, 4" in stderr


RESIDENT = {
    **AVERAGED,
    "data__on_device": True,
    "data__flip_rotate": True,
    "run__steps_per_call": 2,
    "run__log_every": 2,
    "run__validate_every": 4,
    "run__profile_steps": "(2, 1)",
}


@pytest.fixture(scope="module")
def resident(tmp_path_factory):
    """A run with the images on the device."""
    return train(tmp_path_factory.mktemp("runs") / "resident", **RESIDENT)


def test_calls_and_crops_drawn_on_the_device_are_exact_across_a_resume(resident, tmp_path):
    copy = go_on_from(2, resident, tmp_path / "copy", **RESIDENT)
    assert_same_run(copy, resident)
    assert len({line["train/loss"] for line in reports(copy).values()}) == 2


def test_a_profile_is_where_tensorboard_looks_for_it(resident):
    [trace] = (resident / "tensorboard/plugins/profile").glob("*/*.xplane.pb")
    assert trace.stat().st_size > 1000


def test_times_are_those_of_steps_without_compiling_them(resident):
    lines = [json.loads(line) for line in (resident / "metrics.jsonl").read_text().splitlines()]
    first, second = (line for line in lines if "train/loss" in line)
    assert first["train/compile_seconds"] > 0 and "train/compile_seconds" not in second
    assert 0 < second["train/step_seconds"] < first["train/compile_seconds"]
    assert first["train/steps_averaged"] == second["train/steps_averaged"] == 2
