"""The page: pictures into one embedding file and back, in a browser on this machine (Gradio).

`serve` starts it; `_page` lays it out, a tab for each network. What the page computes stands in
functions that know no Gradio: `describe`, `previews`, `compare`, `in_page_words`.

Pictures reach the network as the files that were dropped, and the embedding leaves as the file
that `media.convert` wrote: only previews go through image components.
"""

import contextlib
import dataclasses
import html
import os
import signal
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from iicnet_jax.errors import UserError
from iicnet_jax.evaluation.metrics import psnr
from iicnet_jax.evaluation.pictures import AMPLIFICATION, error_map, save_png
from iicnet_jax.media import embedding_file
from iicnet_jax.media.convert import Network, embed_files, load_network, read_group, restore_file
from iicnet_jax.media.images import MAX_PIXELS, read_picture

HOST = "127.0.0.1"
MAX_FILE_SIZE = "500mb"  # of an upload
PREVIEW_SIDE = 480
# Seconds: how often the page looks for old files, and when a file is old. All go at the end.
CLEANING = (600, 4 * 3600)
SUFFIXES = [".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"]

FIT = "Scale and crop the others to the size of the reference"
FORCE = "Restore what can be restored"
# Options of the command line that messages name, and what they are on the page.
OPTIONS = {"--fit": f"“{FIT}”", "--force": f"“{FORCE}”"}

# Gradio reads these when it is imported and later.
OFFLINE = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}
# Whatever a version of Gradio's page asks for, the browser gets nothing from other hosts.
POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' blob: data:; "
    "frame-ancestors 'self'; form-action 'self'"
)

CSS = """
.notes p { margin: 0.2em 0; }
.restored-files .label-clear-button { display: none; }
.pictures .grid-wrap { max-height: none; min-height: 0; }
.pictures .thumbnail-lg { aspect-ratio: auto; height: auto; }
.pictures .thumbnail-lg img { aspect-ratio: auto; height: auto; }
.pictures .caption-label {
    position: static; max-width: none; border: none; text-align: center; white-space: normal;
}
"""


def serve(
    models: Mapping[str, Path] | Path,
    *,
    port: int | None = None,
    open_browser: bool = False,
    tile: int | None = None,
    max_pixels: int = MAX_PIXELS,
) -> None:
    """Serves the page to this machine alone, until Ctrl-C or SIGTERM.

    Args:
      models: model directories, by the title of their tab; or one of them.
      port: by default the first free one from 7860 on.
      open_browser: open the page in the user's browser.
      tile: as for `Tiled`.
      max_pixels: of a picture, checked before it is decoded.

    Raises:
      UserError: Gradio is not installed, a model cannot be loaded, or the port is taken.
    """
    # Else files would stay when the process is told to end.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="iicnet_page.") as folder:
        gr = _gradio(folder)
        networks = load_networks(models, tile=tile, progress=lambda tiles: _progress(gr, tiles))
        page = _page(gr, networks, max_pixels)
        _launch(gr, page, port, open_browser)
        try:
            print(f"The page is at {page.local_url} (Ctrl-C ends it)", flush=True)
            threading.Event().wait()
        except KeyboardInterrupt:
            pass
        finally:
            page.close(verbose=False)


def load_networks(models: Mapping[str, Path] | Path, **options) -> dict[str, Network]:
    """Loads model directories by title; a single one has its task as its title.

    Raises:
      UserError: there is none, or one cannot be loaded.
    """
    if isinstance(models, Mapping):
        if not models:
            raise UserError("there is no model to show: name a model directory")
        return {title: load_network(Path(folder), **options) for title, folder in models.items()}
    network = load_network(Path(models), **options)
    return {network.task: network}


def describe(network: Network) -> str:
    """One or two sentences of what a network does."""
    model = network.tiled.model
    count = model.num_images
    pictures = "one picture" if count == 1 else f"{count} pictures of one size"
    colour = "grey" if model.embedding_channels == 1 else "ordinary"
    size = " of half the height and width" if model.scale == 2 else ""
    text = f"Puts {pictures} into a single {colour} picture{size}, and gets them back from it."
    if count > 1:
        text += " The embedding looks like the first picture, the reference."
    return text


def title(index: int) -> str:
    """What a picture is called: its number from 1, and which one is the reference."""
    return "1 (reference)" if index == 0 else str(index + 1)


def previews(
    paths: Sequence[Path], *, max_pixels: int = MAX_PIXELS
) -> list[tuple[Image.Image, str]]:
    """Small copies of pictures with their numbers and names.

    Raises:
      UserError: a picture cannot be read.
    """
    result = []
    for i, path in enumerate(paths):
        image = Image.fromarray(read_picture(path, max_pixels=max_pixels).pixels)
        image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
        result.append((image, f"{title(i)}: {path.name}"))
    return result


@dataclasses.dataclass(frozen=True)
class Originals:
    """The pictures that were put into an embedding."""

    paths: tuple[Path, ...]
    fit: bool  # whether they were scaled and cropped to one size

    def frames(self, max_pixels: int) -> np.ndarray | None:
        """Their pixels as they were embedded, None if the files have been cleaned away."""
        if not all(path.exists() for path in self.paths):
            return None
        return read_group(self.paths, fit=self.fit, max_pixels=max_pixels)[0]


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A restored picture beside its original: PNG files, and the PSNR in dB."""

    original: Path
    restored: Path
    error: Path
    psnr: float


def compare(originals: np.ndarray, restored: Sequence[Path], folder: Path) -> list[Comparison]:
    """Compares restored pictures with originals of the same order; files go to `folder`."""
    result = []
    for i, (original, path) in enumerate(zip(originals, restored, strict=True)):
        pixels = read_picture(path).pixels
        comparison = Comparison(
            folder / f"original_{i:02d}.png",
            path,
            folder / f"error_{i:02d}.png",
            psnr(pixels, original),
        )
        save_png(comparison.original, original)
        save_png(comparison.error, error_map(pixels, original))
        result.append(comparison)
    return result


def in_page_words(text: str, paths: Sequence[Path]) -> str:
    """A message of the command line for the page, as HTML.

    Files are called by their names, without the folders where the page keeps them, and options by
    the words beside their boxes.
    """
    for path in sorted({str(path) for path in paths}, key=len, reverse=True):
        text = text.replace(path, Path(path).name)
    for option, words in OPTIONS.items():
        text = text.replace(option, words)
    text = text.replace("with --max-pixels", "by starting the page with --max-pixels")
    return html.escape(text, quote=False)


def _page(gr, networks: Mapping[str, Network], max_pixels: int):
    with gr.Blocks(
        title="IICNet", analytics_enabled=False, delete_cache=CLEANING, fill_width=False
    ) as page:
        gr.Markdown("# Several pictures in one, and back")
        with contextlib.ExitStack() as tabs:
            if len(networks) > 1:
                tabs.enter_context(gr.Tabs())
            for name, network in networks.items():
                with gr.Tab(name) if len(networks) > 1 else gr.Column():
                    gr.Markdown(describe(network))
                    # By the fingerprint of the embedding's pixels, for each visitor.
                    embedded = gr.State({})
                    with gr.Tabs():
                        with gr.Tab("Embed"):
                            _embed_tab(gr, network, embedded, max_pixels)
                        with gr.Tab("Restore"):
                            _restore_tab(gr, network, embedded, max_pixels)
    return page


def _embed_tab(gr, network: Network, embedded, max_pixels: int) -> None:
    count = network.tiled.model.num_images
    with gr.Row():
        with gr.Column(scale=2):
            files = gr.File(
                label="Picture" if count == 1 else f"{count} pictures, the reference first",
                file_count="multiple",
                file_types=SUFFIXES,
                allow_reordering=True,
                height=245,
            )
            if count > 1:
                gr.Markdown("Drag the names to change their order.")
            fit = gr.Checkbox(label=FIT, visible=count > 1)
            button = gr.Button("Embed", variant="primary")
            facts = gr.HTML(elem_classes="notes")
            download = gr.DownloadButton(
                "Download the embedding file", variant="primary", visible=False
            )
        with gr.Column(scale=3):
            given = _gallery(gr, "Pictures to embed", columns=min(count, 3))
            picture = gr.Image(
                label="Embedding",
                type="filepath",
                format="png",
                interactive=False,
                buttons=["fullscreen"],
                visible=False,
            )

    def show(files):
        paths = _paths(files)
        with _told(gr, paths):
            return previews(paths, max_pixels=max_pixels)

    def embed(files, fit, embedded):
        paths = _paths(files)
        # Gradio copies files when it takes a result; when it asks for the next, they are not
        # needed any more.
        with tempfile.TemporaryDirectory(prefix="embed.") as folder:
            with _told(gr, paths):
                output = Path(folder) / f"{paths[0].stem if paths else ''}_embedding.png"
                done = embed_files(network, paths, output, fit=fit, max_pixels=max_pixels)
            embedded = embedded | {done.record.pixels: Originals(tuple(paths), fit)}
            lines = _embedding_facts(done, network)
            lines += [in_page_words(note, paths) for note in done.notes]
            yield (
                gr.Image(str(output), visible=True),
                _paragraphs(lines),
                gr.DownloadButton(value=str(output), visible=True),
                embedded,
            )

    one_at_a_time = _one_at_a_time()
    files.change(show, files, given, show_progress="hidden", **one_at_a_time)
    button.click(
        embed,
        [files, fit, embedded],
        [picture, facts, download, embedded],
        show_progress_on=[button],
        **one_at_a_time,
    )


def _restore_tab(gr, network: Network, embedded, max_pixels: int) -> None:
    count = network.tiled.model.num_images
    with gr.Row():
        with gr.Column(scale=1):
            file = gr.File(label="Embedding file", file_types=SUFFIXES, height=150)
        with gr.Column(scale=1):
            gr.Markdown(
                "The file as it was downloaded. If its pictures were embedded on this page, they "
                "are shown beside the restored ones."
            )
            force = gr.Checkbox(
                label=FORCE, info="even if the file was changed or another network wrote it"
            )
            button = gr.Button("Restore", variant="primary")
    with gr.Column(visible=False) as result:
        facts = gr.HTML(elem_classes="notes")
        gallery = _gallery(gr, "Restored pictures", columns=3)
        with gr.Column(visible=False) as comparing:
            choice = gr.Radio(
                [title(i) for i in range(count)],
                value=title(0),
                label="Compare: original on the left, restored on the right",
                type="index",
            )
            slider = gr.ImageSlider(
                show_label=False,
                format="png",
                interactive=False,
                buttons=["fullscreen"],
                max_height=400,
                elem_classes="compare",
            )
        downloads = gr.File(
            label="Restored files",
            file_count="multiple",
            interactive=False,
            elem_classes="restored-files",
        )

    def restore(file, force, embedded):
        if file is None:
            raise _error(gr, "Choose an embedding file first.")
        path = Path(file)
        with tempfile.TemporaryDirectory(prefix="restore.") as folder:
            folder = Path(folder)
            with _told(gr, [path]):
                done = restore_file(
                    network, path, folder / "restored", force=force, max_pixels=max_pixels
                )
                originals = _originals(path, embedded, max_pixels)
            lines = [in_page_words(note, [path]) for note in done.notes]
            if originals is None:
                pictures = [(str(file), title(i)) for i, file in enumerate(done.paths)]
                pair, lines = None, [f"{_count(done.paths)} restored.", *lines]
            else:
                pairs = compare(originals, done.paths, folder)
                mean = np.mean([pair.psnr for pair in pairs])
                summary = f"{_count(done.paths)} restored, with a mean PSNR of {mean:.2f} dB."
                lines = [summary, *lines]
                pictures = [shown for i, pair in enumerate(pairs) for shown in _row(i, pair)]
                pair = (str(pairs[0].original), str(pairs[0].restored))
            yield (
                pictures,
                _paragraphs(lines),
                [str(file) for file in done.paths],
                pair,
                title(0),
                gr.Column(visible=pair is not None),
                gr.Column(visible=True),
            )

    def choose(index, pictures):
        # Three pictures a row, as `_row` puts them.
        original, restored = (path for path, _ in pictures[3 * index : 3 * index + 2])
        return original, restored

    button.click(
        restore,
        [file, force, embedded],
        [gallery, facts, downloads, slider, choice, comparing, result],
        show_progress_on=[button],
        **_one_at_a_time(),
    )
    choice.input(
        choose, [choice, gallery], slider, show_progress="hidden", api_visibility="private"
    )


def _gallery(gr, label: str, columns: int):
    # Its label would cover the first picture.
    return gr.Gallery(
        label=label,
        show_label=False,
        columns=columns,
        height="auto",
        object_fit="contain",
        format="png",
        interactive=False,
        buttons=["fullscreen"],
        elem_classes="pictures",
    )


def _row(index: int, pair: Comparison) -> list[tuple[str, str]]:
    """Three pictures with captions: original, restored, error."""
    return [
        (str(pair.original), f"{title(index)}: original"),
        (str(pair.restored), f"restored, PSNR {pair.psnr:.2f} dB"),
        (str(pair.error), f"error, {AMPLIFICATION} times"),
    ]


def _originals(path: Path, embedded: Mapping[str, Originals], max_pixels: int):
    """Pixels of the pictures that this visitor put into an embedding file, None if unknown."""
    record = embedding_file.examine(path, max_pixels=max_pixels).record
    originals = embedded.get(record.pixels) if record is not None else None
    return None if originals is None else originals.frames(max_pixels)


def _embedding_facts(done, network: Network) -> list[str]:
    height, width = done.record.size
    rows, columns = network.tiled.model.embedding_size(height, width)
    size = done.path.stat().st_size
    return [
        f"{_count(range(done.record.images))} of {width} x {height} pixels are now in one of "
        f"{columns} x {rows}, a PNG file of {_bytes(size)}.",
        "Keep the file as it is: any change of its pixels, such as that of a messenger or a photo "
        "editor, damages what is in it.",
    ]


def _count(pictures) -> str:
    return "1 picture" if len(pictures) == 1 else f"{len(pictures)} pictures"


def _bytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1e3))} kB"


def _paragraphs(lines: Sequence[str]) -> str:
    return "".join(f"<p>{line}</p>" for line in lines)


def _paths(files) -> list[Path]:
    return [Path(file) for file in files or []]


def _one_at_a_time() -> dict:
    """Options of an event: whatever decodes or computes shares one queue for all tabs."""
    return {"concurrency_id": "network", "concurrency_limit": 1, "api_visibility": "private"}


@contextlib.contextmanager
def _told(gr, paths: Sequence[Path]) -> Iterator[None]:
    """Turns mistakes of the user into messages on the page."""
    try:
        yield
    except UserError as error:
        raise _error(gr, in_page_words(str(error), paths)) from error


def _error(gr, message: str):
    return gr.Error(message, title="This does not work", duration=None, print_exception=False)


def _progress(gr, tiles):
    """Shows the progress of the computation under way on the page that asked for it."""
    return gr.Progress().tqdm(tiles, desc="Computing", unit="tiles")


def _gradio(folder: str):
    """Gradio, which reports nothing, looks up nothing, and keeps its files in `folder`.

    Raises:
      UserError: it is not installed.
    """
    os.environ.update(OFFLINE | {"GRADIO_TEMP_DIR": folder})
    try:
        import gradio
    except ImportError as error:
        raise UserError("the page needs Gradio: pip install iicnet_jax[demo]") from error
    return gradio


def _launch(gr, page, port: int | None, open_browser: bool) -> None:
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    middleware = [
        # A foreign site whose name points to this machine is not answered.
        Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"]),
        Middleware(_Policy),
    ]
    try:
        page.launch(
            server_name=HOST,
            server_port=port,
            inbrowser=open_browser,
            share=False,
            max_file_size=MAX_FILE_SIZE,
            run_history=False,
            enable_monitoring=False,
            mcp_server=False,
            ssr_mode=False,
            footer_links=[],
            theme=_theme(gr),
            css=CSS,
            app_kwargs={"middleware": middleware},
            prevent_thread_lock=True,
            quiet=True,
        )
    except OSError as error:
        raise UserError(
            f"the page cannot be served at port {port or 'any from 7860 on'}: end the program "
            "that uses it, or pass another port"
        ) from error


def _theme(gr):
    # A font that comes with Gradio, in those weights that have all letters.
    font = [gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700)), "sans-serif"]
    return gr.themes.Soft(primary_hue="teal", secondary_hue="teal", font=font).set(
        checkbox_border_color="*neutral_400"
    )


class _Policy:
    """Adds POLICY to every answer (ASGI middleware)."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        async def send_with_policy(message):
            if message["type"] == "http.response.start":
                header = (b"content-security-policy", POLICY.encode())
                message = message | {"headers": [*message.get("headers", []), header]}
            await send(message)

        await self.app(scope, receive, send_with_policy)
