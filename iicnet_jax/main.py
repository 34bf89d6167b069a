"""Trains and evaluates one configuration: python -m iicnet_jax.main --config=... --workdir=..."""

from iicnet_jax.core import signals

with signals.unwinding():  # they may come among the imports
    from absl import app, flags
    from ml_collections import config_flags

    from iicnet_jax.core.distributed import Processes
    from iicnet_jax.experiment import run

CONFIG = config_flags.DEFINE_config_file("config", None, "File of the experiment's configuration.")
WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run: checkpoints, metrics, results.")
MODE = flags.DEFINE_enum("mode", "train_and_eval", run.MODES, "What to do.")
# One of several processes (docs/scaling.md): either the first flag, or the three after it.
DISTRIBUTED = flags.DEFINE_bool(
    "distributed", False, "Join the other processes of this SLURM, Open MPI or Kubernetes job."
)
COORDINATOR = flags.DEFINE_string("coordinator", None, "HOST:PORT at which process 0 listens.")
NUM_PROCESSES = flags.DEFINE_integer("num_processes", None, "How many processes there are.")
PROCESS_ID = flags.DEFINE_integer("process_id", None, "Which of them this is, from 0.")
JOIN_TIMEOUT = flags.DEFINE_integer("join_timeout", 300, "Seconds to wait for the others.")


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"unexpected argument {argv[1]!r}")
    processes = Processes(
        detect=DISTRIBUTED.value,
        coordinator=COORDINATOR.value,
        count=NUM_PROCESSES.value,
        index=PROCESS_ID.value,
        timeout=JOIN_TIMEOUT.value,
    )
    with signals.unwinding():
        run.run(CONFIG.value, WORKDIR.value, MODE.value, processes)  # type: ignore[arg-type]


if __name__ == "__main__":
    flags.mark_flags_as_required(["config", "workdir"])
    app.run(main, flags_parser=run.parse_flags)
