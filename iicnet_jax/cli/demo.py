"""iicnet demo: a page in the browser."""

from iicnet_jax.cli.arguments import add_command, positive
from iicnet_jax.core.files import typed_path
from iicnet_jax.imaging.picture_reader import MAX_PIXELS


def add_commands(commands) -> None:
    """demo."""
    demo = add_command(
        commands, "demo", _demo, "open a page to embed and restore pictures, for this machine alone"
    )
    demo.add_argument(
        "--model",
        action="append",
        help="a model's folder, the workdir of a run, or a name that `iicnet models` lists; may be "
        "given several times; without it, all bundled ones",
    )
    demo.add_argument("--port", type=positive, help="of the page; a free one without")
    demo.add_argument("--open", action="store_true", help="open the page in the browser")
    demo.add_argument("--tile", type=positive, help="side in pixels of the tiles of large pictures")
    demo.add_argument(
        "--max-pixels", type=positive, default=MAX_PIXELS, help="refuse pictures with more pixels"
    )


def _demo(arguments):
    from iicnet_jax import bundled
    from iicnet_jax.core import compilation_cache
    from iicnet_jax.demo.server import serve

    compilation_cache.enable()
    serve(
        _by_title(arguments.model) if arguments.model else bundled.folders(),
        port=arguments.port,
        open_browser=arguments.open,
        tile=arguments.tile,
        max_pixels=arguments.max_pixels,
    )


def _by_title(models):
    """Model directories by the name of what was given, or all of it where two have one name."""
    from iicnet_jax import bundled

    names = [typed_path(model).resolve().name for model in models]
    return {
        name if names.count(name) == 1 else model: bundled.find(model)
        for name, model in zip(names, models, strict=True)
    }
