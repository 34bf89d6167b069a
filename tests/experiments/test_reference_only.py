"""What the reference alone is worth, against values worked out by hand."""

import subprocess
import sys

import numpy as np
import pytest

from experiments import reference_only
from experiments.datasets import write_sample
from iicnet_jax.evaluation.protocol import reference_alone
from tests.program import ROOT


def group(frames, reference):
    return {"frames": np.array(frames, np.uint8), "reference": np.array(reference, np.uint8)}


def test_every_image_is_restored_as_the_reference():
    first = np.random.RandomState(0).randint(0, 200, (16, 16, 3))
    restored = reference_only.measure(group([first, first + 51], first), 0)
    assert restored["restored"]["psnr"] == np.inf  # the reference itself is there
    # 51 is a fifth of 255: 20 log10 5.
    assert restored["restored_without_reference"]["psnr"] == pytest.approx(13.979, abs=1e-3)


def test_a_grey_reference_comes_back_in_three_channels():
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 255
    restored = reference_alone(np.full((16, 16, 1), 76, np.uint8), red[None].shape)
    assert restored.shape == (1, 16, 16, 3) and (restored == 76).all()


def test_a_smaller_reference_is_enlarged_bicubically():
    small = np.broadcast_to(20 * np.arange(8, dtype=np.uint8)[:, None, None], (8, 8, 3))
    (restored,) = reference_alone(small, (1, 16, 16, 3))
    # Half a row of the old image is 10 grey levels; at its ends it is mirrored.
    inside = np.arange(4, 12)
    assert (restored[inside] == (10 * inside - 5)[:, None, None]).all()


def test_the_command_measures_the_test_split(tmp_path):
    root = write_sample(tmp_path, ["VOCdevkit"])["VOCdevkit"]
    fields = [f"--config.data.root={root}", "--config.evaluation.limit=1"]
    command = [sys.executable, "-m", "experiments.reference_only", "--config=configs/grayscale.py"]
    done = subprocess.run([*command, *fields], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "1 test samples" in done.stdout
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines()]
    # One image a group: there is none without the reference.
    assert {row[0] for row in rows[2:] if row} == {"restored"}
    assert [10 < float(row[2]) < 40 for row in rows if row[1:2] == ["psnr"]] == [True]


def test_a_mistake_is_told_in_one_line(tmp_path):
    fields = ["--config=configs/grayscale.py", f"--config.data.root={tmp_path / 'none'}"]
    command = [sys.executable, "-m", "experiments.reference_only", *fields]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ") and "Traceback" not in done.stderr
