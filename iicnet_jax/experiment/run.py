"""Runs a configuration from the command line: checks it, trains, evaluates, prints tables."""

import logging
import re
import traceback
from collections.abc import Sequence
from pathlib import Path

from absl import flags
from ml_collections import ConfigDict, config_flags

from iicnet_jax.core import compilation_cache, distributed
from iicnet_jax.core.console import exit_on_user_error, printing, set_up_logging
from iicnet_jax.core.errors import UserError, explaining
from iicnet_jax.core.files import typed_path
from iicnet_jax.evaluation import tables
from iicnet_jax.experiment import build, configuration
from iicnet_jax.experiment import workdir as run_folder
from iicnet_jax.experiment.evaluate import evaluate
from iicnet_jax.experiment.train import train

MODES = ("train_and_eval", "train", "eval")
_NO_FILE = "there is no configuration file {}"


def run(config: ConfigDict, workdir: str, mode: str, processes: distributed.Processes) -> None:
    """Trains and evaluates as `mode` says. A mistake of the user ends the program with status 1."""
    with exit_on_user_error():
        check_config(config, flags.FLAGS)
        run_folder.check_name(workdir)
        processes.check()
        compilation_cache.enable()
    # A mistake ends the program within `joined`, which then does not wait for other processes.
    with exit_on_user_error(), distributed.joined(processes), exit_on_user_error():
        if not distributed.is_main():
            logging.getLogger("iicnet_jax").setLevel(logging.WARNING)
        folder = typed_path(workdir)
        if mode == "eval":
            run_folder.require_same(folder, config)
        elif not build.learns(config):
            run_folder.claim(folder, config)
        elif not train(config, folder):
            return
        if mode != "train":
            distributed.let_sigterm_end()
            results = evaluate(config, folder)
            if distributed.is_main():
                with printing():
                    print(f"\n{tables.short_table('network', results['networks'].items())}\n")
                    print(f"Pictures: {folder / 'picture.png'}    Numbers: {folder / 'results.md'}")


def load_config(arguments: Sequence[str]) -> ConfigDict:
    """The configuration that --config=FILE and --config.field=value describe.

    Raises:
      UserError: see `parse_flags` and `check_config`; or there are other arguments.
    """
    flag_values = flags.FlagValues()
    argv = ["iicnet", *arguments]
    config_flags.DEFINE_config_file(
        "config", None, "The experiment.", flag_values=flag_values, sys_argv=argv
    )
    flags.mark_flag_as_required("config", flag_values)
    _, *others = parse_flags(argv, flag_values)
    if others:
        raise UserError(f"unexpected argument {others[0]!r} (see --help)")
    check_config(flag_values.config, flag_values)
    return flag_values.config


def check_config(config, flag_values: flags.FlagValues) -> None:
    """Raises UserError unless the configuration was found and has the base's fields and types.

    Also where there is no base, because `configs` is missing.
    """
    base = configuration.from_repository("configs.base")
    if not isinstance(config, ConfigDict):
        path = Path(flag_values["config"].config_filename)  # type: ignore[attr-defined]
        if not path.is_file():
            raise UserError(_NO_FILE.format(path))
        raise UserError(f"get_config() of {path} must return a ConfigDict")

    method = config.get("method", "iicnet")
    with explaining("config.method"):
        fields = base.get_config(method)
    configuration.check(config, fields)


def parse_flags(argv: Sequence[str], flag_values: flags.FlagValues = flags.FLAGS) -> list[str]:
    """absl's parsing, with every mistake as one paragraph on stderr and exit status 1."""
    with exit_on_user_error():
        try:
            arguments = flag_values([_from_home(argument) for argument in argv])
            set_up_logging()
            return arguments
        except AttributeError as error:
            unknown = [arg.split("=")[0].lstrip("-") for arg in argv if arg.startswith("--config.")]
            # The message is the name in quotes, perhaps with a guess at what was meant.
            field = re.findall(r"\w+", str(error))[0]
            named = [name for name in unknown if field in name.split(".")] or [field]
            raise UserError(f"{named[0]} is unknown: configs/base.py lists all fields") from error
        except flags.Error as error:
            # ml_collections puts a traceback into the message; its last line says what matters.
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            what = lines[0] if len(lines) == 1 else f"{lines[0]} {lines[-1]}"
            raise UserError(f"{what} (see --help, and configs/base.py for the fields)") from error
        except Exception as error:
            configuration.from_repository("configs.base")  # where that is the mistake, it says so
            raise UserError(_config_file_mistake(error, argv)) from error


def _from_home(argument: str) -> str:
    """A configuration's file as `files.typed_path` reads it."""
    flag, _, value = argument.partition("=")
    return f"{flag}={typed_path(value)}" if flag == "--config" else argument


def _config_file_mistake(error, argv) -> str:
    """Where in the configuration's file an exception came from."""
    # With --config.field=..., a file that is not there shows as an error of ml_collections.
    path = next((arg.partition("=")[2] for arg in argv if arg.startswith("--config=")), None)
    if path is not None and not Path(path).is_file():
        return _NO_FILE.format(path)
    if isinstance(error, SyntaxError):
        place = f"{error.filename}, line {error.lineno}"
    else:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{frame.filename}, line {frame.lineno}"
    return f"the configuration cannot be loaded: {place}: {type(error).__name__}: {error}"
