"""iicnet demo: a page in the browser."""

from pathlib import Path

from iicnet_jax.cli.arguments import add_command, positive
from iicnet_jax.media.images import MAX_PIXELS


def add_commands(commands) -> None:
    """demo."""
    demo = add_command(
        commands, "demo", _demo, "open a page to embed and restore pictures, for this machine alone"
    )
    demo.add_argument(
        "--model",
        type=Path,
        action="append",
        required=True,
        help="a model's folder, or the workdir of a run; may be given several times",
    )
    demo.add_argument("--port", type=positive, help="of the page; a free one without")
    demo.add_argument("--open", action="store_true", help="open the page in the browser")
    demo.add_argument("--tile", type=positive, help="side in pixels of the tiles of large pictures")
    demo.add_argument(
        "--max-pixels", type=positive, default=MAX_PIXELS, help="refuse pictures with more pixels"
    )


def _demo(arguments):
    from iicnet_jax.demo import serve
    from iicnet_jax.workdir import find_model

    models = {path.resolve().name: find_model(path) for path in arguments.model}
    (only, *more) = models.values()
    serve(
        models if more else only,
        port=arguments.port,
        open_browser=arguments.open,
        tile=arguments.tile,
        max_pixels=arguments.max_pixels,
    )
