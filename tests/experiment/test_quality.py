"""What a model says of its quality, from the files of a run."""

import json
import logging

import pytest

from configs import grayscale
from iicnet_jax.core.errors import UserError
from iicnet_jax.data.storage import MINIATURE
from iicnet_jax.experiment.export import measured_quality, measured_survival

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


def through(db, without):
    part = {"psnr": db, "ssim": 0.5, "psnr_y": 1.0}
    alone = {"restored": {"psnr": without, "ssim": 0.4}}
    return {"embedding": part, "restored": part, "without_network": alone}


CARRIERS = {
    "png": through(None, 20.0),
    "jpeg80": through(31.0, 18.0),
    "jpeg30": through(16.0, 17.0),
}


def measured_through_files(workdir, config, form):
    config.channel.form = form
    (workdir / "config.json").write_text(json.dumps(config.to_dict()))
    networks = {"trained": {**RESULTS["networks"]["trained"], **CARRIERS}}
    results = RESULTS | {"carriers": list(CARRIERS), "networks": networks}
    (workdir / "results.json").write_text(json.dumps(results))


def test_what_survives_was_trained_for_and_is_better_than_the_reference_alone(workdir, config):
    measured_through_files(workdir, config, "jpeg")
    assert measured_survival(workdir) == {
        "jpeg80": {
            "embedding": {"psnr": 31.0, "ssim": 0.5},
            "restored": {"psnr": 31.0, "ssim": 0.5},
            "without_network": {"psnr": 18.0, "ssim": 0.4},
        }
    }
    measured_through_files(workdir, config, "none")
    assert measured_survival(workdir) == {}


def test_of_several_images_only_the_hidden_ones_count(workdir, config, monkeypatch):
    hidden = {"psnr": 27.0, "ssim": 0.6}
    carried = through(31.0, 18.0) | {"restored_without_reference": hidden}
    carried["without_network"] |= {"restored_without_reference": {"psnr": 9.0, "ssim": 0.1}}
    monkeypatch.setitem(CARRIERS, "jpeg80", carried)
    measured_through_files(workdir, config, "jpeg")
    found = measured_survival(workdir)["jpeg80"]
    assert (found["restored"], found["without_network"]["psnr"]) == (hidden, 9.0)


def test_damaged_measures_through_files_are_refused(workdir, config, monkeypatch):
    for damaged in (
        {},
        {"embedding": 3},
        through("31", 18.0),
        through(31.0, 18.0) | {"restored": 1},
    ):
        monkeypatch.setitem(CARRIERS, "jpeg80", damaged)
        measured_through_files(workdir, config, "jpeg")
        with pytest.raises(UserError, match=r"results\.json is damaged"):
            measured_survival(workdir)


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
