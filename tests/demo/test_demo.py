"""What the page computes and says, without a browser."""

import sys

import numpy as np
import pytest

from iicnet_jax.conversion.pictures import embed_files
from iicnet_jax.core.errors import UserError
from iicnet_jax.demo import content, server
from iicnet_jax.evaluation.metrics import psnr
from iicnet_jax.imaging.picture_reader import MAX_PIXELS, read_picture
from iicnet_jax.inference.codec import load
from tests.media.pictures import network


def test_a_network_is_described_in_a_sentence_or_two(models):
    descriptions = {name: content.describe(load(folder)) for name, folder in models.items()}
    back = "and gets them back from it."
    like = "The embedding looks like the first picture, the reference."
    assert descriptions == {
        "hiding": f"Puts 2 pictures of one size into a single ordinary picture, {back} {like}",
        "grayscale": f"Puts one picture into a single grey picture, {back}",
        "video": "Puts 3 pictures of one size into a single ordinary picture of half the height "
        f"and width, {back} {like}",
    }


def test_models_have_titles(models):
    codecs = server.load_codecs({"Hidden": models["hiding"], "Grey": models["grayscale"]})
    assert {title: codec.task for title, codec in codecs.items()} == {
        "Hidden": "hiding",
        "Grey": "grayscale",
    }
    with pytest.raises(UserError, match="no model to show"):
        server.load_codecs({})


def test_previews_are_small_and_numbered(tmp_path, pictures, picture):
    large = picture(tmp_path / "large.png", 100, 2000)
    shown = content.previews([*pictures, large])
    assert [caption for _, caption in shown] == ["1 (reference): a.png", "2: b.png", "3: large.png"]
    assert [image.size for image, _ in shown] == [(40, 30), (40, 30), (480, 24)]
    with pytest.raises(UserError, match="more than 0.001 megapixels"):
        content.previews(pictures, max_pixels=1000)


def test_restored_pictures_are_compared_with_their_originals(tmp_path, pictures):
    originals = np.stack([read_picture(path).pixels for path in pictures])
    first, second = content.compare(originals, [pictures[1], pictures[1]], tmp_path / "out")
    assert second.psnr == float("inf")
    assert first.psnr == psnr(*originals)
    np.testing.assert_array_equal(read_picture(first.original).pixels, originals[0])
    assert first.restored == pictures[1]
    difference = np.abs(originals[0].astype(int) - originals[1])
    np.testing.assert_array_equal(
        read_picture(first.error).pixels, np.minimum(10 * difference, 255)
    )


def test_originals_are_known_by_the_embedding(tmp_path, pictures, models):
    codec = load(models["hiding"])
    done = embed_files(codec, pictures, tmp_path / "embedding.png")
    embedded = {done.record.pixels: content.Originals(tuple(pictures), fit=False)}
    frames = content.originals_of(done.record, embedded, MAX_PIXELS)
    np.testing.assert_array_equal(frames[1], read_picture(pictures[1]).pixels)
    others = {"f" * 64: embedded[done.record.pixels]}
    assert content.originals_of(done.record, others, MAX_PIXELS) is None
    assert content.originals_of(None, embedded, MAX_PIXELS) is None
    pictures[1].unlink()
    assert content.originals_of(done.record, embedded, MAX_PIXELS) is None


def test_messages_speak_of_the_page(tmp_path):
    path = tmp_path / "<b>.png"
    text = content.in_page_words(f"{path} & {path}: --fit scales, --force restores", [path])
    assert text == (
        "&lt;b&gt;.png &amp; &lt;b&gt;.png: “Scale and crop the others to the size of the "
        "reference” scales, “Restore what can be restored” restores"
    )
    text = content.in_page_words("make it smaller, or allow more with --max-pixels", [])
    assert text.endswith("or allow more by starting the page with --max-pixels")


def test_without_gradio_the_user_is_told_what_to_install(models, monkeypatch):
    for name in (*server.OFFLINE, "GRADIO_TEMP_DIR"):
        monkeypatch.setenv(name, "")  # to be put back afterwards
    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(UserError, match=r"needs Gradio: pip install iicnet_jax\[demo\]"):
        server.serve({"": models["hiding"]})


def test_the_embedding_of_a_model_that_survives_jpeg_is_a_jpeg_file(tmp_path, pictures):
    for survives, name, words in (
        ({}, "a_embedding.png", "Keep the file as it is"),
        ({"jpeg": 50}, "a_embedding.jpg", "survives being compressed again"),
    ):
        codec = network(survives=survives)
        assert content.embedding_name(codec, pictures) == name
        done = embed_files(codec, pictures, tmp_path / name)
        facts = content.embedding_facts(done, codec)
        assert f"a {'PNG' if not survives else 'JPEG'} file of " in facts[0]
        assert words in facts[1]
