"""Training state on disk: model, optimiser and step, by Orbax.

Checkpoints are written in the background and become visible whole or not at all. The last few
and the best by validation are kept. The step also tells the data's position: every step takes one
batch. So a checkpoint does not depend on how many devices and processes have written it.
"""

from pathlib import Path

import jax
import orbax.checkpoint as ocp
from orbax.checkpoint.checkpoint_managers import preservation_policy

from iicnet_jax.errors import UserError
from iicnet_jax.training.step import TrainState

SCORE = "score"


class Checkpoints:
    """The checkpoints of one run, in `workdir/checkpoints`.

    Args:
      workdir: the run's folder.
      keep_last: how many of the newest are kept, besides the one with the highest score.
      read_only: nothing is written or tidied up, for evaluation beside a running training.
    """

    def __init__(self, workdir: Path, *, keep_last: int = 1, read_only: bool = False):
        self._directory = (workdir / "checkpoints").absolute()
        if read_only:
            options = ocp.CheckpointManagerOptions(read_only=True, best_fn=_score)
        else:
            options = ocp.CheckpointManagerOptions(
                create=True,
                best_fn=_score,  # without it, Orbax would not write the scores
                # What a killed run left half-written.
                cleanup_tmp_directories=True,
                preservation_policy=preservation_policy.AnyPreservationPolicy(
                    [
                        preservation_policy.LatestN(keep_last),
                        preservation_policy.BestN(
                            get_metric_fn=_score, n=1, keep_checkpoints_without_metrics=False
                        ),
                    ]
                ),
            )
        self._manager = ocp.CheckpointManager(
            self._directory,
            options=options,
            item_handlers={"state": ocp.StandardCheckpointHandler()},  # else, no shapes of it
        )

    def latest_step(self) -> int | None:
        """The step of the newest checkpoint, if there is one."""
        return self._manager.latest_step()

    def best_step(self) -> int | None:
        """The step with the highest score in validation, if any was validated."""
        metrics = {step: self._manager.metrics(step) for step in self._manager.all_steps()}
        scores = {step: _score(found) for step, found in metrics.items() if found}
        return max(scores, key=scores.__getitem__, default=None)

    def save(self, state: TrainState, score: float | None = None) -> None:
        """Copies the state and begins to write it; a step that is there already is left alone.

        Args:
          state: what to keep; its `step` names the checkpoint.
          score: of validation at this step, higher is better.
        """
        step = int(state.step)
        if step in self._manager.all_steps():
            return
        self._manager.save(
            step,
            args=ocp.args.Composite(state=ocp.args.StandardSave(state)),
            metrics=None if score is None else {SCORE: float(score)},
        )

    def restore(self, state: TrainState) -> TrainState:
        """The newest checkpoint's state; `state` itself where there is no checkpoint.

        `state` gives shapes and sharding. The latter may differ from what has been saved.

        Raises:
          UserError: the checkpoint holds other parameters, as those of other versions do.
        """
        step = self.latest_step()
        return state if step is None else self._read(step, state)

    def restore_state(self, state: TrainState, which: str) -> TrainState:
        """The "latest" or the "best" state; `state` gives shapes and sharding.

        Raises:
          UserError: there is none, or it holds other parameters.
        """
        step = self.best_step() if which == "best" else self.latest_step()
        if step is None:
            raise UserError(
                f"{self._directory} holds no {which} checkpoint to evaluate: train first "
                "(--mode=train), or give the --workdir of a finished run"
            )
        return self._read(step, state)

    def _read(self, step, state):
        # Compared first: a restoring that fails half-way leaves reads behind that fail later.
        saved = self._manager.item_metadata(step)["state"].tree
        if _shapes(saved) != _shapes(state):
            raise UserError(
                f"the checkpoint of step {step} in {self._directory} does not fit this version of "
                "iicnet_jax, which stores parameters otherwise: use the version that wrote it, or "
                "train anew in another --workdir"
            )
        shapes = jax.tree.map(ocp.utils.to_shape_dtype_struct, state)
        args = ocp.args.Composite(state=ocp.args.StandardRestore(shapes))
        return self._manager.restore(step, args=args)["state"]

    def wait(self) -> None:
        """Returns when everything is on disk."""
        self._manager.wait_until_finished()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wait()
        self._manager.close()


def _score(metrics):
    return metrics[SCORE]


def _shapes(tree):
    return {path: leaf.shape for path, leaf in ocp.tree.to_flat_dict(tree).items()}
