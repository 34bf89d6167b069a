"""Commands without --model: they take the model that fits."""

import numpy as np
import pytest
from flax import nnx
from PIL import Image

from iicnet_jax import bundled
from iicnet_jax.models import IICNet
from iicnet_jax.weights.model_dir import save_model
from tests import mp4

ONE = {"num_images": 1, "relation": False, "num_blocks": 1}
TWO = {**ONE, "num_images": 2}
MODELS = {
    "hiding": TWO,
    "grayscale": ONE | {"embedding_channels": 1},
    "rescaling": ONE | {"downscaling": "squeeze", "split": "prop"},
    "video": {**ONE, "num_images": 3},
    "stereo": TWO,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, random_network):
    """Stands for the models of the package."""
    folder = tmp_path_factory.mktemp("models")
    for number, (name, fields) in enumerate(MODELS.items()):
        network = random_network(
            lambda fields=fields: IICNet(**fields, rngs=nnx.Rngs(0)), scale=0.02 + number / 1000
        )
        save_model(folder / name, nnx.state(network, nnx.Param), fields, {"task": name})
    return folder


@pytest.fixture
def call(monkeypatch, folder, call):
    """Runs a command with these models in the place of the package's."""
    monkeypatch.setattr(bundled, "FOLDER", folder)
    return call


@pytest.fixture
def pictures(tmp_path):
    """Three of one size in a folder of their own."""
    paths = [tmp_path / f"in/{name}.png" for name in "abc"]
    paths[0].parent.mkdir()
    for number, path in enumerate(paths):
        pixels = np.random.default_rng(number).integers(60, 200, (16, 24, 3), np.uint8)
        Image.fromarray(pixels).save(path)
    return paths


def test_two_pictures_are_hidden_and_found(call, refused, pictures, tmp_path):
    embedding = tmp_path / "e.png"
    [made] = call("embed", *pictures[:2], "-o", embedding, "--json")
    [found] = call("inspect", embedding, "--json")
    assert made["task"] == "hiding" and found["bundled"] == "hiding"
    assert "(task hiding, model hiding), intact" in call("inspect", embedding)
    assert call("restore", embedding, "-o", tmp_path / "back").count("back/0") == 2
    [measured] = call("evaluate", *pictures[:2], "--json")
    assert measured["embedding"]["psnr"] > 5
    assert "no model for 3 pictures" in refused("embed", *pictures, "-o", tmp_path / "f.png")
    assert "no record" in refused("restore", pictures[0], "-o", tmp_path / "x")


def test_one_picture_needs_a_word_and_many_need_no_loop(call, refused, pictures, tmp_path):
    message = refused("embed", pictures[0], "-o", tmp_path / "e.png")
    assert "--model grayscale" in message and "--model rescaling" in message
    for name, size in (("grayscale", (24, 16)), ("rescaling", (12, 8))):
        out = tmp_path / name
        made = call("embed", "--model", name, pictures[0].parent, "-o", out, "--json")
        assert [item["file"] for item in made] == [str(out / f"{x}.png") for x in "abc"]
        with Image.open(out / "b.png") as image:
            assert image.size == size
    # Embeddings of several models at once, named by a pattern.
    both = tmp_path / "both"
    both.mkdir()
    for name in MODELS.keys() & {"grayscale", "rescaling"}:
        (tmp_path / name / "a.png").rename(both / f"{name}.png")
    found = call("restore", both / "*.png", "-o", tmp_path / "back", "--json")
    assert [len(item["pictures"]) for item in found] == [1, 1]
    assert "nothing that fits" in refused("restore", both / "*.gif", "-o", tmp_path / "back")
    message = refused("embed", "--model", "grayscale", *pictures, "-o", tmp_path / "e.png")
    assert "names one file, and there are several" in message
    message = refused("embed", "--model", "grayscale", *pictures[:1] * 2, "-o", tmp_path / "x")
    assert f"2 results would be called {tmp_path}/x/a.png" in message


def test_other_commands_have_models_of_their_own(call, refused, pictures, tmp_path):
    frames = [np.full((16, 24, 3), 20 * number, np.uint8) for number in range(4)]
    mp4.write_video(tmp_path / "in.mp4", frames)
    made = call("video", "embed", tmp_path / "in.mp4", "-o", tmp_path / "e.mkv", "--json")
    assert made["record"]["task"] == "video" and made["embeddings"] == 2
    [found] = call("inspect", tmp_path / "e.mkv", "--json")
    assert found["bundled"] == "video"
    call("video", "restore", tmp_path / "e.mkv", "-o", tmp_path / "frames")
    assert len(list((tmp_path / "frames").iterdir())) == 4
    assert "more than 1 frames" in refused("inspect", tmp_path / "e.mkv", "--max-frames", 1)

    made = call("stereo", "embed", *pictures[:2], "-o", tmp_path / "s.png", "--json")
    assert made["record"]["task"] == "stereo"
    call("stereo", "restore", tmp_path / "s.png", "-o", tmp_path / "both.png")
    with Image.open(tmp_path / "both.png") as image:
        assert image.size == (48, 16)

    first, *others = (Image.open(path) for path in pictures)
    first.save(tmp_path / "in.gif", save_all=True, append_images=others)
    made = call("gif", "embed", tmp_path / "in.gif", "-o", tmp_path / "still.png", "--json")
    assert made["record"]["task"] == "video"
    call("gif", "restore", tmp_path / "still.png", "-o", tmp_path / "back.png")
    with Image.open(tmp_path / "back.png") as animation:
        assert animation.n_frames == 3


def test_without_models_the_user_is_told_what_to_name(
    call, refused, pictures, tmp_path, monkeypatch
):
    monkeypatch.setattr(bundled, "FOLDER", tmp_path / "none")
    assert call("models", "--json") == []
    message = refused("embed", *pictures[:2], "-o", tmp_path / "e.png")
    assert message.startswith("error: no model for 2 pictures comes with this installation: name")
    assert "no model for stereo" in refused("stereo", "embed", *pictures[:2], "-o", "e.png")
    assert "there is no model hiding: name a folder" in refused(
        "embed", "--model", "hiding", *pictures[:2], "-o", tmp_path / "e.png"
    )


def test_the_page_shows_every_model_under_a_title_of_its_own(call, folder, tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr("iicnet_jax.demo.server.serve", lambda models, **_: shown.append(models))
    for parent in ("x", "y"):
        (tmp_path / parent / "mine").mkdir(parents=True)
    call("demo")
    first, second = tmp_path / "x/mine", tmp_path / "y/mine"
    call("demo", "--model", first, "--model", second, "--model", "hiding")
    assert shown == [
        {name: folder / name for name in MODELS},
        {str(first): first, str(second): second, "hiding": folder / "hiding"},
    ]
