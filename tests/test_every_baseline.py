"""Every method that IICNet is compared with trains, is evaluated, and serves users as well."""

import json

import numpy as np
import pytest
from PIL import Image

from experiments.supplement import BASELINES
from tests import program
from tests.two_steps import check_experiment

TERMS = {
    "irn_x2": {"embedding", "latent", "restoration"},
    "invertible_grayscale": {"restoration", "order", "variation", "quantisation"},
    "video_snapshot": {"embedding", "frequency", "restoration", "overflow"},
    "win_naive": {"embedding", "shift", "restoration", "determinant"},
    "win": {"embedding", "shift", "restoration", "determinant"},
}


def iicnet(*arguments):
    """The command, which must succeed."""
    status, stdout, stderr = program.iicnet(*arguments)
    assert status == 0, stderr
    return stdout


@pytest.fixture(scope="module", params=BASELINES)
def run(request, tmp_path_factory):
    """A run of two steps and its evaluation: name and workdir."""
    folder = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as monkeypatch:
        check_experiment(request.param, folder, monkeypatch)
    return request.param, folder / "run"


def test_the_terms_of_its_loss_are_reported(run):
    name, workdir = run
    lines = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    (reported,) = [line for line in lines if "train/loss" in line]
    terms = {f"train/loss_{term}" for term in TERMS[name]}
    assert {key for key in reported if key.startswith("train/loss_")} == terms
    assert reported["train/loss"] == pytest.approx(sum(reported[term] for term in terms), rel=1e-5)


def test_pictures_of_users_go_in_and_come_back(run, tmp_path):
    name, workdir = run
    paths = [tmp_path / f"{i}.png" for i in range(BASELINES[name][0])]
    for i, path in enumerate(paths):
        pixels = np.random.default_rng(i).integers(0, 256, (21, 34, 3), np.uint8)
        Image.fromarray(pixels).save(path)
    iicnet("embed", "--model", workdir, *paths, "-o", tmp_path / "embedding.png")
    expected = {  # whole squares of 4x4 or, of the others, 2x2 pixels
        "irn_x2": ((17, 11), "RGB"),
        "invertible_grayscale": ((36, 24), "L"),
        "video_snapshot": ((36, 24), "RGB"),
    }
    with Image.open(tmp_path / "embedding.png") as embedding:
        assert (embedding.size, embedding.mode) == expected.get(name, ((34, 22), "RGB"))
    iicnet("restore", "--model", workdir, tmp_path / "embedding.png", "-o", tmp_path / "restored")
    restored = sorted((tmp_path / "restored").iterdir())
    assert len(restored) == len(paths)
    for path in restored:
        with Image.open(path) as image:
            assert image.size == (34, 21)
    (measures,) = json.loads(iicnet("evaluate", "--model", workdir, *paths, "--json"))
    assert len(measures["frames"]) == len(paths)
