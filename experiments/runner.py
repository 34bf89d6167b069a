"""The command line that all tables share: what is missing is run, what there is, is shown.

    python -m experiments.table2 --data=DIR --workdir=DIR

A network that has been learnt is found by its fingerprint, whichever table it was learnt for; an
unfinished one goes on. Every run is a process of its own (`python -m iicnet_jax.main`), so that one
that fails or runs out of memory loses no other.
"""

import argparse
import contextlib
import fnmatch
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from experiments import rendering, runs
from experiments.datasets import WRITERS, write_sample
from experiments.definition import Row, Table
from experiments.rendering import Line, Outcome
from experiments.runs import Launch, Run, RunError
from experiments.sizes import FULL, SIZES
from iicnet_jax.cli.arguments import positive
from iicnet_jax.core import console
from iicnet_jax.core.errors import UserError
from iicnet_jax.core.files import typed_path
from iicnet_jax.evaluation.tables import markdown

SEEDS = 3  # with fewer, a difference is not claimed
SAMPLE = "sample"


def main(table: Table, argv: Sequence[str] | None = None, launch: Launch = runs.launch) -> None:
    """Runs a table. Exit status: 0 all there, 1 a mistake or something is missing, 2 arguments."""
    with console.exit_on_user_error():
        console.set_up_logging()
        arguments, overrides = parse(argument_parser(table), argv)
        experiments = Experiments(table, arguments, overrides)
        if arguments.dry_run:
            print(experiments.plan())
            return
        complete = experiments.run(launch)
    sys.exit(not complete)


class Experiments:
    """The runs of a table's rows and seeds.

    Raises:
      UserError: an argument or an override does not fit.
    """

    def __init__(self, table: Table, arguments: argparse.Namespace, overrides: Mapping[str, str]):
        self.table = table
        self.folder = arguments.workdir.resolve()
        self.notes = []
        data = typed_path(arguments.data).resolve()
        if arguments.data == SAMPLE:
            data = self.folder / SAMPLE
            _complete_sample(data)
        size = SIZES[arguments.size]
        self.comparable = size is FULL
        if size.label:
            self.notes.append(size.label)
        if overrides:
            changes = ", ".join(f"{name}={value}" for name, value in overrides.items())
            self.notes.append(f"Not as the configurations say: {changes}.")
        self.overrides = lambda config: {**size.changes(config), **overrides}
        self.data = data
        self.rows = _select(table, arguments.only)
        self.number_of_seeds = arguments.seeds
        self.errors = {}
        for row in self.rows:  # an override that does not fit is an error before anything is run
            with contextlib.suppress(RunError):
                self.create(row, seed=0)

    def run(self, launch: Launch) -> bool:
        """Completes every run and writes the table; returns whether all of it is there."""
        work = [(row, seed) for row in self.rows for seed in self.seeds(row)]
        try:
            for number, (row, seed) in enumerate(work, start=1):
                title = f"[{number}/{len(work)}] {row.title}, seed {seed}"
                try:
                    planned = self.create(row, seed)
                    if planned.results is None:
                        print(f"{title}: {planned}", file=sys.stderr, flush=True)
                        planned.complete(launch)
                except RunError as error:
                    self.errors[row.name, seed] = f"{error}".partition("\n")[0]
                    print(f"{title}: {self.errors[row.name, seed]}", file=sys.stderr, flush=True)
        finally:
            print(self.write())
        return all(each.results for of_row in self.outcomes().values() for each in of_row)

    def write(self) -> str:
        """Writes the table as it is now; returns its text."""
        notes, advice = self.all_notes(), self.advice()
        return rendering.write(self.table, self.lines(), notes, self.folder, advice)

    def seeds(self, row: Row) -> range:
        """Of a row: one is enough where nothing is learnt."""
        return range(self.number_of_seeds if row.learns else 1)

    def outcomes(self) -> dict[str, list[Outcome]]:
        """What became of every row, by its name, with each seed."""
        return {row.name: [self._outcome(row, s) for s in self.seeds(row)] for row in self.rows}

    def lines(self) -> list[Line]:
        """A line for each measure of every row, from what has been evaluated."""
        outcomes = self.outcomes()
        return [
            Line(row, measure, outcomes[row.name], self.comparable)
            for row in self.rows
            for measure in row.measures
        ]

    def plan(self) -> str:
        """What would run: its state, steps that are left, what they cost, and the commands."""
        lines, commands, total, unknown = [], [], 0.0, 0
        planned = set()
        for row in self.rows:
            for seed in self.seeds(row):
                name = [row.title, str(seed)]
                try:
                    each = self.create(row, seed)
                except RunError as error:
                    lines.append([*name, f"{error}", "-", "-", "-"])
                    continue
                shared = each.folder in planned
                planned.add(each.folder)
                left = 0 if shared else each.steps - each.step
                speed = runs.seconds_a_step(self.folder, each.config)
                if left and speed:
                    total += left * speed[0]
                unknown += bool(left and not speed)
                each_step = f"{speed[0]:.3f} ({speed[1]})" if speed else "unknown"
                cost = _duration(left * speed[0]) if speed else "unknown" if left else "none"
                state = "the same run as above" if shared else _state(each)
                lines.append([*name, state, f"{left:,}", each_step, cost])
                if each.results is None and not shared:
                    commands.append(str(each))
        header = ["experiment", "seed", "state", "steps left", "seconds a step", "training"]
        summary = f"Training: {_duration(total)}" if total or not unknown else "Training: unknown"
        if total and unknown:
            summary += f", and an unknown time for {unknown} more runs"
        summary += "; evaluation comes on top."
        parts = [self.table.title, *self.notes, markdown(header, lines)]
        parts += [*self.advice(), summary, *commands]
        return "\n\n".join(parts)

    def create(self, row: Row, seed: int) -> Run:
        """The run of a row and a seed. Raises RunError as `runs.create`."""
        return runs.create(row, seed, self.data, self.folder, self.overrides)

    def _outcome(self, row, seed) -> Outcome:
        try:
            each = self.create(row, seed)
        except RunError as error:
            return Outcome(remark=f"{error}")
        folder = each.folder.name
        if each.results is not None:
            return Outcome(each.results, folder)
        why = self.errors.get((row.name, seed)) or each.error
        return Outcome(None, folder, f"failed: {why} ({folder})" if why else "not yet run")

    def advice(self) -> list[str]:
        """How to get what rows lack."""
        advice = {}
        for row in self.rows:
            try:
                self.create(row, seed=0)
            except RunError as error:
                advice[error.advice] = None
        return [text for text in advice if text]

    def all_notes(self) -> list[str]:
        """What the numbers have to be read with."""
        notes = list(self.notes)
        roots = {}
        for row in self.rows:
            try:
                each = self.create(row, 0)
            except RunError:
                continue
            roots[Path(each.config.data.root)] = runs.miniature_counts(Path(each.config.data.root))
        for root, counts in roots.items():
            if counts:
                listed = ", ".join(f"{count} {name}" for name, count in counts.items())
                notes.append(f"{root.name} is not the published dataset but has {listed}.")
        if self.number_of_seeds < SEEDS:
            notes.append(f"Fewer than {SEEDS} seeds: no difference is claimed.")
        return notes


def argument_parser(table: Table) -> argparse.ArgumentParser:
    """The arguments that all tables have."""
    parser = argparse.ArgumentParser(
        f"experiments.{table.name}",
        description=f"{table.title}: what is missing is trained and evaluated, then shown.",
        epilog="--config.FIELD=VALUE changes a field of every configuration.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--data",
        required=True,
        help=f"folder with the datasets under their published names; {SAMPLE}: scikit-image's "
        "photographs in their place",
    )
    parser.add_argument(
        "--workdir", type=typed_path, required=True, help="folder of all runs and of the table"
    )
    parser.add_argument(
        "--size",
        choices=SIZES,
        help="full: as the configurations say, the default; reduced: minutes a run on a CPU; "
        f"miniature: seconds, learns nothing, the default with --data={SAMPLE}",
    )
    parser.add_argument("--dry_run", action="store_true", help="show what would run and its cost")
    parser.add_argument(
        "--only", metavar="NAMES", help=f"some rows: {', '.join(row.name for row in table.rows)}"
    )
    parser.add_argument("--seeds", type=positive, default=SEEDS, help="number of seeds, from 0 on")
    parser.add_argument("--steps", type=positive, help="train steps of every run")
    return parser


def parse(
    parser: argparse.ArgumentParser, argv: Sequence[str] | None
) -> tuple[argparse.Namespace, dict[str, str]]:
    """The arguments, and the fields that --config.FIELD=VALUE and --steps change.

    Raises:
      UserError: there are other arguments, or no such folder of data.
    """
    arguments, others = parser.parse_known_args(argv)
    overrides = {}
    for other in others:
        name, equals, value = other.partition("=")
        if not (name.startswith("--config.") and equals):
            raise UserError(f"unexpected argument {other!r} (see --help)")
        overrides[name.removeprefix("--config.")] = value
    arguments.size = arguments.size or ("miniature" if arguments.data == SAMPLE else "full")
    if arguments.steps:
        overrides["steps"] = str(arguments.steps)
    if arguments.data != SAMPLE and not typed_path(arguments.data).is_dir():
        raise UserError(f"--data: there is no folder {arguments.data}")
    return arguments, overrides


def _complete_sample(folder):
    """Writes the datasets of the sample that are not there yet."""
    missing = [name for name in WRITERS if not (folder / name).exists()]
    write_sample(folder, missing)


def _select(table, only):
    """The rows whose names match one of the patterns, which are separated by commas."""
    if only is None:
        return list(table.rows)
    names = [row.name for row in table.rows]
    for pattern in only.split(","):
        if not fnmatch.filter(names, pattern):
            raise UserError(f"--only: no row is called {pattern!r}; there are {', '.join(names)}")
    return [
        row
        for row in table.rows
        if any(fnmatch.fnmatchcase(row.name, pattern) for pattern in only.split(","))
    ]


def _state(each: Run) -> str:
    if each.results is not None:
        return "done"
    if each.finished:
        return "to be evaluated"
    return f"goes on after step {each.step:,}" if each.step else "not yet run"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
