"""The page in headless Chromium: upload, embed, download, restore, and what it refuses."""

import re
import signal
import socket
import urllib.error
import urllib.request

import numpy as np
import pytest

from iicnet_jax.conversion.pictures import embed_files, restore_file
from iicnet_jax.demo import content
from iicnet_jax.evaluation.metrics import psnr
from iicnet_jax.imaging.picture_reader import read_picture
from iicnet_jax.inference.codec import load
from iicnet_jax.media.embedding_file import examine
from tests import browser

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(
        bool(browser.MISSING), reason=f"the page cannot be visited without {browser.MISSING}"
    ),
]


@pytest.fixture(scope="module")
def address(models, tmp_path_factory):
    """The page, served with two networks. When it has ended, none of its files is left."""
    temporary = tmp_path_factory.mktemp("temporary")
    titles = {"Hidden": models["hiding"], "Grey": models["grayscale"]}
    with browser.serving(titles, temporary) as address:
        yield address
    assert not list(temporary.iterdir())


@pytest.fixture
def visit(address):
    with browser.visiting(address) as visit:
        yield visit
    foreign = [url for url in visit.requests if not url.startswith((address, "data:", "blob:"))]
    assert len(visit.requests) > 10 and not foreign


def test_upload_embed_download_restore(visit, pictures, models, tmp_path):
    codec = load(models["hiding"])
    visit.upload(pictures)
    visit.see("1 (reference): a.png")
    visit.see("2: b.png")
    visit.click("Embed")
    visit.see("2 pictures of 40 x 30 pixels are now in one of 40 x 30, a PNG file of")
    downloaded = visit.download(tmp_path / "downloads")
    assert downloaded.name == "a_embedding.png"
    expected = embed_files(codec, pictures, tmp_path / "embedding.png").path
    assert downloaded.read_bytes() == expected.read_bytes()

    visit.open("Restore")
    visit.upload(downloaded)
    visit.click("Restore")
    restored = restore_file(codec, examine(expected), tmp_path / "restored").paths
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


def test_mistakes_are_told_on_the_page(visit, picture, pictures, tmp_path):
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


def test_another_visitor_gets_the_pictures_without_a_comparison(visit, pictures, models, tmp_path):
    visit.open("Grey")
    visit.open("Restore")
    expected = embed_files(load(models["grayscale"]), pictures[:1], tmp_path / "embedding.png")
    visit.upload(expected.path)
    visit.click("Restore")
    visit.see("1 picture restored.")
    assert visit.page.get_by_text(re.compile("PSNR|Compare")).locator("visible=true").count() == 0


def test_only_this_machine_is_answered(address):
    port = int(address.rstrip("/").rsplit(":", 1)[1])
    with pytest.raises(ConnectionRefusedError):
        # An address of this machine as well, for a program that listens on all of them.
        socket.create_connection(("127.0.0.2", port), timeout=5)
    request = urllib.request.Request(address, headers={"Host": "example.org"})
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(request, timeout=5)
    upload = urllib.request.Request(
        f"{address}gradio_api/upload", b"", headers={"Origin": "http://example.org"}
    )
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(upload, timeout=5)
    with urllib.request.urlopen(address, timeout=5) as answer:
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


def test_a_port_that_is_taken_is_named(address, models, tmp_path):
    port = int(address.rstrip("/").rsplit(":", 1)[1])
    process = browser.start({"": models["hiding"]}, tmp_path, port)
    output, _ = process.communicate(timeout=180)
    assert f"UserError: the page cannot be served at port {port}: end the program" in output
    assert not list(tmp_path.iterdir())


def test_a_terminated_page_leaves_nothing(models, tmp_path):
    with browser.serving({"": models["hiding"]}, tmp_path, signal.SIGTERM):
        assert list(tmp_path.iterdir())
    assert not list(tmp_path.iterdir())
