"""Trains and evaluates one configuration: python -m iicnet_jax.main --config=... --workdir=..."""

from absl import app, flags
from ml_collections import config_flags

from iicnet_jax import run

CONFIG = config_flags.DEFINE_config_file("config", None, "File of the experiment's configuration.")
WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run: checkpoints, metrics, results.")
MODE = flags.DEFINE_enum("mode", "train_and_eval", run.MODES, "What to do.")


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"unexpected argument {argv[1]!r}")
    run.run(CONFIG.value, WORKDIR.value, MODE.value)


if __name__ == "__main__":
    flags.mark_flags_as_required(["config", "workdir"])
    app.run(main, flags_parser=run.parse_flags)
