"""Files in, files out: embedding, restoring, inspecting."""

import json

import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from iicnet_jax.conversion.pictures import (
    embed_files,
    measure_files,
    reference_of,
    restore_file,
)
from iicnet_jax.core.errors import UserError
from iicnet_jax.evaluation.metrics import psnr
from iicnet_jax.imaging.colour import luma
from iicnet_jax.imaging.picture_reader import read_picture
from iicnet_jax.imaging.resizing import imresize
from iicnet_jax.inference.codec import load
from iicnet_jax.inference.tiling import WHOLE, Tiled, to_uint8
from iicnet_jax.media.embedding_file import examine, inspect
from iicnet_jax.media.picture_file import fit_to
from iicnet_jax.models import IICNet
from iicnet_jax.weights.model_dir import save_model
from tests.media.pictures import MODEL, network, noise, save

FIELDS = {
    "num_images": 2,
    "relation": False,
    "downscaling": "squeeze",
    "split": "prop",
    "num_blocks": 1,
}


@pytest.fixture
def inputs(tmp_path):
    return [save(tmp_path / f"{name}.png", noise(9, 7, seed=ord(name))) for name in "ab"]


@pytest.fixture
def embedded(tmp_path, inputs):
    return embed_files(network(), inputs, tmp_path / "embedding.png").path


@pytest.mark.parametrize("channels", [1, 3])
def test_a_real_network_from_file_to_file(tmp_path, inputs, random_network, channels):
    fields = FIELDS | {"embedding_channels": channels}
    model = random_network(lambda: IICNet(**fields, rngs=nnx.Rngs(0)))
    params = nnx.state(model, nnx.Param)
    save_model(tmp_path / "model", params, fields, {"task": "hiding"})
    loaded = load(tmp_path / "model", tile=64)

    result = embed_files(loaded, inputs, tmp_path / "new" / "embedding.png")
    assert result.notes == ()
    record = result.record
    assert (record.task, record.images, record.size) == ("hiding", 2, (9, 7))
    assert record.channels == channels
    restored = restore_file(loaded, examine(result.path), tmp_path / "restored")
    assert [path.name for path in restored.paths] == ["00.png", "01.png"]

    frames = np.stack([read_picture(path).pixels for path in inputs])
    whole = Tiled(model, tile=WHOLE)
    expected = whole.restore(to_uint8(whole.embed(frames)), (9, 7))
    read = np.stack([read_picture(path).pixels for path in restored.paths])
    assert np.abs(read.astype(int) - expected).max() <= 1
    assert np.ptp(expected) > 20


def test_the_fingerprint_tells_networks_apart(tmp_path, random_network):
    def fingerprint(scale=0.04, **fields):
        fields = FIELDS | fields
        model = random_network(lambda: IICNet(**fields, rngs=nnx.Rngs(0)), scale)
        save_model(tmp_path / "model", nnx.state(model, nnx.Param), fields, {})
        return load(tmp_path / "model").fingerprint

    first = fingerprint()
    assert first == fingerprint(embedding_channels=3)  # the default, spelt out
    others = {fingerprint(downscaling="haar"), fingerprint(split="ref"), fingerprint(scale=0.05)}
    assert len(others | {first}) == 4


def test_the_number_of_pictures_must_be_the_models(tmp_path, inputs):
    for files in ([], inputs[:1], inputs * 2):
        with pytest.raises(UserError, match=f"embeds 2 pictures, but {len(files)} (is|are) given"):
            embed_files(network(), files, tmp_path / "embedding.png")
    assert not (tmp_path / "embedding.png").exists()


def test_pictures_of_another_size_are_fitted_only_on_request(tmp_path, inputs):
    save(inputs[1], noise(20, 10))
    output = tmp_path / "embedding.png"
    with pytest.raises(UserError, match=r"b\.png has 10x20 pixels, and the reference .*--fit"):
        embed_files(network(), inputs, output)
    result = embed_files(network(), inputs, output, fit=True)
    assert result.record.size == (9, 7)
    (note,) = result.notes
    assert "b.png has 10x20 pixels" in note and "scaled" in note


@settings(max_examples=60, deadline=None, derandomize=True)
@given(*[st.integers(1, 60)] * 4)
def test_any_picture_fits_any_size(height, width, new_height, new_width):
    picture = np.full((height, width, 3), 77, np.uint8)
    fitted = fit_to(picture, (new_height, new_width))
    np.testing.assert_array_equal(fitted, np.full((new_height, new_width, 3), 77))


def test_fitting_keeps_the_middle():
    picture = np.zeros((10, 30, 3), np.uint8)
    picture[:, 10:20] = 255
    np.testing.assert_array_equal(fit_to(picture, (10, 10)), np.full((10, 10, 3), 255))


def test_conversions_are_told(tmp_path, inputs):
    save(inputs[0], noise(9, 7, 1)[..., 0])
    result = embed_files(network(), inputs, tmp_path / "embedding.png")
    assert result.notes == (f"{inputs[0]} is grey, and becomes RGB",)


def test_the_reference_is_first_and_sizes_come_back(tmp_path, inputs, embedded):
    reference = read_picture(inputs[0]).pixels
    np.testing.assert_array_equal(read_picture(embedded).pixels, reference[::2, ::2])
    restored = restore_file(network(), examine(embedded), tmp_path / "out")
    assert restored.notes == ()
    assert {read_picture(path).pixels.shape for path in restored.paths} == {(9, 7, 3)}


def test_outputs_are_replaced_only_on_request(tmp_path, inputs, embedded):
    with pytest.raises(UserError, match="exists: name another file, or pass --overwrite"):
        embed_files(network(), inputs, embedded)
    embed_files(network(), inputs[::-1], embedded, overwrite=True)

    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "01.png").write_text("mine")
    with pytest.raises(UserError, match=r"already holds 01\.png: name another folder"):
        restore_file(network(), examine(embedded), folder)
    assert (folder / "01.png").read_text() == "mine"
    (folder / "other").touch()
    restore_file(network(), examine(embedded), folder, overwrite=True)
    assert sorted(path.name for path in folder.iterdir()) == ["00.png", "01.png", "other"]
    with pytest.raises(UserError, match="is a file: name a folder"):
        restore_file(network(), examine(embedded), embedded)
    (tmp_path / "odd" / "01.png").mkdir(parents=True)
    with pytest.raises(UserError, match=r"01\.png is a folder: name another folder"):
        restore_file(network(), examine(embedded), tmp_path / "odd", overwrite=True)


@pytest.mark.parametrize("exists", [False, True])
def test_all_pictures_are_written_or_none(tmp_path, embedded, exists, monkeypatch):
    folder = tmp_path / "out"
    if exists:
        folder.mkdir()
    before = sorted(tmp_path.rglob("*"))
    save, written = Image.Image.save, []

    def full_disk(image, path, **options):
        if written:
            raise OSError(28, "No space left on device")
        save(image, path, **options)
        written.append(path)

    monkeypatch.setattr(Image.Image, "save", full_disk)
    with pytest.raises(UserError, match="cannot be written: No space left on device"):
        restore_file(network(), examine(embedded), folder)
    assert sorted(tmp_path.rglob("*")) == before


def restore_error(embedding, folder, network, **options):
    with pytest.raises(UserError) as caught:
        restore_file(network, examine(embedding), folder, **options)
    assert not folder.exists()
    return str(caught.value)


def test_a_wrong_model_is_named(tmp_path, embedded):
    other = network(num_images=3, task="video", fingerprint="f" * 64)
    message = restore_error(embedded, tmp_path / "out", other)
    assert "another model: 0123456789ab (task hiding, 2 images)" in message
    assert "and this is ffffffffffff (task video, 3 images)" in message
    restored = restore_file(other, examine(embedded), tmp_path / "out", force=True)
    assert len(restored.paths) == 3
    assert "another model" in restored.notes[0]


def test_changed_pixels_need_force(tmp_path, embedded):
    assert inspect(embedded)["intact"] is True
    with Image.open(embedded) as image:
        chunks = PngInfo()
        chunks.add_itxt("iicnet", image.text["iicnet"])
    save(embedded, noise(3, 3), pnginfo=chunks)
    assert inspect(embedded)["intact"] is False
    assert "has been changed" in restore_error(embedded, tmp_path / "out", network())
    restored = restore_file(network(), examine(embedded), tmp_path / "out", force=True)
    assert read_picture(restored.paths[1]).pixels.shape == (6, 6, 3)
    assert "has been changed" in restored.notes[0]


def test_a_file_without_a_record_needs_force_and_may_be_given_a_size(tmp_path):
    path = save(tmp_path / "a.png", noise(5, 4))
    assert "has no record" in restore_error(path, tmp_path / "out", network())
    for size, shape in [(None, (10, 8, 3)), ((9, 7), (9, 7, 3))]:
        restored = restore_file(
            network(), examine(path), tmp_path / "out", force=True, size=size, overwrite=True
        )
        assert read_picture(restored.paths[0]).pixels.shape == shape
    message = restore_error(path, tmp_path / "new", network(), force=True, size=(9, 9))
    assert "pictures of 9x9 pixels do not embed into" in message and "4x5" in message


def test_a_grey_model_takes_grey_pixels_however_they_are_stored(tmp_path, inputs):
    grey = network(channels=1)
    for suffix in ("png", "webp"):
        path = embed_files(grey, inputs, tmp_path / f"grey.{suffix}").path
        assert inspect(path)["record"]["channels"] == 1
        restore_file(grey, examine(path), tmp_path / suffix)
    colours = save(tmp_path / "colours.png", noise(5, 4))
    message = restore_error(colours, tmp_path / "out", grey, force=True)
    assert "has colours, but this model embeds into a grey picture" in message


def test_inspect_says_everything_in_json(tmp_path, embedded):
    facts = json.loads(json.dumps(inspect(embedded)))
    pixels = facts["record"].pop("pixels")
    assert len(pixels) == 64
    assert facts == {
        "file": str(embedded),
        "format": "PNG",
        "height": 5,
        "width": 4,
        "record": {
            "task": "hiding",
            "images": 2,
            "size": [9, 7],
            "channels": 3,
            "model": MODEL,
            "about": {},
        },
        "intact": True,
        "problem": None,
        "tolerable": None,
        "quality": None,
    }
    facts = inspect(save(tmp_path / "a.jpg", noise(5, 4)))
    assert (facts["record"], facts["intact"]) == (None, None)
    assert "is a JPEG file" in facts["problem"]


def test_an_embedding_is_compared_with_what_it_is_to_look_like():
    picture = noise(5, 4)
    rows = [*picture, picture[-1]]  # the last one is repeated
    mean = np.mean([[rows[2 * y + dy] for dy in (0, 1)] for y in range(3)], axis=1)
    halved = mean.reshape(3, 2, 2, 3).mean(axis=2)
    found = reference_of(network(), picture)
    assert found.shape == (3, 2, 3) and np.abs(found - halved).max() <= 0.5
    np.testing.assert_array_equal(reference_of(network(channels=1), picture), luma(found))
    bicubic = reference_of(network(task="rescaling"), picture)
    np.testing.assert_array_equal(bicubic, imresize(np.stack(rows), 3, 2))


def test_what_is_lost_is_measured(tmp_path):
    paths = [save(tmp_path / f"{seed}.png", noise(24, 26, seed=seed)) for seed in (0, 1)]
    measures, notes = measure_files(network(), paths)
    first, second = (read_picture(path).pixels for path in paths)
    every_second = first[::2, ::2]
    assert measures["embedding"]["psnr"] == psnr(every_second, reference_of(network(), first))
    enlarged = every_second.repeat(2, axis=0).repeat(2, axis=1)
    assert [item["psnr"] for item in measures["frames"]] == [
        psnr(enlarged, picture) for picture in (first, second)
    ]
    assert notes == ()
