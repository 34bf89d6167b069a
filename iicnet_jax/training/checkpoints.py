"""Checkpoints of the training state (network, optimiser, step), through Orbax.

Checkpoints are written in the background and become visible whole or not at all. The last few
and the best by validation are kept. The step also tells the data's position: every step takes one
batch. So a checkpoint does not depend on how many devices and processes have written it.

Orbax does not notice when a file has been damaged since; checksums beside its files do.
"""

import contextlib
import logging
import shlex
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path

import jax
import orbax.checkpoint as ocp
from orbax.checkpoint.checkpoint_managers import preservation_policy

from iicnet_jax.core import distributed
from iicnet_jax.core.errors import UserError
from iicnet_jax.training import checksums
from iicnet_jax.training.step import TrainState

log = logging.getLogger(__name__)

FOLDER = "checkpoints"  # in the workdir
SCORE = "score"
# Orbax writes these after the checksums, when a checkpoint is complete; nothing here reads them.
LATER_FILES = ("_CHECKPOINT_METADATA", "commit_success.txt")

SPACE_FOR_THE_REST = 10**5  # bytes of a checkpoint beside its arrays


def holds_checkpoints(workdir: Path) -> bool:
    """Whether a run has saved its state there, intact or not."""
    return bool(_steps(workdir / FOLDER))


class Checkpoints:
    """The checkpoints of one run, in `workdir/checkpoints`.

    Args:
      workdir: the run's folder.
      keep_last: how many of the newest are kept, besides the one with the highest score.
      read_only: nothing is written or tidied up, for evaluation beside a running training.

    Attributes:
      unverified: the step of a checkpoint that was restored and has no checksums, as those of
        older versions; None for all others.

    Raises:
      UserError: a checkpoint is damaged; with `read_only`, only when it is restored.
    """

    def __init__(self, workdir: Path, *, keep_last: int = 1, read_only: bool = False):
        self.unverified: int | None = None
        self._directory = (workdir / FOLDER).absolute()
        self._saving: int | None = None
        if read_only:
            options = ocp.CheckpointManagerOptions(
                read_only=True, best_fn=_score, lightweight_initialize=True
            )
        else:
            self._require_intact(self._steps())
            options = ocp.CheckpointManagerOptions(
                create=True,
                best_fn=_score,  # without it, Orbax would not write the scores
                # What a killed run left half-written.
                cleanup_tmp_directories=True,
                async_options=ocp.AsyncOptions(post_finalization_callback=self._write_checksums),
                preservation_policy=preservation_policy.AnyPreservationPolicy(
                    [
                        preservation_policy.LatestN(keep_last),
                        preservation_policy.BestN(
                            get_metric_fn=_score, n=1, keep_checkpoints_without_metrics=False
                        ),
                    ]
                ),
            )
        with self._reading():
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
        metrics = {}
        for step in self._manager.all_steps():
            with self._reading(step):
                metrics[step] = self._manager.metrics(step)
        scores = {step: _score(found) for step, found in metrics.items() if found}
        return max(scores, key=scores.__getitem__, default=None)

    def save(self, state: TrainState, score: float | None = None) -> None:
        """Copies the state and begins to write it; a step that is there already is left alone.

        Args:
          state: what to keep; its `step` names the checkpoint.
          score: of validation at this step, higher is better.

        Raises:
          UserError: the disk refuses this checkpoint, or the one before; older ones are kept.
        """
        step = int(state.step)
        if step in self._manager.all_steps():
            return
        self.wait()
        self._saving = step
        self._require_space(state)
        with self._writing():
            self._manager.save(
                step,
                args=ocp.args.Composite(state=ocp.args.StandardSave(_item(state))),
                metrics=None if score is None else {SCORE: float(score)},
            )

    def restore(self, state: TrainState) -> TrainState:
        """The newest checkpoint's state; `state` itself where there is no checkpoint.

        `state` gives shapes and sharding. The latter may differ from what has been saved.

        Raises:
          UserError: the checkpoint is damaged, or holds other parameters, as those of other
            versions do.
        """
        step = self.latest_step()
        return state if step is None else self._read(step, state)  # all have been checked

    def restore_state(self, state: TrainState, which: str) -> TrainState:
        """The "latest" or the "best" state; `state` gives shapes and sharding.

        Raises:
          UserError: there is none, it is damaged, or it holds other parameters.
        """
        step = self.best_step() if which == "best" else self.latest_step()
        if step is None:
            raise UserError(
                f"{self._directory} holds no {which} checkpoint to evaluate: train first "
                "(--mode=train), or give the --workdir of a finished run"
            )
        self._require_intact([step])
        return self._read(step, state)

    def _read(self, step, state):
        if not (self._directory / str(step) / checksums.NAME).is_file():
            self.unverified = step
            log.warning("The checkpoint of step %d has no checksums: damage would not show", step)
        # Compared first: a restoring that fails half-way leaves reads behind that fail later.
        with self._reading(step):
            saved = _shapes(self._manager.item_metadata(step)["state"].tree)
        item = _item(state)
        if saved != _shapes(item):
            raise UserError(
                f"the checkpoint of step {step} in {self._directory} does not fit this version of "
                "iicnet_jax, which stores parameters otherwise: use the version that wrote it, or "
                "train anew in another --workdir"
            )
        shapes = jax.tree.map(ocp.utils.to_shape_dtype_struct, item)
        args = ocp.args.Composite(state=ocp.args.StandardRestore(shapes))
        with self._reading(step):
            return state.replace(**self._manager.restore(step, args=args)["state"])

    def wait(self) -> None:
        """Returns when everything is on disk. Raises UserError if the disk refuses."""
        with self._writing():
            self._manager.wait_until_finished()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            self.wait()
        except UserError as error:
            if kind is None:
                raise
            log.warning("%s", error)  # what has ended the run is told last
        finally:
            self._manager.close()

    def _steps(self) -> list[int]:
        return _steps(self._directory)

    def _write_checksums(self):
        """Orbax calls this in process 0, when all files are there, before it renames the folder."""
        [folder] = self._half_written()
        checksums.write(folder, LATER_FILES)

    def _half_written(self) -> list[Path]:
        return [*self._directory.glob(f"{self._saving}.orbax-checkpoint-tmp*")]

    def _require_intact(self, steps: Collection[int]) -> None:
        """Raises UserError unless the files of these checkpoints are as they were written."""
        with distributed.all_or_none():
            if distributed.is_main():
                problems = {step: what for step in steps if (what := self._problem(step))}
                if problems:
                    raise UserError(self._damaged(problems))

    def _problem(self, step: int) -> str | None:
        try:
            return checksums.problem(self._directory / str(step), LATER_FILES)
        except FileNotFoundError:  # of an older version
            return None
        except OSError as error:
            return f"{error.filename}: {error.strerror}"

    def _damaged(self, problems: dict[int, str]) -> str:
        listed = "; ".join(
            f"the checkpoint of step {step} in {self._directory} is damaged: {what}"
            for step, what in problems.items()
        )
        others = [s for s in self._steps() if s not in problems and self._problem(s) is None]
        if not others:
            return (
                f"{listed}. There is no other one: put it back from a copy, or train anew in "
                "another --workdir"
            )
        folder = self._directory.parent / "damaged"
        moved = shlex.join(str(self._directory / str(step)) for step in problems)
        where = shlex.quote(str(folder))
        has = (self._directory / str(others[-1]) / checksums.NAME).is_file()
        return (
            f"{listed}. The one of step {others[-1]} {'is intact' if has else 'may be intact'}; "
            "to go on from there, move what is damaged away and repeat the command: "
            f"mkdir -p {where} && mv {moved} {where}"
        )

    @contextlib.contextmanager
    def _reading(self, step: int | None = None) -> Iterator[None]:
        """Damage that no checksum tells of shows as any exception of Orbax."""
        try:
            yield
        except Exception as error:
            what = _first_line(error)
            if step is None:
                raise UserError(f"{self._directory} cannot be used: {what}") from error
            raise UserError(self._damaged({step: f"it cannot be read ({what})"})) from error

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:  # TensorStore raises the latter
            for folder in self._half_written():
                shutil.rmtree(folder, ignore_errors=True)
            others = f" ({distributed.OTHERS_SAY_WHY})" if jax.process_count() > 1 else ""
            raise UserError(
                f"the checkpoint of step {self._saving} cannot be written in {self._directory}: "
                f"{_first_line(error)}{others}. {self._kept()}"
            ) from error

    def _require_space(self, state: TrainState) -> None:
        """Asked first: when Orbax runs out of space, its threads fail one after the other."""
        needed = sum(leaf.nbytes for leaf in jax.tree.leaves(state)) + SPACE_FOR_THE_REST
        free = shutil.disk_usage(self._directory).free
        if distributed.is_main() and free < needed:
            raise UserError(
                f"the checkpoint of step {self._saving} may take {needed / 1e6:.1f} MB, and only "
                f"{free / 1e6:.1f} MB are free in {self._directory}. {self._kept()}"
            )

    def _kept(self) -> str:
        steps = [step for step in self._steps() if step != self._saving]
        return (
            f"The checkpoint of step {steps[-1]} is kept: make room, and the same command goes on "
            "from there"
            if steps
            else "There is none before it: make room, and start again with the same command"
        )


def _steps(directory: Path) -> list[int]:
    names = [path.name for path in directory.glob("*") if path.is_dir()]
    return sorted(int(name) for name in names if name.isdecimal())


def _item(state: TrainState) -> dict:
    """What is written: a field that is None does not exist, as in checkpoints of older versions."""
    return {name: value for name, value in vars(state).items() if value is not None}


def _score(metrics):
    return metrics[SCORE]


def _shapes(tree):
    return {path: leaf.shape for path, leaf in ocp.tree.to_flat_dict(tree).items()}


def _first_line(error: Exception) -> str:
    text = f"{error}".partition("\n")[0].partition(" [source locations")[0]
    if "No space left on device" in text:
        return "no space is left on the device"
    return text[:300] or type(error).__name__
