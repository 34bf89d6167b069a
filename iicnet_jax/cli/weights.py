"""iicnet import-weights, export-weights: write model directories."""

from iicnet_jax.cli.arguments import add_command, add_output
from iicnet_jax.core.errors import UserError
from iicnet_jax.core.files import typed_path


def add_commands(commands) -> None:
    """import-weights and export-weights."""
    imports = add_command(
        commands,
        "import-weights",
        _import,
        "make a model of a weight file (.pth) that the authors of IICNet published",
    )
    imports.add_argument("file", type=typed_path, help="the weight file; nothing in it is executed")
    imports.add_argument(
        "--embedding-channels",
        type=int,
        choices=(1, 3),
        help="where the weights leave it open: 3 for embeddings in colour, 1 for grey ones",
    )
    imports.add_argument("--split", choices=("ref", "prop"), help="where the weights leave it open")
    exports = add_command(
        commands, "export-weights", _export, "make a model of a run, finished or not"
    )
    exports.add_argument("workdir", type=typed_path, help="of the run")
    exports.add_argument(
        "--checkpoint", choices=("latest", "best"), default="latest", help="which weights to take"
    )
    exports.add_argument(
        "--half",
        action="store_true",
        help="round the weights to half precision: a file of half the size",
    )
    for parser in (imports, exports):
        add_output(parser, "folder for the model", replaces="a model that is there")


def _import(arguments):
    from iicnet_jax.weights.import_official import import_official

    _check_out(arguments)
    config = import_official(
        arguments.file,
        arguments.out,
        embedding_channels=arguments.embedding_channels,
        split=arguments.split,
    )
    network = ", ".join(f"{name} {value}" for name, value in config.items())
    print(f"{arguments.out}: {network}")


def _export(arguments):
    from iicnet_jax.experiment.export import export

    _check_out(arguments)
    about = export(arguments.workdir, arguments.checkpoint, arguments.out, arguments.half)
    print(f"{arguments.out}: the network of {arguments.workdir} after step {about['step']}")


def _check_out(arguments):
    from iicnet_jax.media.outputs import check_folder
    from iicnet_jax.weights.model_dir import CONFIG, WEIGHTS

    if (arguments.out / CONFIG).exists() and not arguments.overwrite:
        raise UserError(
            f"{arguments.out} already holds a model: name another folder, or pass --overwrite"
        )
    check_folder(arguments.out, arguments.overwrite, (CONFIG, WEIGHTS))
