"""The `iicnet` command: arguments, then one call each."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from iicnet_jax import run
from iicnet_jax.errors import UserError

# Problems that are printed in full.
SHOWN = 20


def main(argv: Sequence[str] | None = None) -> None:
    """Runs a command. Exit status: 0 done, 1 a mistake or a broken file, 2 unknown arguments."""
    with run.exit_on_user_error():
        arguments, others = _parser().parse_known_args(argv)
        if others and not arguments.takes_config:
            raise UserError(f"unexpected argument {others[0]!r} (see --help)")
        arguments.command(arguments, others)


def _parser():
    parser = argparse.ArgumentParser("iicnet", description="Several images in one, and back.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    data = commands.add_parser("data", help="check, prepare and sample datasets")
    data_commands = data.add_subparsers(required=True, metavar="COMMAND")

    def add(name, command, help, usage, takes_config=True):
        added = data_commands.add_parser(
            name, help=help, description=help, usage=f"%(prog)s {usage}", allow_abbrev=False
        )
        added.set_defaults(command=command, takes_config=takes_config)
        return added

    config = "--config=FILE [--config.FIELD=VALUE ...]"
    add(
        "check",
        _check,
        "read every sample of a configuration's dataset and list what is wrong",
        config,
    )
    prepare = add(
        "prepare",
        _prepare,
        "write a configuration's dataset as a TensorFlow dataset (ArrayRecord)",
        f"{config} --out DIR [--tile PIXELS]",
    )
    prepare.add_argument("--out", type=Path, required=True, help="folder for prepared datasets")
    prepare.add_argument(
        "--tile", type=_positive, help="side of the tiles images are cut into; whole files without"
    )
    sample = add(
        "sample",
        _sample,
        "write a miniature of every dataset, from photographs that come with scikit-image",
        "--out DIR",
        takes_config=False,
    )
    sample.add_argument("--out", type=Path, required=True, help="folder for the datasets")
    return parser


def _positive(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not {text!r}")
    return int(text)


def _check(arguments, others):
    from iicnet_jax.data.check import check
    from iicnet_jax.data.registry import open_store, regime_class
    from iicnet_jax.data.store import CachedStore

    config = run.load_config(others)
    # Frames are in many windows, and the windows of neighbouring samples.
    store = CachedStore(open_store(config.data), images=96)
    regime = regime_class(config.data).from_config(store, config.data, config.model)
    report = check(regime)
    for split, samples in report.samples.items():
        print(f"{split}: {samples} samples")
    for problem in report.problems[:SHOWN]:
        print(problem, file=sys.stderr)
    if report.problems:
        count = len(report.problems)
        raise UserError(f"{count} problem{'s' * (count > 1)} in {config.data.root}")
    print("Nothing is wrong.")


def _prepare(arguments, others):
    from iicnet_jax.data import create_regime
    from iicnet_jax.data.prepared import PreparedStore, prepare
    from iicnet_jax.data.regime import SPLITS

    config = run.load_config(others)
    regime = create_regime(config.data, config.model)
    if isinstance(regime.store, PreparedStore):
        raise UserError(f"{config.data.root} is already prepared")
    for split in SPLITS:
        regime.names(split)  # nothing incomplete is prepared
    folder = prepare(regime.DATASET, Path(config.data.root), arguments.out, arguments.tile)
    print(f"Prepared: use it with --config.data.root={folder}")


def _sample(arguments, others):
    from iicnet_jax.data.sample import write_sample

    for dataset, folder in write_sample(arguments.out).items():
        print(f"{dataset}: {folder}")
