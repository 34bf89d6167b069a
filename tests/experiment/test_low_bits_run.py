"""A method without weights in the harness: evaluated at once, also through files that lose it."""

import json

import pytest
from ml_collections import ConfigDict

from configs import base, low_bits
from experiments import low_bits as comparison
from experiments.datasets import SAMPLE_ROOTS
from iicnet_jax.core.errors import UserError
from iicnet_jax.experiment import build, configuration, run
from iicnet_jax.experiment.evaluate import evaluate
from tests import program
from tests.two_steps import evaluate_corners


def config_of(task) -> ConfigDict:
    config = low_bits.get_config(task)
    config.data.root = str(program.sample(SAMPLE_ROOTS[task]))
    config.evaluation.update(limit=1, pictures=1)
    config.model.bits = 3
    return config


@pytest.mark.parametrize("task", low_bits.EXPERIMENTS)
def test_every_task_has_a_configuration(task):
    config = low_bits.get_config(task)
    configuration.check(config, base.get_config("low_bits"))
    assert not build.learns(config)
    assert config.data.task == task
    with pytest.raises(ValueError, match="unknown task 'x'; known: hiding"):
        low_bits.get_config("x")


def test_a_run_is_evaluated_without_training(tmp_path, monkeypatch):
    evaluate_corners(monkeypatch)
    config = config_of("hiding")
    config.evaluation.carriers = ("png", "jpeg90")
    results = evaluate(config, tmp_path)
    stored = json.loads((tmp_path / "results.json").read_text())
    of = stored["networks"]["trained"]
    assert stored["step"] == 0 and results["samples"] == 1
    assert of["rounded"]["restored"] == of["float"]["restored"], "it is whole numbers"
    assert of["png"]["restored"] == of["rounded"]["restored"] and of["png"]["lost"] == 0
    assert of["jpeg90"]["lost"] == 1
    assert of["jpeg90"]["restored"]["psnr"] is None and of["jpeg90"]["embedding"]["psnr"] > 20
    text = (tmp_path / "results.md").read_text()
    (row,) = [line for line in text.splitlines() if line.startswith("| trained: restored, all")]
    assert row.split("|")[-2].strip() == "lost"


def test_mistakes_in_the_method_are_told(tmp_path):
    config = config_of("hiding")
    config.model.bits = 4
    with pytest.raises(UserError, match="config.model does not make a method: bits must be one of"):
        evaluate(config, tmp_path)


def test_the_main_program_writes_a_run(tmp_path, monkeypatch):
    evaluated = []
    monkeypatch.setattr(run, "evaluate", lambda config, folder: evaluated.append(folder) or {})
    monkeypatch.setattr(run, "check_config", lambda *_: None)
    config = config_of("hiding")
    run.run(config, str(tmp_path / "run"), "train", run.distributed.Processes())
    assert (tmp_path / "run/config.json").is_file() and not evaluated


def test_the_comparison_is_a_table(monkeypatch, capsys):
    monkeypatch.setattr(comparison, "load", lambda name: _Method(name))
    root = program.sample(SAMPLE_ROOTS["grayscale"]).parent
    comparison.main(["--data", str(root), "--only", "grayscale", "--limit", "1"])
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    titles = [row.split("|")[1].strip() for row in rows[1:]]
    assert titles == [
        "the network `grayscale`",
        "`low_bits`, 1 bit",
        "`low_bits`, 2 bits",
        "`low_bits`, 3 bits",
        "the reference alone",
    ]


class _Method:
    """Its embedding is grey, and so is what comes back."""

    def __init__(self, name):
        self.tiled = self

    def embed(self, frames):
        return frames[0].mean(axis=-1, keepdims=True)

    def restore(self, embedding, size):
        return embedding.repeat(3, axis=-1)[None]
