"""Serves the page to this machine alone (Gradio).

`serve` starts it; `layout` says what it looks like, `content` what it computes, and `guard` whom it
answers.
"""

import os
import signal
import threading
from collections.abc import Mapping
from pathlib import Path

from iicnet_jax.core import signals
from iicnet_jax.core.errors import UserError
from iicnet_jax.demo import layout
from iicnet_jax.imaging.picture_reader import MAX_PIXELS
from iicnet_jax.inference.codec import Codec, load

HOST = "127.0.0.1"
MAX_FILE_SIZE = "500mb"  # of an upload

# Gradio reads these when it is imported and later.
OFFLINE = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}


def serve(
    models: Mapping[str, Path],
    *,
    port: int | None = None,
    open_browser: bool = False,
    tile: int | None = None,
    max_pixels: int = MAX_PIXELS,
) -> None:
    """Serves the page to this machine alone, until Ctrl-C or SIGTERM.

    Args:
      models: model directories, by the title of their tab.
      port: by default the first free one from 7860 on.
      open_browser: open the page in the user's browser.
      tile: as for `Tiled`.
      max_pixels: of a picture, checked before it is decoded.

    Raises:
      UserError: Gradio is not installed, a model cannot be loaded, or the port is taken.
    """
    with signals.unwinding(), layout.scratch() as folder:
        gr = _gradio(folder)
        codecs = load_codecs(models, tile=tile, progress=lambda tiles: _progress(gr, tiles))
        page = layout.build_page(gr, codecs, max_pixels)
        _launch(gr, page, folder, port, open_browser)
        # No exception from here on: the interpreter would swallow one that falls into a callback.
        end = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: end.set())
        print(f"The page is at {page.local_url} (Ctrl-C ends it)", flush=True)
        end.wait()
        page.close(verbose=False)


def load_codecs(models: Mapping[str, Path], **options) -> dict[str, Codec]:
    """Loads model directories by title.

    Raises:
      UserError: there is none, or one cannot be loaded.
    """
    if not models:
        raise UserError("there is no model to show: name one with --model")
    return {title: load(folder, **options) for title, folder in models.items()}


def _progress(gr, tiles):
    """Shows the progress of the computation under way on the page that asked for it."""
    return gr.Progress().tqdm(tiles, desc="Computing", unit="tiles")


def _gradio(folder: Path):
    """Gradio, which reports nothing, looks up nothing, and keeps its files in `folder`.

    Raises:
      UserError: it is not installed.
    """
    os.environ.update(OFFLINE | {"GRADIO_TEMP_DIR": str(folder)})
    try:
        import gradio
    except ImportError as error:
        raise UserError("the page needs Gradio: pip install iicnet_jax[demo]") from error
    return gradio


def _launch(gr, page, folder: Path, port: int | None, open_browser: bool) -> None:
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from iicnet_jax.demo.guard import Guard

    middleware = [
        # A foreign site whose name points to this machine is not answered.
        Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"]),
        Middleware(Guard, folder=folder),
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
            css=layout.CSS,
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
