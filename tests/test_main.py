"""The main program: most of it called in this process, which spares the start."""

import json
import signal

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from iicnet_jax.weights.model_dir import read_model
from tests import program
from tests.div2k import write_tree


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run that trained and evaluated."""
    workdir = tmp_path_factory.mktemp("runs") / "tiny"
    arguments = program.command(workdir, evaluation__untrained=True, run__validate_every=3)
    status, stdout, stderr = program.call_main(arguments)
    assert status == 0, stderr
    return workdir, stdout, stderr


def test_it_prints_a_table_of_trained_and_untrained(finished):
    _, stdout, _ = finished
    rows = [line.split("|")[1].strip() for line in stdout.splitlines() if line.startswith("| ")]
    assert rows == ["network", "untrained", "trained"]
    assert "embedding PSNR" in stdout


def test_it_says_what_it_does_and_nothing_of_its_libraries(finished):
    _, _, stderr = finished
    assert "parameters (blocks" in stderr
    assert "steps 1 to 6; batch 2 on 2 of 2 devices" in stderr
    assert "step 6: loss" in stderr
    assert "validation at step 3" in stderr
    for noise in ("Orbax", "orbax", "Warning", "WARNING", "TensorFlow", "backend"):
        assert noise not in stderr


def test_results_hold_every_sample_and_the_means(finished):
    workdir, _, _ = finished
    results = json.loads((workdir / "results.json").read_text())
    assert results["step"] == 6
    assert set(results["networks"]) == {"trained", "untrained"}
    [sample] = results["by_sample"]["trained"].values()
    assert sample == results["networks"]["trained"], "the mean of one sample is that sample"
    rounded = results["networks"]["trained"]["rounded"]
    assert len(rounded["frames"]) == 2
    assert set(rounded["embedding"]) == {
        f"{name}{suffix}" for name in ("psnr", "ssim") for suffix in ("", "_grey", "_y")
    }
    assert "trained, rounded: embedding" in (workdir / "results.md").read_text()


def test_metrics_pictures_and_tensorboard_files_are_written(finished):
    workdir, _, _ = finished
    lines = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "train/loss" in line] == [1, 2, 3, 4, 5, 6]
    assert [line["step"] for line in lines if "validation/restored_psnr" in line] == [3, 6]
    assert list((workdir / "tensorboard").iterdir())
    assert {path.name for path in (workdir / "samples" / "pan-chelsea_00001").iterdir()} >= {
        "embedding.png",
        "restored_01.png",
    }
    with Image.open(workdir / "picture.png") as picture:
        assert picture.width > 3 * 200


def test_the_model_restores_the_samples_that_were_saved(finished):
    workdir, _, _ = finished
    model = read_model(workdir / "model").network
    folder = workdir / "samples" / "pan-chelsea_00001"

    def read(name):
        with Image.open(folder / name) as image:
            return np.asarray(image)

    embedding, second = read("embedding.png"), read("restored_01.png")
    image = jnp.asarray(embedding[None], jnp.float32) / 255
    restored = np.asarray(model.restore(image, size=second.shape[:2]))[0, 1]
    difference = np.abs(np.clip(np.round(restored * 255), 0, 255) - second)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01


def test_a_finished_run_is_evaluated_again_without_training(finished):
    workdir, _, _ = finished
    weights = (workdir / "model" / "model.safetensors").read_bytes()
    before = json.loads((workdir / "results.json").read_text())["networks"]["trained"]
    arguments = program.command(
        workdir,
        mode="eval",
        evaluation__checkpoint="best",
        evaluation__untrained=False,
        evaluation__carriers=("jpeg80",),
    )
    status, stdout, stderr = program.call_main(arguments)
    assert status == 0, stderr
    assert "untrained" not in stdout
    assert (workdir / "model" / "model.safetensors").read_bytes() == weights
    after = json.loads((workdir / "results.json").read_text())
    assert after["checkpoint"] == "best"
    assert set(after["networks"]) == {"trained"}
    through_a_file = after["networks"]["trained"].pop("jpeg80")
    assert through_a_file["without_network"]["frames"][0]["psnr"] > 20
    assert "| the reference alone, no reference " in (workdir / "results.md").read_text()
    assert (after["networks"]["trained"] == before) == (after["step"] == 6)


def test_another_configuration_is_refused_with_the_differences(finished):
    workdir, _, _ = finished
    arguments = program.command(workdir, optimizer__learning_rate=0.5, seed=3)
    status, _, stderr = program.call_main(arguments)
    assert status == 1
    assert "config.optimizer.learning_rate: 0.001 there, 0.5 now" in stderr
    assert "config.seed: 0 there, 3 now" in stderr
    assert "Traceback" not in stderr


def test_dual_x4_trains_on_the_official_folders(tmp_path):
    root = write_tree(tmp_path / "DIV2K", scale=4, low_size=(12, 16))
    small = {"model__downscaling": "none", "model__split": "ref", "data__crop": 8, "steps": 2}
    arguments = program.command(
        tmp_path / "run", config="configs/dual_x4.py", data__root=root, **small
    )
    status, stdout, stderr = program.call_main(arguments)
    assert status == 0, stderr
    assert "| trained |" in stdout
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert list(results["by_sample"]["trained"]) == ["0801x4"]


def test_sigterm_saves_and_the_same_command_goes_on(tmp_path):
    workdir = tmp_path / "run"
    arguments = program.command(workdir, mode="train", steps=100_000, run__checkpoint_every=50_000)
    process = program.start_main(arguments)
    metrics = workdir / "metrics.jsonl"
    program.wait_for(lambda: metrics.exists() and metrics.read_text().count("\n") >= 3, process)
    process.send_signal(signal.SIGTERM)
    status, _, stderr = program.finish(process)
    assert status == 0, stderr
    assert "Stopped by SIGTERM after step" in stderr
    assert "the same command goes on from there" in stderr
    [kept] = [int(path.name) for path in (workdir / "checkpoints").iterdir()]
    assert f"after step {kept} of" in stderr

    process = program.start_main(arguments)
    program.wait_for(lambda: f'"step": {kept + 1}' in metrics.read_text(), process)
    process.kill()
    _, _, stderr = program.finish(process)
    assert f"steps {kept + 1} to 100000" in stderr


def test_a_loss_that_is_no_number_stops_the_run(tmp_path):
    """A learning rate that lets the couplings' exponentials overflow."""
    workdir = tmp_path / "run"
    arguments = program.command(
        workdir, mode="train", steps=300, optimizer__learning_rate=1e30, optimizer__warmup_steps=0
    )
    status, _, stderr = program.call_main(arguments)
    assert status == 1
    assert "so training stopped" in stderr
    assert "learning_rate" in stderr
    assert "Traceback" not in stderr
    report = json.loads((workdir / "nonfinite_loss.json").read_text())
    assert len(report["samples"]) == 2
    kept = [int(path.name) for path in (workdir / "checkpoints").iterdir()]
    assert all(step < report["step"] for step in kept)


BROKEN = "def get_config():\n    return 1 / 0\n"
NO_CONFIG = "def get_config():\n    return 3\n"
ONE_MORE = """
from configs import base


def get_config():
    config = base.get_config()
    config.foo = 1
    return config
"""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config=configs/nowhere.py"], "there is no configuration file configs/nowhere.py"),
        (["--config.blocks=3"], "config.blocks is unknown: configs/base.py lists all fields"),
        (["--config.model.blocks=3"], "config.model.blocks is unknown"),
        (["--config.seed=one"], "--config.seed=one: invalid literal for int()"),
        (["--config.model.relation=perhaps"], "--config.model.relation=perhaps"),
        (["--config.data.crop=0"], "config.data.crop is 0, but must be greater than 0"),
        (["--config.data.task=films"], "config.data.task is 'films', which is unknown"),
        (["--config.model.split=half"], "split must be one of 'ref', 'prop', not 'half'"),
        (
            ["--config.model.embedding_channels=1"],
            "change num_images, downscaling or embedding_channels",
        ),
        (["--config=configs/dual_x4.py"], "config.data.root is not set: DIV2K is published at"),
        (["--config.data.root=nowhere"], "the folder nowhere/DAVIS-2017-test-dev/JPEGImages/480p"),
        (["--mode=tarin"], "value should be one of <train_and_eval|train|eval>"),
        (["--mode=eval"], "holds no run"),
        (["--confg=x"], "Unknown command line flag 'confg'"),
        (["something"], "unexpected argument 'something'"),
        ([BROKEN], "ZeroDivisionError: division by zero"),
        ([NO_CONFIG], "must return a ConfigDict"),
        ([ONE_MORE], "config.foo is unknown"),
        (["def get_config(:"], "SyntaxError"),
    ],
    ids=lambda value: None if isinstance(value, str) else value[0].splitlines()[0],
)
def test_mistakes_end_in_one_message(arguments, message, tmp_path):
    if "\n" in arguments[0] or arguments[0].startswith("def"):
        (tmp_path / "config.py").write_text(arguments[0])
        arguments = [f"--config={tmp_path / 'config.py'}"]
    if not arguments[0].startswith("--config="):
        root = f"--config.data.root={program.sample('DAVIS-2017')}"
        arguments = ["--config=configs/quickstart.py", root, *arguments]
    workdir = tmp_path / "run"
    status, stdout, stderr = program.call_main([f"--workdir={workdir}", *arguments])
    assert status == 1
    assert message in stderr
    assert "Traceback" not in stdout + stderr
    assert not workdir.exists(), "nothing is left behind"
