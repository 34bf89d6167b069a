"""The page as a user meets it: served by a process of its own, visited with headless Chromium.

Takes the pictures of docs/pictures too:

python -m tests.browser --model DIR --out docs/pictures A.png B.png ...
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

from tests.program import ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
MISSING = [name for name in ("gradio", "playwright") if find_spec(name) is None]
MISSING += [] if CHROMIUM else ["the browser chromium"]
LAUNCH = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SERVE = """
import json, sys
from pathlib import Path
from iicnet_jax.demo.server import serve
models = {title: Path(folder) for title, folder in json.loads(sys.argv[1]).items()}
serve(models, port=json.loads(sys.argv[2]))
"""
REDUCTION = 0.62  # of the pictures of the page
MAX_BYTES = 300_000  # more than that, and a picture gets 256 colours
WAIT = 120_000  # milliseconds; what happens first compiles a network


def start(models: Mapping[str, Path], temporary: Path, port: int | None = None):
    """Starts a process that serves the page for models by title; its files go to `temporary`."""
    titles = json.dumps({title: str(folder) for title, folder in models.items()})
    return subprocess.Popen(
        [sys.executable, "-c", SERVE, titles, json.dumps(port)],
        cwd=ROOT,
        env={**os.environ, "JAX_PLATFORMS": "cpu", "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextlib.contextmanager
def serving(models: Mapping[str, Path], temporary: Path, end=signal.SIGINT) -> Iterator[str]:
    """As `start`; gives the address of the page, and ends it with the signal `end`."""
    process = start(models, temporary)
    try:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "The page is at" in line:
                yield line.split()[4]
                break
        else:
            raise AssertionError("".join(lines))
    finally:
        process.send_signal(end)
        output, _ = process.communicate(timeout=120)
    assert process.returncode == 0 and "Traceback" not in output, output


class Visit:
    """An open page, and every address it asked for."""

    def __init__(self, page, address: str):
        self.page = page
        self.address = address
        self.requests: list[str] = []
        page.set_default_timeout(WAIT)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda socket: self.requests.append(socket.url))
        page.goto(address)

    def open(self, tab: str) -> None:
        self.page.get_by_role("tab", name=tab, exact=True).locator("visible=true").click()

    def upload(self, files: Path | Sequence[Path]) -> None:
        """Drops files into the box of the tab that is open."""
        box = self.page.locator("[role=tabpanel]:visible input[type=file]").last
        box.set_input_files(files)

    def click(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).locator("visible=true").click()

    def download(self, folder: Path) -> Path:
        """What the button below the embedding gives."""
        with self.page.expect_download() as waiting:
            self.page.get_by_text("Download the embedding file").locator("visible=true").click()
        path = folder / waiting.value.suggested_filename
        waiting.value.save_as(path)
        return path

    def close_message(self) -> None:
        """Closes the box in which the page tells a mistake."""
        button = self.page.get_by_test_id("toast-close")
        button.click()
        button.wait_for(state="detached")

    def see(self, text: str):
        """Waits for a text."""
        found = self.page.get_by_text(text).locator("visible=true").first
        found.wait_for()
        return found


@contextlib.contextmanager
def visiting(address: str) -> Iterator[Visit]:
    """Opens the page in a browser that has never been used."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=LAUNCH)
        try:
            yield Visit(browser.new_page(viewport={"width": 1100, "height": 800}), address)
        finally:
            browser.close()


def take_pictures(model: Path, inputs: Sequence[Path], out: Path) -> None:
    """Writes page_embed.png and page_restore.png: the page after each step."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        serving({"": model}, Path(scratch)) as address,
        visiting(address) as visit,
    ):
        visit.upload(inputs)
        visit.see(f"{len(inputs)}: {inputs[-1].name}")
        visit.click("Embed")
        path = visit.download(Path(scratch))
        out.mkdir(parents=True, exist_ok=True)
        _photograph(visit, out / "page_embed.png")
        visit.open("Restore")
        visit.upload(path)
        visit.click("Restore")
        visit.see("mean PSNR")
        _photograph(visit, out / "page_restore.png")
    other = {url for url in visit.requests if not url.startswith((address, "data:", "blob:"))}
    print(f"{len(visit.requests)} requests, other hosts: {other or 'none'}")


def _photograph(visit, path: Path) -> None:
    visit.page.mouse.move(0, 0)
    visit.page.wait_for_timeout(1500)  # pictures fade in
    visit.page.screenshot(path=path, full_page=True)
    with Image.open(path) as image:
        width, height = (round(side * REDUCTION) for side in image.size)
        small = image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    small.save(path, optimize=True)
    if path.stat().st_size > MAX_BYTES:
        # Without dithering, colours of the photographs would shift.
        palette = small.quantize(256)
        dithered = small.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
        dithered.save(path, optimize=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("inputs", type=Path, nargs="+")
    arguments = parser.parse_args()
    take_pictures(arguments.model, arguments.inputs, arguments.out)
