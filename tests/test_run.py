"""What the main program makes of mistakes, signals and damaged runs."""

import json
import os
import signal

import pytest

from iicnet_jax.core.errors import UserError
from iicnet_jax.experiment import run
from iicnet_jax.experiment.export import export
from iicnet_jax.training.writers import MetricWriter
from tests import program


@pytest.mark.parametrize("fields", [[], ["--config.steps=3"]])
def test_a_misspelt_configuration_is_named_whatever_fields_are_given(fields, tmp_path):
    arguments = ["--config=configs/quikstart.py", f"--workdir={tmp_path}", *fields]
    status, _, stderr = program.call_main(arguments)
    assert status == 1
    assert stderr == "error: there is no configuration file configs/quikstart.py\n"


@pytest.mark.parametrize("seed", [2**63, 2**64, -1])
def test_seeds_have_63_bits(seed):
    with pytest.raises(UserError, match=f"config.seed is {seed}, but must be"):
        run.load_config(["--config=configs/quickstart.py", f"--config.seed={seed}"])
    last = 2**63 - 1
    assert run.load_config(["--config=configs/quickstart.py", f"--config.seed={last}"]).seed == last


def test_a_bucket_is_no_workdir():
    status, _, stderr = program.call_main(program.command("gs://bucket/run"))
    assert status == 1
    assert "--workdir is 'gs://bucket/run', but must be a folder" in stderr


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """A run that was told to stop in its last step: workdir, exit status, stderr."""
    workdir = tmp_path_factory.mktemp("runs") / "run"
    write = MetricWriter.write_scalars

    def write_and_interrupt(self, step, scalars):
        write(self, step, scalars)
        if step == 2 and "train/loss" in scalars:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MetricWriter, "write_scalars", write_and_interrupt)
        status, _, stderr = program.call_main(program.command(workdir, steps=2))
    return workdir, status, stderr


def test_a_signal_in_the_last_step_ends_the_program_before_it_evaluates(interrupted):
    workdir, status, stderr = interrupted
    assert status == 0
    assert "Stopped by SIGINT after step 2 of 2; the same command goes on from there." in stderr
    assert not (workdir / "results.json").exists()


def test_a_damaged_checkpoint_ends_training_and_evaluation_in_one_message(interrupted, tmp_path):
    workdir = interrupted[0]
    path = workdir / "checkpoints/2/state/manifest.ocdbt"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    for mode in ("train", "eval"):
        status, _, stderr = program.call_main(program.command(workdir, steps=2, mode=mode))
        assert status == 1
        assert stderr.count("error: ") == 1 and "Traceback" not in stderr
        assert "the checkpoint of step 2 in" in stderr and "no other one" in stderr
    with pytest.raises(UserError, match="the checkpoint of step 2 in"):
        export(workdir, "latest", tmp_path / "model")
    path.write_bytes(whole)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("model", {}, "it lacks model.num_images"),
        ("method", "other", "method must be one of"),
        ("optimizer", {"schedule": 1}, "it lacks optimizer.learning_rate"),
        ("seed", 2**64, "its seed cannot be"),
        ("data", None, "its data cannot be None"),
    ],
)
def test_a_damaged_configuration_of_a_run_is_not_exported(tmp_path, field, value, message):
    config = run.load_config(["--config=configs/quickstart.py"]).to_dict()
    (tmp_path / "config.json").write_text(json.dumps(config | {field: value}))
    with pytest.raises(UserError, match=rf"config\.json is damaged: {message}"):
        export(tmp_path, "latest", tmp_path / "model")
