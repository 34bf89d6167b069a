"""low_bits as a codec and on the command line: files there and back, stripped and damaged."""

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import iicnet_jax
from iicnet_jax import bundled
from iicnet_jax.models.baselines import low_bits
from tests import mp4
from tests.media.pictures import network, noise, save, smooth

HEIGHT, WIDTH = 61, 75
IMAGES = [smooth(HEIGHT, WIDTH, seed=seed) for seed in range(3)]


@pytest.fixture
def paths(tmp_path):
    return [
        save(tmp_path / f"{name}.png", image) for name, image in zip("abc", IMAGES, strict=True)
    ]


def strip(path):
    """Writes the pixels alone."""
    with Image.open(path) as image:
        pixels = np.asarray(image)
    return save(path.with_stem(f"{path.stem}_plain"), pixels, **LOSSLESS[path.suffix])


LOSSLESS = {".png": {}, ".webp": {"lossless": True}}


@pytest.mark.parametrize(
    ("name", "count", "suffix"),
    [
        ("low_bits", 2, ".png"),
        ("low_bits:images=3,bits=3,codec=jpeg2000", 3, ".webp"),
        ("low_bits:grayscale,codec=jpeg2000", 1, ".webp"),
        ("low_bits:rescaling,bits=3,codec=jpeg2000", 1, ".png"),
    ],
)
def test_images_come_back_from_files_and_arrays(name, count, suffix, tmp_path):
    codec = iicnet_jax.load(name)
    images, path = IMAGES[:count], tmp_path / f"e{suffix}"
    embedding = codec.embed(images)
    restored = codec.restore(embedding)
    assert restored.shape == (count, HEIGHT, WIDTH, 3)
    np.testing.assert_array_equal(codec.restore(embedding, (HEIGHT, WIDTH)), restored)
    record = codec.write(path, images)
    assert record.model == codec.fingerprint == low_bits.FINGERPRINT
    np.testing.assert_array_equal(codec.read(path), restored)
    # Without a record, the size and the number of the images included.
    for other in (codec, iicnet_jax.load("low_bits")):
        np.testing.assert_array_equal(other.read(strip(path)), restored)
        np.testing.assert_array_equal(other.restore(embedding), restored)


def test_a_changed_file_is_refused_whatever_is_asked_for(tmp_path):
    codec, path = iicnet_jax.load("low_bits"), tmp_path / "e.png"
    codec.write(path, IMAGES[:2])
    with Image.open(path) as image:
        pixels, record = np.array(image), image.text["iicnet"]
    pixels[-1, -1] ^= 1
    plain = save(tmp_path / "plain.png", pixels)
    jpeg = tmp_path / "e.jpg"
    Image.fromarray(pixels).save(jpeg, quality=95)
    for changed, message in (
        (plain, "plain.png: the embedding was changed since it was made: its checksum"),
        (jpeg, r"e.jpg: the embedding holds nothing that low_bits can read: .*compressed \(JPEG\)"),
        (save(tmp_path / "a.png", IMAGES[0]), "a.png: the embedding holds nothing that low_bits"),
    ):
        for force in (False, True):
            with pytest.raises(iicnet_jax.UserError, match=message):
                codec.read(changed, force=force)
    info = PngInfo()
    info.add_itxt("iicnet", record)
    told = save(tmp_path / "told.png", pixels, pnginfo=info)
    with pytest.raises(iicnet_jax.UserError, match="told.png has been changed since .*--force"):
        codec.read(told)
    with pytest.raises(iicnet_jax.UserError, match="told.png: the embedding was changed since"):
        codec.read(told, force=True)


def test_other_models_files_and_lossy_outputs_are_refused(tmp_path):
    codec, path = iicnet_jax.load("low_bits"), tmp_path / "theirs.png"
    network().write(path, [noise(8, 8)] * 2)
    with pytest.raises(iicnet_jax.UserError, match="was written by another model"):
        codec.read(path)
    with pytest.raises(
        iicnet_jax.UserError, match="e.jpg: what this model embeds does not survive a JPEG"
    ):
        codec.write(tmp_path / "e.jpg", IMAGES[:2])
    with pytest.raises(iicnet_jax.UserError, match="this model embeds 2 pictures, but 3 are given"):
        codec.embed(IMAGES)
    with pytest.raises(iicnet_jax.UserError, match="images of 4x4 pixels are too small to hide"):
        codec.embed([noise(4, 4)] * 2)


def test_what_is_called_so_goes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "low_bits").mkdir()
    with pytest.raises(iicnet_jax.UserError, match="low_bits holds no model"):
        iicnet_jax.load("low_bits")
    assert bundled.name_of(low_bits.FINGERPRINT) == "low_bits"


def test_commands_embed_inspect_and_restore(call, refused, paths, tmp_path):
    out = tmp_path / "e.png"
    model = ("--model", "low_bits:images=3,codec=jpeg2000")
    [made] = call("embed", *model, *paths, "-o", out, "--json")
    assert (made["images"], made["task"]) == (3, "hiding")
    [found] = call("inspect", out, "--json")
    assert (found["bundled"], found["intact"], found["low_bits"]) == ("low_bits", True, None)
    plain = strip(out)
    text = call("inspect", plain)
    assert "no record, but 3 pictures of 75x61 in its lowest bits (low_bits), intact" in text
    [found] = call("inspect", plain, "--json")
    assert found["low_bits"]["images"] == 3 and found["record"] is None
    call("restore", out, "-o", tmp_path / "told")
    call("restore", "--model", "low_bits", plain, "-o", tmp_path / "named")
    for number in range(3):
        told = (tmp_path / f"told/0{number}.png").read_bytes()
        assert told == (tmp_path / f"named/0{number}.png").read_bytes()
    assert "has no record" in refused("restore", plain, "-o", tmp_path / "x")
    [measured] = call(
        *("evaluate", "--model", "low_bits:codec=jpeg2000", *paths[:2]),
        *("--carrier", "png", "--carrier", "jpeg90", "--json"),
    )
    through = measured["carriers"]
    assert through["png"]["restored"] == measured["restored"]
    assert through["jpeg90"]["restored"] == {"psnr": None, "ssim": None}
    assert through["jpeg90"]["without_network"]["restored"]["psnr"] > 5
    text = call("evaluate", "--model", "low_bits", *paths[:2], "--carrier", "jpeg90")
    assert "jpeg90: lost, embedding" in text
    assert "low_bits: no network" in call("models")


def test_stereo_and_videos_take_it(call, paths, tmp_path):
    call("stereo", "embed", "--model", "low_bits:stereo", *paths[:2], "-o", tmp_path / "s.png")
    call("stereo", "restore", tmp_path / "s.png", "-o", tmp_path / "both.png")
    with Image.open(tmp_path / "both.png") as image:
        assert image.size == (2 * WIDTH, HEIGHT)
    frames = [smooth(64, 80, seed=number // 3) for number in range(5)]
    mp4.write_video(tmp_path / "in.mp4", frames)
    video = tmp_path / "e.mkv"
    model = ("--model", "low_bits:video,bits=3,images=3,codec=jpeg2000")
    made = call("video", "embed", *model, tmp_path / "in.mp4", "-o", video, "--json")
    assert (made["embeddings"], made["record"]["images"]) == (2, 3)
    call("video", "restore", video, "-o", tmp_path / "frames")
    assert len(list((tmp_path / "frames").iterdir())) == 5
