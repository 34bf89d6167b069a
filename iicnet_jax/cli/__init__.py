"""The `iicnet` command: what its words mean, then one call each.

Exit status: 0 done, 1 a mistake or a broken file (one message on stderr), 2 unknown arguments.
"""

import argparse
from collections.abc import Sequence

from iicnet_jax import run
from iicnet_jax.cli import data, demo, models, moving, pictures, weights
from iicnet_jax.errors import UserError


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command that the arguments name."""
    with run.exit_on_user_error():
        run.set_up_logging()
        arguments, others = _parser().parse_known_args(argv)
        if others and not arguments.takes_config:
            raise UserError(f"unexpected argument {others[0]!r} (see --help)")
        arguments.config_flags = others
        arguments.command(arguments)


def _parser():
    parser = argparse.ArgumentParser(
        "iicnet",
        description="Several pictures in one, and back.",
        epilog="Exit status: 0 done, 1 a mistake or a broken file, 2 unknown arguments.",
    )
    parser.set_defaults(takes_config=False)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in (pictures, moving, demo, models, weights, data):
        module.add_commands(commands)
    return parser
