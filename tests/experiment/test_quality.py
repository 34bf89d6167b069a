"""What a model says of its quality, from the files of a run."""

import json
import logging

import pytest

from configs import grayscale
from iicnet_jax.data.storage import MINIATURE
from iicnet_jax.experiment.export import measured_quality

MEASURES = {
    "embedding": {"psnr": 30.0, "ssim": 0.9, "psnr_y": 1.0},
    "restored": {"psnr": 31.0, "ssim": None, "psnr_y": 1.0},
}
RESULTS = {
    "split": "test",
    "samples": 7,
    "step": 40,
    "environment": {"date": "2026-01-02", "devices": ["another"]},
    "networks": {"untrained": {}, "trained": {"rounded": MEASURES, "float": {}}},
}


@pytest.fixture
def config(tmp_path):
    """Of a run on a miniature."""
    (tmp_path / "data/VOC").mkdir(parents=True)
    (tmp_path / "data/VOC" / MINIATURE).write_text("{}")
    config = grayscale.get_config()
    config.steps = 40
    config.model.relation = False
    config.data.root = str(tmp_path / "data/VOC")
    return config


@pytest.fixture
def workdir(tmp_path, config):
    folder = tmp_path / "mine"
    folder.mkdir()
    for name, content in {
        "config": config.to_dict(),
        "environment": {"devices": ["cpu", "cpu"]},
        "results": RESULTS,
    }.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


def test_quality_is_the_mean_of_the_8_bit_images_with_its_origin(workdir):
    assert measured_quality(workdir, 40) == {
        "embedding": {"psnr": 30.0, "ssim": 0.9},
        "restored": {"psnr": 31.0, "ssim": None},
        "samples": 7,
        "split": "test",
        "data": {"task": "grayscale", "root": "VOC", "miniature": True},
        "devices": ["cpu", "cpu"],
        "date": "2026-01-02",
    }


@pytest.mark.parametrize(("step", "words"), [(41, "has measured step 40, not step 41"), (None, "")])
def test_what_was_not_measured_is_not_stated(workdir, caplog, step, words):
    if step is None:
        (workdir / "results.json").unlink()
        step, words = 40, "has measured nothing, not step 40"
    with caplog.at_level(logging.WARNING):
        assert measured_quality(workdir, step) is None
    assert words in caplog.text


def test_the_dataset_has_no_absolute_path_in_the_command(workdir, config):
    words = ["python", "-m", "iicnet_jax.main", f"--config.data.root={config.data.root}"]
    environment = {"devices": ["cpu"], "command": " ".join(words)}
    (workdir / "environment.json").write_text(json.dumps(environment))
    command = "python -m iicnet_jax.main --config.data.root=VOC"
    assert measured_quality(workdir, 40)["command"] == command
