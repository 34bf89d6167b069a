"""Embeddings that survive compression: as JPEG files, compressed again, stripped, resized."""

import json

import numpy as np
import pytest
from flax import nnx
from PIL import Image
from skimage import data

from iicnet_jax import bundled, cli
from iicnet_jax.conversion.gifs import embed_gif, restore_gif
from iicnet_jax.conversion.pictures import embed_files, restore_file
from iicnet_jax.conversion.stereo import embed_stereo, restore_stereo
from iicnet_jax.core.errors import UserError
from iicnet_jax.imaging.carrier import parse
from iicnet_jax.imaging.picture_reader import read_picture
from iicnet_jax.inference.codec import load
from iicnet_jax.media.embedding_file import describe, examine, inspect, write_embedding
from iicnet_jax.media.picture_file import resize
from iicnet_jax.models import IICNet
from iicnet_jax.weights.model_dir import save_model
from tests.media.pictures import MODEL, network, noise, save

SIZE = (47, 66)
SURVIVES = {"jpeg": 60}
CHANNELS = pytest.mark.parametrize("channels", [1, 3])


def refused(message):
    return pytest.raises(UserError, match=message)


@pytest.fixture
def inputs(tmp_path):
    pictures = data.chelsea()[:47, :66], data.coffee()[200:247, 300:366]
    return [save(tmp_path / f"{x}.png", p) for x, p in zip("ab", pictures, strict=True)]


@pytest.fixture
def sent(tmp_path, inputs):
    """An embedding as a JPEG file."""
    return embed_files(robust(), inputs, tmp_path / "sent.jpg", quality=92).path


def robust(**options):
    return network(survives=SURVIVES, **options)


def again(path, target, **options):
    """Another program opens a file and saves it."""
    with Image.open(path) as image:
        image.save(target, **options)
    return target


def restored(path, folder, codec=None, **options):
    """The pictures that come back, and the notes."""
    found = restore_file(codec or robust(), examine(path), folder, **options)
    return [read_picture(file).pixels for file in found.paths], found.notes


@CHANNELS
def test_an_embedding_is_a_jpeg_file_with_its_record(tmp_path, inputs, channels):
    codec = robust(channels=channels)
    path = tmp_path / "out.JPG"
    record = embed_files(codec, inputs, path, quality=75).record
    facts = inspect(path)
    assert (facts["format"], facts["quality"], facts["intact"]) == ("JPEG", 75, True)
    assert (facts["problem"], facts["record"]["size"]) == (None, SIZE)
    with Image.open(path) as image:
        assert image.mode == ("L" if channels == 1 else "RGB")
        assert image.info["comment"] == b"iicnet " + record.to_json().encode()
    pictures, notes = restored(path, tmp_path / "back", codec)
    assert notes == ()
    embedding = parse("jpeg75")(codec.embed(inputs))
    np.testing.assert_array_equal(pictures, codec.restore(embedding, SIZE))


def test_without_a_quality_it_is_90_or_the_least_that_survives(tmp_path, inputs):
    for lowest, expected in ((60, 90), (95, 95)):
        codec = network(survives={"jpeg": lowest})
        codec.write(tmp_path / "a.jpg", inputs, overwrite=True)
        assert inspect(tmp_path / "a.jpg")["quality"] == expected
        np.testing.assert_array_equal(codec.read(tmp_path / "a.jpg").shape, (2, *SIZE, 3))


@pytest.mark.parametrize(
    ("quality", "words"),
    [
        (70, "has been compressed again (JPEG, quality about 70) since it was written: the images"),
        (30, "the original file (this model was measured from JPEG quality 60 on)"),
    ],
)
def test_a_file_that_was_compressed_again_comes_back_with_a_note(tmp_path, sent, quality, words):
    # Pillow keeps the comment, as other programs do.
    path = again(sent, tmp_path / "again.jpg", quality=quality)
    pictures, (note,) = restored(path, tmp_path / "back")
    assert note.startswith(f"{path} ") and words in note
    assert pictures[0].shape == (*SIZE, 3)
    facts = inspect(path)
    assert (facts["intact"], facts["quality"]) == (False, quality)
    assert "it looks recompressed with loss (JPEG, quality about" in facts["problem"]
    # A model whose embeddings do not survive it is told that they are gone.
    with refused("has been changed since it was written: .*--force restores what can be restored"):
        restored(path, tmp_path / "not", network())


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("a.jpg", {"quality": 80, "comment": b""}, "(JPEG, quality about 80)"),
        ("a.webp", {"quality": 80}, "(lossy WebP)"),
        ("a.png", {}, "(PNG)"),
    ],
)
def test_without_its_record_the_model_is_enough(tmp_path, sent, name, options, words):
    path = again(sent, tmp_path / name, **options)
    pictures, (note,) = restored(path, tmp_path / "back", size=SIZE)
    assert f"has no record of what was embedded {words}: nothing shows whether" in note
    assert pictures[1].shape == (*SIZE, 3)
    with refused("record"):
        restored(path, tmp_path / "not", network(), size=SIZE)
    with refused("record.*name it with --model"):
        bundled.for_record(path, None, examine(path).problem)


def test_a_changed_file_without_loss_is_told_of(tmp_path, inputs):
    path = embed_files(robust(), inputs, tmp_path / "a.webp").path
    with Image.open(path) as image:
        changed = image.point(lambda value: min(255, value + 9))
        changed.save(path, lossless=True, xmp=image.info["xmp"])
    _, (note,) = restored(path, tmp_path / "back")
    assert "has been changed, at the same size, since it was written" in note


def test_another_size_is_refused_and_scaled_back_on_request(tmp_path, sent):
    smaller = tmp_path / "smaller.jpg"
    with Image.open(sent) as image:
        assert image.size == (33, 24)
        image.resize((25, 18)).save(smaller, quality=85, comment=image.info["comment"])
    words = r"it looks resized or cropped \(25x18 pixels, of images of 66x47\).*scales it back to "
    with refused(f"{words}33x24"):
        restored(smaller, tmp_path / "back")
    pictures, notes = restored(smaller, tmp_path / "back", force=True)
    assert notes[-1] == f"{smaller} is scaled back to 33x24 pixels" and len(notes) == 2
    scaled = resize(read_picture(smaller).pixels, (24, 33))
    np.testing.assert_array_equal(pictures, robust().restore(scaled, SIZE))
    # What was cropped is not stretched.
    with Image.open(sent) as image:
        image.crop((0, 0, 25, 24)).save(smaller, comment=image.info["comment"])
    with refused("resized or cropped .*--force restores what can be restored"):
        restored(smaller, tmp_path / "not")
    pictures, (note,) = restored(smaller, tmp_path / "not", force=True)
    assert pictures[0].shape == (48, 50, 3) and "scaled" not in note


def test_a_size_of_other_networks_is_not_its_own(tmp_path, sent):
    """Twice the embedding is the size of the images, which other networks embed to."""
    larger = tmp_path / "larger.jpg"
    with Image.open(sent) as image:
        image.resize((66, 47)).save(larger, comment=image.info["comment"])
    with refused("has 66x47 pixels instead of 33x24: it was resized since it was written"):
        restored(larger, tmp_path / "back")
    pictures, _ = restored(larger, tmp_path / "back", force=True)
    assert pictures[0].shape == (*SIZE, 3)


def test_another_models_file_is_refused(tmp_path, sent):
    other = robust(fingerprint="f" * 64)
    for path in (sent, again(sent, tmp_path / "again.jpg", quality=70)):
        with refused("was written by another model"):
            restored(path, tmp_path / "back", other)


def test_grey_may_be_stored_in_colour_but_not_become_coloured(tmp_path, inputs):
    codec = robust(channels=1)
    path = embed_files(codec, inputs, tmp_path / "grey.jpg").path
    with Image.open(path) as image:
        comment, colour = image.info["comment"], np.array(image.convert("RGB"))
    colour[..., 2] -= np.minimum(colour[..., 2], 3)
    save(path, colour, quality=90, comment=comment)
    pictures, (note,) = restored(path, tmp_path / "back", codec)
    assert "compressed again" in note
    assert np.abs(pictures[0][::2, ::2, 0].astype(int) - colour[..., 0]).max() < 40
    colour[..., 2] //= 2
    save(path, colour, quality=90, comment=comment)
    with refused("has colours, but this model embeds into a grey picture"):
        restored(path, tmp_path / "not", codec)


def test_other_models_refuse_jpeg_and_name_those_that_do_not(tmp_path, inputs, monkeypatch):
    for names, words in (([], r"a \.png or \.webp file$"), (["a", "b"], "or use .*: a, b$")):
        monkeypatch.setattr(bundled, "surviving", lambda form, names=names: names)
        with refused(rf"out\.jpg: what this model embeds does not survive a JPEG file: .*{words}"):
            embed_files(network(), inputs, tmp_path / "out.jpg")
    for quality in (59, 101):
        with refused(f"is {quality}: what this model embeds survives JPEG files of qualities from"):
            embed_files(robust(), inputs, tmp_path / "out.jpg", quality=quality)
    with refused(r"out\.png is no JPEG file: only those have a quality"):
        embed_files(robust(), inputs, tmp_path / "out.png", quality=90)
    with refused("at most 65500 pixels a side, and this picture 65501"):
        robust().write_frames(tmp_path / "out.jpg", np.zeros((2, 1, 131001, 3), np.uint8))
    assert not list(tmp_path.glob("out*"))


def test_a_stereo_pair_and_a_gif_may_be_sent(tmp_path, inputs):
    out = tmp_path / "out.jpg"
    both = save(tmp_path / "both.png", np.hstack([read_picture(path).pixels for path in inputs]))
    embed_stereo(robust(), [both], out, quality=80)
    again(out, out, quality=70)
    views = restore_stereo(robust(), examine(out), tmp_path / "both_again.png")
    assert read_picture(views.paths[0]).pixels.shape == (47, 132, 3)
    assert "compressed again" in views.notes[0]
    frames = [Image.fromarray(noise(20, 30, seed=seed)) for seed in (1, 2)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=70)
    embed_gif(robust(), tmp_path / "a.gif", out, quality=80, overwrite=True)
    again(out, out, quality=70)
    moving = restore_gif(robust(), examine(out), tmp_path / "back.gif")
    with Image.open(moving.paths[0]) as image:
        assert image.info["duration"] == 140  # both frames are the same


def test_a_comment_holds_less_than_a_record_may_have(tmp_path):
    pixels = parse("jpeg90")(noise(8, 8))
    about = {"more": "a" * 65285}
    record = describe(pixels, task="a", images=2, size=(8, 8), model=MODEL, about=about)
    assert 65536 > len(record.to_json()) > 65527
    with pytest.raises(ValueError, match="a record has at most 65526 characters"):
        write_embedding(tmp_path / "a.jpg", noise(8, 8), record)


@pytest.fixture(scope="module")
def models(tmp_path_factory, random_network):
    """A folder of models of which one says that it survives JPEG."""
    folder = tmp_path_factory.mktemp("models")
    fields = {"num_images": 2, "relation": False, "downscaling": "squeeze", "num_blocks": 1}
    part = {"psnr": 30.0, "ssim": None}
    measured = {"embedding": part, "restored": part, "without_network": part}
    survives = dict.fromkeys(("png", "jpeg80", "jpeg50", "webp70", "jxl20"), measured)
    for name, about in {
        "plain": {"task": "hiding"},
        "sturdy": {"task": "hiding", "survives": survives},
    }.items():
        model = random_network(lambda: IICNet(**fields, rngs=nnx.Rngs(0)), len(about) / 50)
        save_model(folder / name, nnx.state(model, nnx.Param), fields, about)
    return folder


def test_a_model_says_what_it_survives(models):
    assert load(models / "plain").survives == {}
    # What a later version may name is passed over.
    assert load(models / "sturdy").survives == {"jpeg": 50, "webp": 70}


@pytest.mark.parametrize("survives", [[], {"jpeg80": {}}, {"jpeg80": {"embedding": 3}}, 7])
def test_a_damaged_statement_is_refused(models, tmp_path, survives):
    for file in (models / "sturdy").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    config["about"]["survives"] = survives
    (tmp_path / "config.json").write_text(json.dumps(config))
    with refused(r"config\.json is damaged: .*survives"):
        load(tmp_path)


def test_from_the_command_to_a_recompressed_file_and_back(
    models, inputs, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(bundled, "FOLDER", models)
    a, b = map(str, inputs)
    out, back = str(tmp_path / "out.jpg"), str(tmp_path / "back")
    with pytest.raises(SystemExit):
        cli.main(["embed", "--model=plain", a, b, "-o", out])
    assert "or use a model that does: sturdy\n" in capsys.readouterr().err
    cli.main(["embed", "--model=sturdy", a, b, "-o", out, "--quality", "95"])
    again(out, out, quality=80)
    cli.main(["restore", out, "-o", back])
    captured = capsys.readouterr()
    assert captured.err.startswith(
        f"note: {out} has been compressed again (JPEG, quality about 80)"
    )
    assert read_picture(tmp_path / "back/01.png").pixels.shape == (*SIZE, 3)
    cli.main(["inspect", out])
    line = capsys.readouterr().out
    assert line.startswith(f"{out}: JPEG of quality about 80, 33x24: 2 pictures of 66x47 (task ")
    assert "model sturdy), CHANGED since; it has been compressed again" in line
    cli.main(["models"])
    line = "survives being compressed again, at qualities of JPEG from 50, WEBP from 70 on"
    assert capsys.readouterr().out.count(line) == 1
    folders = [tmp_path / "x", tmp_path / "y"]
    for folder in folders:
        folder.mkdir()
        for path in inputs:
            (folder / path.name).write_bytes(path.read_bytes())
    arguments = ["embed", "--model=sturdy", *map(str, folders), "-o", back, "--quality=70"]
    cli.main(arguments)
    assert {inspect(tmp_path / f"back/{x}.jpg")["quality"] for x in "xy"} == {70}
