"""iicnet data: check a dataset, prepare it, write miniatures."""

import sys
from pathlib import Path

from iicnet_jax.cli.arguments import add_command, positive
from iicnet_jax.core.errors import UserError
from iicnet_jax.core.files import typed_path

# Problems that are printed in full.
SHOWN = 20
CONFIG = "--config=FILE [--config.FIELD=VALUE ...]"


def add_commands(commands) -> None:
    """data check, data prepare, data sample."""
    data = commands.add_parser("data", help="check, prepare and sample datasets")
    commands = data.add_subparsers(required=True, metavar="COMMAND")
    check = add_command(
        commands,
        "check",
        _check,
        "read every sample of a configuration's dataset and list what is wrong",
        usage=f"%(prog)s {CONFIG}",
    )
    prepare = add_command(
        commands,
        "prepare",
        _prepare,
        "write a configuration's dataset as a TensorFlow dataset (ArrayRecord)",
        usage=f"%(prog)s {CONFIG} --out DIR [--tile PIXELS]",
    )
    prepare.add_argument(
        "--out", type=typed_path, required=True, help="folder for prepared datasets"
    )
    prepare.add_argument(
        "--tile", type=positive, help="side of the tiles images are cut into; whole files without"
    )
    for parser in (check, prepare):
        parser.set_defaults(takes_config=True)
    sample = add_command(
        commands,
        "sample",
        _sample,
        "write a miniature of every dataset, from photographs that come with scikit-image",
    )
    sample.add_argument("--out", type=typed_path, required=True, help="folder for the datasets")


def _check(arguments):
    from iicnet_jax.data.check import check
    from iicnet_jax.data.storage import cached
    from iicnet_jax.data.tasks import open_store, task_class
    from iicnet_jax.experiment import run

    config = run.load_config(arguments.config_flags)
    # Frames are in many windows, and the windows of neighbouring samples.
    store = cached(open_store(config.data), images=96)
    task = task_class(config.data).from_config(store, config.data, config.model)
    report = check(task)
    for split, samples in report.samples.items():
        print(f"{split}: {samples} samples")
    for problem in report.problems[:SHOWN]:
        print(problem, file=sys.stderr)
    if report.problems:
        count = len(report.problems)
        raise UserError(f"{count} problem{'s' * (count > 1)} in {config.data.root}")
    print("Nothing is wrong.")


def _prepare(arguments):
    from iicnet_jax.data import create_task
    from iicnet_jax.data.prepared import PreparedStore, prepare
    from iicnet_jax.data.task import SPLITS
    from iicnet_jax.experiment import run

    config = run.load_config(arguments.config_flags)
    task = create_task(config.data, config.model)
    if isinstance(task.store, PreparedStore):
        raise UserError(f"{config.data.root} is already prepared")
    for split in SPLITS:
        task.names(split)  # nothing incomplete is prepared
    folder = prepare(task.DATASET, Path(config.data.root), arguments.out, arguments.tile)
    print(f"Prepared: use it with --config.data.root={folder}")


def _sample(arguments):
    from iicnet_jax.experiment import configuration

    datasets = configuration.from_repository("experiments.datasets")
    for dataset, folder in datasets.write_sample(arguments.out).items():
        print(f"{dataset}: {folder}")
