"""The models that come with the package, whichever are there."""

import configparser
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from flax import nnx

import iicnet_jax
from experiments.datasets.photographs import photograph
from iicnet_jax import bundled
from iicnet_jax.cli import model_table
from iicnet_jax.core.errors import UserError
from iicnet_jax.media.embedding_file import Record
from iicnet_jax.models import IICNet
from iicnet_jax.weights.model_dir import CONFIG, load_config, read_model, save_model
from tests.program import ROOT

EMBEDDING = Path("e.png")
MAX_BYTES = 15_000_000
FIELDS = {"num_images": 1, "relation": False, "num_blocks": 1}
QUALITY = {
    "embedding": {"psnr": 31.234, "ssim": 0.91234},
    "restored": {"psnr": 28.5, "ssim": None},
    "samples": 7,
    "split": "test",
    "data": {"task": "hiding", "root": "flicker", "miniature": True},
    "command": "python ...",
    "devices": ["cpu", "cpu"],
    "date": "2026-01-02",
}


@pytest.fixture
def save(tmp_path, monkeypatch, random_network):
    """Makes one in a folder that stands for that of the package."""
    monkeypatch.setattr(bundled, "FOLDER", tmp_path / "models")

    def save(name, about=None, **fields):
        fields = FIELDS | fields
        model = random_network(lambda: IICNet(**fields, rngs=nnx.Rngs(0)))
        save_model(tmp_path / "models" / name, nnx.state(model, nnx.Param), fields, about or {})
        return tmp_path / "models" / name

    return save


@pytest.mark.parametrize("name", bundled.folders())
def test_what_comes_with_the_package_is_sound(name):
    folder = bundled.folders()[name]
    assert sum(path.stat().st_size for path in folder.iterdir()) <= MAX_BYTES
    config = load_config(folder)
    model, _, fingerprint, _ = read_model(folder)
    assert fingerprint == config["fingerprint"]
    task = name.removesuffix("_robust")
    if task != "video":
        assert model.num_images == {**bundled.PICTURES, "stereo": 2}[task]
    assert model.embedding_channels == (1 if task == "grayscale" else 3)
    assert ("survives" in config["about"]) == (task != name)
    quality = config["about"]["quality"]
    assert quality["samples"] > 0 and quality["command"] and quality["devices"]
    assert all(0 < quality[part]["psnr"] < 100 for part in ("embedding", "restored"))


def test_the_last_rows_and_columns_come_back_like_the_others():
    codec = iicnet_jax.load("hiding")
    height, width, edge = 93, 121, 5  # neither is a multiple of the network's squares
    pictures = [photograph(each, width, height) for each in ("chelsea", "rocket")]
    restored = codec.restore(codec.embed(pictures), (height, width)).astype(float)
    difference = restored - np.stack(pictures)
    error = np.sqrt((difference[-1] ** 2).mean(-1))
    inside = error[:-edge, :-edge].mean()
    assert max(error[-edge:].mean(), error[:, -edge:].mean()) < 3 * inside


def test_the_package_is_told_to_hold_the_models():
    options = configparser.ConfigParser()
    options.read(ROOT / "setup.cfg")
    patterns = options["options.package_data"]["iicnet_jax.bundled"].split()
    package = ROOT / "iicnet_jax/bundled"
    shipped = {path for pattern in patterns for path in package.glob(pattern)}
    assert shipped == {path for path in (package / "models").rglob("*") if path.is_file()}
    files = ("config.json", "model.safetensors")
    assert patterns == [f"models/{part}*/{file}" for part in ("", "earlier/") for file in files]


def test_a_path_a_workdir_or_a_name_is_a_model(save, tmp_path, monkeypatch):
    folder = save("hiding", num_images=2)
    monkeypatch.chdir(tmp_path)
    assert bundled.find("hiding") == folder
    (tmp_path / "run/model").mkdir(parents=True)
    assert bundled.find("run").resolve() == tmp_path / "run/model"
    (tmp_path / "hiding").mkdir()
    assert bundled.find("hiding").resolve() == tmp_path / "hiding", "what exists wins"
    with pytest.raises(UserError, match=r"no model hidin: name a folder .*, or one of hiding$"):
        bundled.find("hidin")


def test_models_are_chosen_by_what_is_to_be_done(save):
    with pytest.raises(UserError, match=r"no model for 2 pictures comes with this installation"):
        bundled.for_pictures(2)
    with pytest.raises(UserError, match=r"no model for video comes .*there is none"):
        bundled.for_task("video")
    hiding, grey = save("hiding", num_images=2), save("grayscale", embedding_channels=1)
    assert bundled.for_task("hiding") == bundled.for_pictures(2) == hiding
    assert bundled.for_pictures(1) == grey, "the only one that is there"
    save("rescaling", downscaling="squeeze", split="prop")
    both = r"in two ways: add --model grayscale \(the colours .*\) or --model rescaling \(a pic"
    with pytest.raises(UserError, match=both):
        bundled.for_pictures(1)
    message = "5 pictures comes .* with --model .hiding takes 2, grayscale takes 1, rescaling"
    with pytest.raises(UserError, match=message):
        bundled.for_pictures(5)


def test_the_network_of_a_record_is_found_without_reading_weights(save, monkeypatch):
    folder = save("hiding", num_images=2)
    grey = save("grayscale", embedding_channels=1)
    digest = read_model(grey).fingerprint
    record = Record("x", 1, (8, 8), 1, digest, "0" * 64)
    monkeypatch.setattr(bundled, "read_model", None)
    assert bundled.for_record(EMBEDDING, record) == grey
    other = dataclasses.replace(record, model="0" * 64)
    message = (
        r"e.png was written by the model 000000000000 \(task x, 1 images\), which does not come"
    )
    with pytest.raises(UserError, match=message):
        bundled.for_record(EMBEDDING, other)
    with pytest.raises(UserError, match="e.png has no record .*, so name it with --model"):
        bundled.for_record(EMBEDDING, None)
    with pytest.raises(UserError, match="e.png is damaged: which model"):
        bundled.for_record(EMBEDDING, None, "is damaged")
    monkeypatch.undo()
    monkeypatch.setattr(bundled, "FOLDER", folder.parent)
    config = json.loads((grey / CONFIG).read_text())
    del config["fingerprint"]
    (grey / CONFIG).write_text(json.dumps(config))
    assert bundled.for_record(EMBEDDING, record) == grey, "an old one"


def test_a_model_that_was_replaced_still_restores_and_is_not_listed(save):
    save("hiding", num_images=2)
    before = save("earlier/hiding-1", num_images=2, num_blocks=2)
    record = Record("x", 2, (8, 8), 3, read_model(before).fingerprint, "0" * 64)
    assert bundled.for_record(EMBEDDING, record) == bundled.find("hiding-1") == before
    assert bundled.name_of(record.model) == "hiding-1"
    assert [item["name"] for item in model_table.describe_all()] == ["hiding"]
    assert bundled.for_pictures(2) == bundled.folders()["hiding"]


def test_the_list_tells_quality_and_where_it_comes_from(save):
    assert model_table.as_text([]).startswith("No models come with this installation")
    save("another", num_images=2, relation=True, num_blocks=10)
    save("hiding", {"task": "hiding", "quality": QUALITY}, num_images=2)
    first, second = found = model_table.describe_all()
    assert (first["name"], second["name"]) == ("hiding", "another")
    assert (first["reduced"], second["reduced"]) == (True, False)
    assert first["about"]["quality"] == QUALITY
    text = model_table.as_text(found)
    row, other = (line.split("|") for line in text.splitlines()[2:4])
    assert [cell.strip() for cell in row[5:9]] == ["31.23", "0.9123", "28.50", ""]
    assert other[3].strip() == "10 blocks, relation" and other[5].strip() == "not measured"
    assert row[2].strip() == "2 in 1, full size"
    assert "hiding: a picture hidden in another (iicnet embed A B)" in text.splitlines()
    assert (
        "    reduced network, trained on a CPU with photographs, paintings and drawings, and pages "
        "of text; 7 test samples of hiding (flicker, miniature), 2026-01-02"
    ) in text.splitlines()
