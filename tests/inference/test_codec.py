"""The public interface: images, arrays and files in, 8-bit images out."""

import re
import subprocess
import sys

import numpy as np
import pytest
from flax import nnx
from PIL import Image

import iicnet_jax
from iicnet_jax import cli
from iicnet_jax.models import IICNet
from iicnet_jax.weights.model_dir import save_model
from tests.media.pictures import MODEL, network, noise, save
from tests.program import ROOT

FIELDS = {
    "num_images": 2,
    "relation": False,
    "downscaling": "squeeze",
    "split": "prop",
    "num_blocks": 1,
    "embedding_channels": 1,
}
HEIGHT, WIDTH = 9, 7


@pytest.fixture(scope="module")
def folder(tmp_path_factory, random_network):
    """A model that scales down and embeds in grey."""
    folder = tmp_path_factory.mktemp("codec") / "model"
    model = random_network(lambda: IICNet(**FIELDS, rngs=nnx.Rngs(0)))
    save_model(folder, nnx.state(model, nnx.Param), FIELDS, {"task": "hiding"})
    return folder


@pytest.fixture(scope="module")
def codec(folder):
    return iicnet_jax.load(folder)


@pytest.fixture
def arrays():
    return [noise(HEIGHT, WIDTH, seed=seed) for seed in (0, 1)]


@pytest.fixture
def paths(tmp_path, arrays):
    return [save(tmp_path / f"{x}.png", array) for x, array in zip("ab", arrays, strict=True)]


def test_a_folder_or_a_workdir_is_loaded(folder, codec):
    assert (codec.task, codec.network.num_images, codec.network.scale) == ("hiding", 2, 2)
    workdir = iicnet_jax.load(str(folder.parent), tile=64)
    assert workdir.fingerprint == codec.fingerprint
    with pytest.raises(iicnet_jax.UserError, match="there is no model nowhere: name a folder"):
        iicnet_jax.load("nowhere")
    with pytest.raises(iicnet_jax.UserError, match="tiles of 2 pixels are too small"):
        iicnet_jax.load(folder, tile=2)


def test_arrays_images_and_files_give_the_same_embedding(codec, arrays, paths):
    embedding = codec.embed(arrays)
    assert (embedding.dtype, embedding.shape) == (np.uint8, (5, 4, 1))
    assert np.ptp(embedding) > 20
    opened = [Image.open(path) for path in paths]
    for images in (
        np.stack(arrays),
        paths,
        [str(path) for path in paths],
        opened,
        opened,  # which are decoded by now
        [Image.fromarray(arrays[0]), arrays[1]],
    ):
        np.testing.assert_array_equal(codec.embed(images), embedding)


def test_images_of_pillow_are_read_as_files_are(tmp_path):
    codec, size = network(num_images=1), (6, 8)
    exif = Image.Exif()
    exif[0x0112] = 6
    for number, (image, options) in enumerate(
        [
            (Image.fromarray(noise(*size)), {"exif": exif}),
            (Image.fromarray(noise(*size, channels=4)), {}),
            (Image.fromarray(noise(*size)).convert("L"), {"transparency": 7}),
            (Image.fromarray(noise(*size)).quantize(8), {}),
            (Image.fromarray(noise(*size, channels=1)[..., 0].astype(np.uint16) * 257), {}),
        ]
    ):
        path = tmp_path / f"{number}.png"
        image.save(path, **options)
        with Image.open(path) as opened:
            np.testing.assert_array_equal(codec.embed([opened]), codec.embed([path]))
            np.testing.assert_array_equal(codec.embed(opened), codec.embed([path]))
        np.testing.assert_array_equal(codec.embed([opened]), codec.embed([path]))


def test_images_come_back_in_their_size(codec, arrays):
    embedding = codec.embed(arrays)
    first, second = codec.restore(embedding, (HEIGHT, WIDTH))
    assert first.shape == second.shape == (HEIGHT, WIDTH, 3)
    whole = codec.restore(embedding)
    assert whole.shape == (2, HEIGHT + 1, WIDTH + 1, 3)
    # A grey embedding may come in three equal channels.
    np.testing.assert_array_equal(codec.restore(np.repeat(embedding, 3, axis=2)), whole)
    with pytest.raises(iicnet_jax.UserError, match="pictures of 9x9 pixels do not embed into the"):
        codec.restore(embedding, (9, 9))
    with pytest.raises(iicnet_jax.UserError, match="the embedding has colours, but this model"):
        codec.restore(noise(5, 4))


@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_files_are_those_of_the_command(folder, codec, paths, arrays, tmp_path, suffix):
    ours, theirs = tmp_path / f"ours.{suffix}", tmp_path / f"theirs.{suffix}"
    record = codec.write(ours, arrays)
    assert isinstance(record, iicnet_jax.Record)
    assert (record.size, record.channels, record.model) == ((9, 7), 1, codec.fingerprint)
    model = ["--model", str(folder)]
    cli.main(["embed", *model, *map(str, paths), "-o", str(theirs)])
    assert ours.read_bytes() == theirs.read_bytes()
    cli.main(["restore", *model, str(theirs), "-o", str(tmp_path / "back")])
    restored = codec.read(ours)
    np.testing.assert_array_equal(restored, codec.restore(codec.embed(paths), (9, 7)))
    for number, image in enumerate(restored):
        with Image.open(tmp_path / f"back/0{number}.png") as read:
            np.testing.assert_array_equal(image, np.asarray(read))


def refused(message):
    return pytest.raises(iicnet_jax.UserError, match=message)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (noise(4, 6).astype(np.float64), r"image 1 is an array \(4, 6, 3\) of float64: give uint8"),
        (noise(4, 6)[..., 0], r"image 1 is an array \(4, 6\) of uint8: give uint8 values"),
        (noise(4, 6, channels=4), r"image 1 is an array \(4, 6, 4\) of uint8"),
        (noise(0, 6), r"image 1 is an array \(0, 6, 3\) of uint8"),
        (noise(5, 6), "image 1 has 6x5 pixels, and the reference image 0 6x4: all pictures need"),
        (Image.new("F", (6, 4)), "image 1 has pixels of the kind F, whose meaning is open"),
        ("nowhere.png", "there is no file nowhere.png"),
    ],
    ids=lambda value: "" if isinstance(value, str) else type(value).__name__,
)
def test_what_cannot_be_embedded_is_named(image, message, tmp_path):
    for embed in (network().embed, lambda images: network().write(tmp_path / "e.png", images)):
        with refused(message):
            embed([noise(4, 6), image])
    assert not list(tmp_path.iterdir())


def test_the_number_of_images_is_the_networks():
    with refused("this model embeds 2 pictures, but 3 are given: name 2 files"):
        network().embed([noise(4, 6)] * 3)
    with refused("this model embeds 2 pictures, but 1 is given"):
        network().embed("picture.png")
    one = network(num_images=1)
    np.testing.assert_array_equal(one.embed(noise(4, 6)), one.embed([noise(4, 6)]))
    assert network().embed([noise(4, 6), noise(8, 9)], fit=True).shape == (2, 3, 3)


@pytest.mark.parametrize(
    "embedding", [noise(4, 6).astype(np.float32), noise(4, 6)[..., 0], noise(4, 6, channels=4)]
)
def test_what_is_no_embedding_is_named(embedding):
    with refused(r"the embedding is an array .*: give uint8 values from 0 to 255 of the shape"):
        network().restore(embedding)


def test_outputs_are_checked_before_anything_is_computed(tmp_path, arrays):
    path = save(tmp_path / "e.png", noise(2, 2))
    with refused("e.png exists: name another file, or pass --overwrite"):
        network().write(path, ["nowhere.png"] * 2)
    with refused(r"e\.gif must end in \.png or \.webp$"):
        network().write(tmp_path / "e.gif", ["nowhere.png"] * 2)
    with refused(r"e\.jpg: what this model embeds does not survive a JPEG file: write a \.png"):
        network().write(tmp_path / "e.jpg", ["nowhere.png"] * 2)
    network().write(path, arrays, overwrite=True)
    np.testing.assert_array_equal(network().read(path)[0, ::2, ::2], arrays[0][::2, ::2])
    with refused("more than 1e-05 megapixels"):
        network().read(path, max_pixels=10)


def test_files_are_verified(tmp_path, arrays):
    path = tmp_path / "e.png"
    network().write(path, arrays)
    with refused(f"was written by another model: {MODEL[:12]} .*, and this is ffffffffffff"):
        network(fingerprint="f" * 64).read(path)
    plain = save(tmp_path / "plain.png", noise(5, 4))
    with refused("plain.png has no record of what was embedded.*--force"):
        network().read(plain)
    assert network().read(plain, force=True).shape == (2, 10, 8, 3)
    assert network().read(plain, force=True, size=(9, 7)).shape == (2, 9, 7, 3)


def test_the_first_lines_of_the_readme_do_what_they_say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        save(tmp_path / f"{name}.jpg", noise(16, 24, seed=ord(name)))
    blocks = re.findall("```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert any("iicnet_jax.load" in block for block in blocks)
    for block in blocks:
        names: dict = {}
        exec(block, names)
        if "codec" in names:
            restored = names["codec"].restore(names["embedding"])
            np.testing.assert_array_equal(restored, [names["cover"], names["hidden"]])


def test_importing_the_package_costs_nothing():
    """Public names are imported when they are used."""
    code = "import sys, iicnet_jax; assert 'numpy' not in sys.modules; iicnet_jax.nothing"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert "AttributeError: module 'iicnet_jax' has no attribute 'nothing'" in ended.stderr
    assert set(iicnet_jax.__all__) == {"Codec", "Record", "UserError", "load"}
    for name in iicnet_jax.__all__:
        assert getattr(iicnet_jax, name).__doc__
