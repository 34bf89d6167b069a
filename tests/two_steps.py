"""A run of two steps and its evaluation, on the sample of an experiment's dataset."""

import json

from flax import nnx

from experiments.datasets import SAMPLE_ROOTS
from experiments.sizes import MINIATURE
from experiments.supplement import load
from iicnet_jax.data.pipeline import evaluation_samples
from iicnet_jax.experiment.evaluate import evaluate
from iicnet_jax.experiment.train import train
from iicnet_jax.models.abstract import ConstantRngs
from tests import program

CORNER = 64  # pixels, of a sample that is evaluated


def check_experiment(name, folder, monkeypatch, fields=()):
    """Trains and evaluates an experiment of the paper, with some fields changed."""
    config = load(name)
    config.data.root = str(program.sample(SAMPLE_ROOTS[config.data.task]))
    config.update_from_flattened_dict(dict(fields))
    check_run(config, folder, monkeypatch)


def check_run(config, folder, monkeypatch):
    """In miniature; the corner of one sample is evaluated."""
    monkeypatch.setattr(nnx, "Rngs", ConstantRngs)  # initial weights do not matter here
    evaluate_corners(monkeypatch)
    reported = config.run.log_every  # not every step
    config.update_from_flattened_dict(MINIATURE.changes(config) | {"run.log_every": reported})
    assert train(config, folder / "run")
    results = evaluate(config, folder / "run")
    assert results["step"] == 2 and results["samples"] == 1
    lines = (folder / "run/metrics.jsonl").read_text().splitlines()
    validated = [json.loads(line) for line in lines if "validation/restored_psnr" in line]
    assert [line["step"] for line in validated] == [2]
    frames = results["networks"]["trained"]["rounded"]["frames"]
    assert len(frames) == config.model.num_images


def evaluate_corners(monkeypatch):
    """Of whole images only a corner is left: tests do not compile for speed, and they take long."""
    monkeypatch.setattr("iicnet_jax.evaluation.protocol.evaluation_samples", _corners)


def _corners(*arguments):
    for name, sample in evaluation_samples(*arguments):
        frames, reference = sample["frames"], sample["reference"]
        scale = frames.shape[1] // reference.shape[0]
        frames, reference = frames[:, :CORNER, :CORNER], reference[: CORNER // scale]
        yield name, {"frames": frames, "reference": reference[:, : CORNER // scale]}
