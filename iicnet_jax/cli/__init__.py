"""The `iicnet` command: its sub-commands and exit status (docs/commands.md)."""

from collections.abc import Sequence

from iicnet_jax.core import signals
from iicnet_jax.core.errors import UserError


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command that the arguments name."""
    with signals.unwinding():
        from iicnet_jax.core import console

        with console.exit_on_user_error(), console.printing():
            console.set_up_logging()
            arguments, others = _parser().parse_known_args(argv)
            if others and not arguments.takes_config:
                raise UserError(f"unexpected argument {others[0]!r} (see --help)")
            arguments.config_flags = others
            arguments.command(arguments)


def _parser():
    import argparse

    from iicnet_jax.cli import data, demo, models, pictures, video_gif_stereo, weights

    parser = argparse.ArgumentParser(
        "iicnet",
        description="Several pictures in one, and back.",
        epilog="Exit status: 0 done, 1 a mistake or a broken file (one message says which), 2 "
        "unknown or missing arguments, 130 stopped by Ctrl-C, 143 by SIGTERM, 141 nobody reads "
        "the output. docs/commands.md describes every command.",
    )
    parser.set_defaults(takes_config=False)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in (pictures, video_gif_stereo, demo, models, weights, data):
        module.add_commands(commands)
    return parser
