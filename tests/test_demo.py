"""The page: what it computes, and in a browser upload, embed, download, restore."""

import re
import signal
import socket
import sys
import urllib.error
import urllib.request

import numpy as np
import pytest
from flax import nnx
from PIL import Image

from iicnet_jax.demo import content, server
from iicnet_jax.errors import UserError
from iicnet_jax.evaluation.metrics import psnr
from iicnet_jax.media.convert import embed_files, load_network, restore_file
from iicnet_jax.media.images import MAX_PIXELS, read_picture
from iicnet_jax.models import IICNet
from iicnet_jax.weights.model_dir import save_model
from tests import browser

needs_browser = pytest.mark.skipif(
    bool(browser.MISSING), reason=f"the page cannot be visited without {browser.MISSING}"
)

HIDING = {"num_images": 2, "relation": False, "num_blocks": 1}
GREY = {"num_images": 1, "relation": False, "num_blocks": 1, "embedding_channels": 1}
HALF = HIDING | {"num_images": 3, "downscaling": "squeeze", "split": "prop"}


@pytest.fixture(scope="module")
def models(tmp_path_factory, random_network):
    """Model directories by name."""
    folder = tmp_path_factory.mktemp("models")
    for name, fields in {"hiding": HIDING, "grayscale": GREY, "video": HALF}.items():
        model = random_network(lambda fields=fields: IICNet(**fields, rngs=nnx.Rngs(0)))
        save_model(folder / name, nnx.state(model, nnx.Param), fields, {"regime": name})
    return {path.name: path for path in folder.iterdir()}


def picture(path, height=30, width=40, seed=0):
    """A file of smooth colours, so that a network of random parameters does not saturate."""
    pixels = np.random.default_rng(seed).integers(60, 200, (4, 4, 3), np.uint8)
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC).save(path)
    return path


@pytest.fixture
def pictures(tmp_path):
    return [picture(tmp_path / f"{name}.png", seed=ord(name)) for name in "ab"]


def test_a_network_is_described_in_a_sentence_or_two(models):
    descriptions = {name: content.describe(load_network(folder)) for name, folder in models.items()}
    back = "and gets them back from it."
    like = "The embedding looks like the first picture, the reference."
    assert descriptions == {
        "hiding": f"Puts 2 pictures of one size into a single ordinary picture, {back} {like}",
        "grayscale": f"Puts one picture into a single grey picture, {back}",
        "video": "Puts 3 pictures of one size into a single ordinary picture of half the height "
        f"and width, {back} {like}",
    }


def test_models_have_titles(models):
    networks = server.load_networks({"Hidden": models["hiding"], "Grey": models["grayscale"]})
    assert {title: network.task for title, network in networks.items()} == {
        "Hidden": "hiding",
        "Grey": "grayscale",
    }
    with pytest.raises(UserError, match="no model to show"):
        server.load_networks({})


def test_previews_are_small_and_numbered(tmp_path, pictures):
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
    network = load_network(models["hiding"])
    done = embed_files(network, pictures, tmp_path / "embedding.png")
    embedded = {done.record.pixels: content.Originals(tuple(pictures), fit=False)}
    frames = content.originals_of(done.path, embedded, MAX_PIXELS)
    np.testing.assert_array_equal(frames[1], read_picture(pictures[1]).pixels)
    others = {"f" * 64: embedded[done.record.pixels]}
    assert content.originals_of(done.path, others, MAX_PIXELS) is None
    assert content.originals_of(pictures[0], embedded, MAX_PIXELS) is None
    pictures[1].unlink()
    assert content.originals_of(done.path, embedded, MAX_PIXELS) is None


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


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture(scope="module")
def address(models, cache, tmp_path_factory):
    """The page, served with two networks. When it has ended, none of its files is left."""
    temporary = tmp_path_factory.mktemp("temporary")
    titles = {"Hidden": models["hiding"], "Grey": models["grayscale"]}
    with browser.serving(titles, temporary, cache) as address:
        yield address
    assert not list(temporary.iterdir())


@pytest.fixture
def visit(address):
    with browser.visiting(address) as visit:
        yield visit
    foreign = [url for url in visit.requests if not url.startswith((address, "data:", "blob:"))]
    assert len(visit.requests) > 10 and not foreign


@needs_browser
def test_upload_embed_download_restore(visit, pictures, models, tmp_path):
    network = load_network(models["hiding"])
    visit.upload(pictures)
    visit.see("1 (reference): a.png")
    visit.see("2: b.png")
    visit.click("Embed")
    visit.see("2 pictures of 40 x 30 pixels are now in one of 40 x 30, a PNG file of")
    downloaded = visit.download(tmp_path / "downloads")
    assert downloaded.name == "a_embedding.png"
    expected = embed_files(network, pictures, tmp_path / "embedding.png").path
    assert downloaded.read_bytes() == expected.read_bytes()

    visit.open("Restore")
    visit.upload(downloaded)
    visit.click("Restore")
    restored = restore_file(network, expected, tmp_path / "restored").paths
    values = [
        psnr(read_picture(a).pixels, read_picture(b).pixels)
        for a, b in zip(pictures, restored, strict=True)
    ]
    visit.see(f"2 pictures restored, with a mean PSNR of {np.mean(values):.2f} dB.")
    for value in values:
        visit.see(f"restored, PSNR {value:.2f} dB")
    assert visit.page.get_by_text("error, 10 times").count() == 2

    for i, path in enumerate(restored):
        with visit.page.expect_download() as waiting:
            visit.page.locator(f"a[download='{path.name}']").click()
        waiting.value.save_as(tmp_path / "downloads" / path.name)
        assert (tmp_path / "downloads" / path.name).read_bytes() == path.read_bytes()
        visit.page.get_by_label(content.title(i), exact=True).check()
        names = (f"original_{i:02d}.png", path.name)
        for name in names:
            visit.page.locator(f".compare img[src$='/{name}']").wait_for()
        shown = [image.get_attribute("src") for image in visit.page.locator(".compare img").all()]
        assert tuple(url.rsplit("/", 1)[1] for url in shown) == names


@needs_browser
def test_mistakes_are_told_on_the_page(visit, pictures, tmp_path):
    visit.upload(pictures[:1])
    visit.see("1 (reference): a.png")
    visit.click("Embed")
    visit.see("this model embeds 2 pictures, but 1 is given")
    visit.close_message()

    visit.page.reload()
    visit.upload([pictures[0], picture(tmp_path / "c.png", 33, 20)])
    visit.see("2: c.png")
    visit.click("Embed")
    message = visit.see("c.png has 20x33 pixels, and the reference a.png 40x30").inner_text()
    assert f"“{content.FIT}” scales and crops the others" in message and "--fit" not in message
    visit.close_message()
    visit.page.get_by_label(content.FIT).locator("visible=true").check()
    visit.click("Embed")
    visit.see("c.png has 20x33 pixels, and the reference a.png 40x30: it is scaled")

    visit.open("Restore")
    visit.click("Restore")
    visit.see("Choose an embedding file first.")
    visit.close_message()
    visit.upload(pictures[0])
    visit.click("Restore")
    visit.see("a.png has no record of what was embedded")
    visit.close_message()
    visit.page.get_by_label(content.FORCE).locator("visible=true").check()
    visit.click("Restore")
    visit.see("2 pictures restored.")
    visit.see("a.png has no record of what was embedded")


@needs_browser
def test_another_visitor_gets_the_pictures_without_a_comparison(visit, pictures, models, tmp_path):
    visit.open("Grey")
    visit.open("Restore")
    expected = embed_files(
        load_network(models["grayscale"]), pictures[:1], tmp_path / "embedding.png"
    )
    visit.upload(expected.path)
    visit.click("Restore")
    visit.see("1 picture restored.")
    assert visit.page.get_by_text(re.compile("PSNR|Compare")).locator("visible=true").count() == 0


@needs_browser
def test_only_this_machine_is_answered(address):
    port = int(address.rstrip("/").rsplit(":", 1)[1])
    with pytest.raises(ConnectionRefusedError):
        # An address of this machine as well, for a program that listens on all of them.
        socket.create_connection(("127.0.0.2", port), timeout=5)
    request = urllib.request.Request(address, headers={"Host": "example.org"})
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(request, timeout=5)
    with urllib.request.urlopen(address, timeout=5) as answer:
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


@needs_browser
def test_a_port_that_is_taken_is_named(address, models, cache, tmp_path):
    port = int(address.rstrip("/").rsplit(":", 1)[1])
    process = browser.start({"": models["hiding"]}, tmp_path, cache, port)
    output, _ = process.communicate(timeout=180)
    assert f"UserError: the page cannot be served at port {port}: end the program" in output
    assert not list(tmp_path.iterdir())


@needs_browser
def test_a_terminated_page_leaves_nothing(models, cache, tmp_path):
    with browser.serving({"": models["hiding"]}, tmp_path, cache, signal.SIGTERM):
        assert list(tmp_path.iterdir())
    assert not list(tmp_path.iterdir())
