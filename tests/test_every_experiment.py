"""Every experiment of the paper trains and evaluates on the sample of its dataset."""

import json

import pytest

from iicnet_jax.data.sample import SAMPLE_ROOTS, write_sample
from iicnet_jax.evaluate import evaluate
from iicnet_jax.train import train
from tests.experiments import ROWS, load


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    out = tmp_path_factory.mktemp("sample")
    write_sample(out)
    return out


@pytest.mark.parametrize("name", [row[0] for row in ROWS])
def test_two_steps_and_an_evaluation_on_the_sample(name, sample, tmp_path):
    config = load(name)
    config.data.root = str(sample / SAMPLE_ROOTS[config.data.regime])
    check_run(config, tmp_path)


def test_two_steps_and_an_evaluation_on_groups_of_ones_own(sample, tmp_path):
    sequences = sample / "DAVIS-2017/DAVIS-2017-trainval/JPEGImages/480p"
    for sequence in sequences.iterdir():
        group = tmp_path / "groups" / sequence.name
        group.mkdir(parents=True)
        for image in sorted(sequence.iterdir())[:3]:
            (group / image.name).write_bytes(image.read_bytes())
    config = load("custom_folder")
    config.data.root = str(tmp_path / "groups")
    check_run(config, tmp_path)


def check_run(config, folder):
    """Reduced in blocks, channels and crop only; one sample is evaluated."""
    config.steps = 2
    config.model.update(num_blocks=1, relation_features=2)
    config.data.crop = 32
    config.evaluation.update(limit=1, validation_limit=1, pictures=0)
    assert train(config, folder / "run")
    results = evaluate(config, folder / "run")
    assert results["step"] == 2 and results["samples"] == 1
    lines = (folder / "run/metrics.jsonl").read_text().splitlines()
    validated = [json.loads(line) for line in lines if "validation/restored_psnr" in line]
    assert [line["step"] for line in validated] == [2]
    frames = results["networks"]["trained"]["rounded"]["frames"]
    assert len(frames) == config.model.num_images
