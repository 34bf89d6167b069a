"""The iicnet command, as a user starts it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests import program

COMMAND = Path(sys.executable).with_name("iicnet")
CUSTOM = ("--config=configs/custom_folder.py", "--config.model.num_images=2")


def iicnet(*arguments):
    """Exit status, stdout and stderr of the console command."""
    done = subprocess.run(
        [COMMAND, *map(str, arguments)],
        cwd=program.ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def groups(tmp_path):
    """Twenty groups of two images of noise."""
    for group in range(20):
        for image in range(2):
            pixels = np.random.default_rng(2 * group + image).integers(0, 256, (20, 30, 3))
            path = tmp_path / f"groups/{group:02d}/{image}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.astype(np.uint8)).save(path)
    return tmp_path / "groups"


def test_check_counts_samples_and_lists_every_problem_once(groups):
    command = ("data", "check", *CUSTOM, f"--config.data.root={groups}", "--config.data.crop=16")
    status, stdout, stderr = iicnet(*command)
    assert (status, stderr) == (0, "")
    assert stdout.splitlines() == [
        "train: 16 samples",
        "validation: 2 samples",
        "test: 2 samples",
        "Nothing is wrong.",
    ]
    (groups / "03/1.png").write_bytes((groups / "03/1.png").read_bytes()[:700])
    Image.new("RGB", (30, 21)).save(groups / "19/1.png")
    status, stdout, stderr = iicnet(*command)
    assert status == 1 and "Nothing is wrong" not in stdout
    broken, unequal, summary = stderr.splitlines()
    assert "03/1.png cannot be read as an image" in broken
    assert "19/1.png (21x30) is not of the size of 19/0.png (20x30)" in unequal
    assert summary == f"error: 2 problems in {groups}"


def test_check_finds_crops_that_do_not_fit(groups):
    status, _, stderr = iicnet("data", "check", *CUSTOM, f"--config.data.root={groups}")
    assert status == 1
    assert stderr.splitlines()[0].startswith("an image of 20x30 is smaller than the crop")
    assert len(stderr.splitlines()) == 2, "one problem, not one a sample"


def test_a_prepared_dataset_is_used_like_the_folder(groups, tmp_path):
    command = (*CUSTOM, "--config.data.crop=16")
    root = f"--config.data.root={groups}"
    status, stdout, stderr = iicnet("data", "prepare", *command, root, "--out", tmp_path / "out")
    assert (status, stderr) == (0, "")
    prepared = stdout.split("use it with ")[1].strip()
    status, stdout, stderr = iicnet("data", "check", *command, prepared)
    assert (status, stderr) == (0, "")
    assert stdout.splitlines()[0] == "train: 16 samples"
    status, _, stderr = iicnet("data", "prepare", *command, prepared, "--out", tmp_path / "again")
    assert status == 1 and "is already prepared" in stderr


def test_nothing_incomplete_is_prepared(groups, tmp_path):
    (groups / "07/0.png").unlink()
    root = f"--config.data.root={groups}"
    status, _, stderr = iicnet("data", "prepare", *CUSTOM, root, "--out", tmp_path / "out")
    assert status == 1 and stderr.startswith("error: 07 has 1 images instead of 2")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["data"], 2, "the following arguments are required: COMMAND"),
        (["data", "check"], 1, "error: flag --config=None: Flag --config must have a value"),
        (["data", "check", *CUSTOM, "more"], 1, "error: unexpected argument 'more'"),
        (["data", "check", *CUSTOM, "--config.data.rot=x"], 1, "error: config.data.rot is unknown"),
        (["data", "check", "--config=no.py"], 1, "error: there is no configuration file no.py"),
        (["data", "check", *CUSTOM], 1, "error: config.data.root is not set"),
        (["data", "prepare", *CUSTOM], 2, "the following arguments are required: --out"),
        (["data", "prepare", *CUSTOM, "--out=x", "--tile=0"], 2, "at least 1, not '0'"),
        (["data", "sample", "--out=x", "--config=y"], 1, "error: unexpected argument '--config=y'"),
    ],
)
def test_mistakes_end_in_one_message(arguments, status, message):
    found, _, stderr = iicnet(*arguments)
    assert found == status
    assert message in stderr
    assert "Traceback" not in stderr


def test_the_module_is_the_same_command():
    help_of_both = [
        subprocess.run(
            [*command, "data", "--help"], cwd=program.ROOT, capture_output=True, text=True
        ).stdout
        for command in ([COMMAND], [sys.executable, "-m", "iicnet_jax"])
    ]
    assert help_of_both[0] == help_of_both[1]
    assert "prepare" in help_of_both[0]
