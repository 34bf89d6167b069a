"""Methods beside each other on one task: the same pictures, equal steps, then equal time.

    python -m experiments.methods --data=DIR --workdir=DIR --task=hiding

Every method that can do the task is trained and evaluated, with three seeds where it learns. A line
for each file that the embedding may go through: one of 8 bits, none at all (floats, which no file
holds), and a JPEG. Then once more, in as many steps as take the time of the first method's.

--method=NAME=FILE adds a method of one's own by its configuration, see docs/tutorial.md.
"""

import argparse
import contextlib
import dataclasses
import statistics
import sys
from collections.abc import Mapping, Sequence

from experiments import costs, figure, rendering, runner, runs, workdirs
from experiments.definition import Row, Table
from experiments.rendering import Form, Outcome
from experiments.runs import Launch, RunError
from iicnet_jax.core import console, json_files
from iicnet_jax.core.errors import UserError
from iicnet_jax.core.files import write_json
from iicnet_jax.experiment import configuration

# By task, the configuration of every method that can do it; the first is the measure of time.
IICNET = {
    "hiding": "hide_n2",
    "grayscale": "grayscale",
    "rescaling": "rescale_x2",
    "video": "video_n5",
    "stereo": "stereo",
}
OTHERS = {
    "rescaling": [Row("irn", "IRN", "irn_x2", ())],
    "grayscale": [Row("xia", "Xia et al.", "invertible_grayscale", ())],
    "video": [Row("zhu", "Zhu et al.", "video_snapshot", (), {"model.num_images": 5})],
}
TASKS = {
    task: [
        Row("iicnet", "IICNet", config, ()),
        *OTHERS.get(task, []),
        Row("win_naive", "WIN-Naive", f"win_naive:{config}", ()),
        Row("win", "WIN", f"win:{config}", ()),
        Row("low_bits", "codec in low bits", f"low_bits:{task}", (), learns=False),
    ]
    for task, config in IICNET.items()
}

# What all methods take, unless --size or other arguments say otherwise: IICNet's.
BUDGET = {
    "steps": 50_000,
    "optimizer.learning_rate": 2e-4,
    "optimizer.schedule": "supplement",
    "data.crop": 144,
    "data.batch_size": 2,
    "data.flip_rotate": False,
}
# What results call a way of the embedding, and what the table does.
FILES = {"rounded": "8 bits", "float": "floats", "jpeg90": "JPEG 90"}
CARRIERS = ("png", "jpeg90")
ALONE = {"png": "8 bits", "jpeg90": "JPEG 90"}  # ways in which the reference alone is measured
MEASURES = {
    "embedding PSNR": ("embedding", "psnr"),
    "embedding SSIM": ("embedding", "ssim"),
    "restored PSNR": ("restored", "psnr"),
    "restored SSIM": ("restored", "ssim"),
}
COSTS = ("bytes a pixel", "parameters", "FLOP a pixel", "s a megapixel", "steps", "training s")
COLUMNS = ("method", "file", *MEASURES, "seeds", "images", *COSTS, "run", "remark")
FORM = Form(COLUMNS, texts=2, details=COLUMNS.index("run"))
EXPLANATIONS = (
    "PSNR in dB, mean ± standard deviation over seeds. Restored: the hidden pictures, without the "
    "reference, where there is more than one.",
    "8 bits: from the embedding as a PNG holds it. Floats: from the embedding as it is computed, "
    "which no file holds.",
    "Bytes a pixel: of the PNG, by the pixels of one image. FLOP a pixel: embedding and restoring, "
    "as XLA counts them. s a megapixel: the same, timed. training s: the steps alone.",
    "The reference alone: what a person has without any method, enlarged where it is smaller.",
)
LOST = "lost"  # where of some sample nothing could be restored
STEP = 10  # equal time is rounded to so many steps
CROP = 256  # pixels, of the picture's cells


def main(argv: Sequence[str] | None = None, launch: Launch = runs.launch) -> None:
    """Runs both tables of a task. Exit status: 0 all there, 1 a mistake or something is missing."""
    with console.exit_on_user_error():
        console.set_up_logging()
        table = _table(argv)
        arguments, overrides = runner.parse(_parser(table), argv)
        equal_steps = Methods(table, arguments, overrides)
        if arguments.dry_run:
            print(equal_steps.plan())
            return
        complete = equal_steps.run(launch)
        steps = equal_time_steps(equal_steps)
        equal_time = Methods(
            dataclasses.replace(
                table, name=f"{table.name}_equal_time", title=f"{table.title}, in equal time"
            ),
            arguments,
            overrides,
            steps,
        )
        complete = equal_time.run(launch) and complete
    sys.exit(not complete)


def table_of(task: str, own: Mapping[str, str]) -> Table:
    """The methods of a task.

    Args:
      task: one of TASKS.
      own: further methods, by name the path of their configuration.

    Raises:
      UserError: the task is unknown, or a name is taken.
    """
    if task not in TASKS:
        raise UserError(f"--task must be one of {', '.join(TASKS)}, not {task!r}")
    rows = list(TASKS[task])
    for name, config in own.items():
        if name in [row.name for row in rows]:
            raise UserError(f"--method: {name} is the name of another method")
        rows.append(Row(name, name, config, ()))
    return Table(f"methods_{task}", f"Methods for {task}", rows, EXPLANATIONS)


class Methods(runner.Experiments):
    """The runs of a table of methods, and the table itself.

    Args:
      steps: of a row, by its name; else those of its configuration.
    """

    def __init__(self, table, arguments, overrides, steps: Mapping[str, int] | None = None):
        self.steps = steps or {}
        super().__init__(table, arguments, overrides)

    def create(self, row, seed):
        def changes(config):
            known = configuration.flatten(config)
            own = {"evaluation.carriers": CARRIERS} if "evaluation.carriers" in known else {}
            steps = {"steps": self.steps[row.name]} if row.name in self.steps else {}
            return {**BUDGET, **own, **self.overrides(config), **steps}

        return runs.create(row, seed, self.data, self.folder, changes)

    def run(self, launch):
        def launch_and_time(command, folder):
            launch(command, folder)
            self._time()

        self._time()
        return super().run(launch_and_time)

    def _time(self):
        """Notes how fast the method of every row is, once it has been evaluated."""
        for row in self.rows:
            with contextlib.suppress(RunError):
                each = self.create(row, 0)
                evaluated = workdirs.Workdir(each.folder).samples
                if evaluated and costs.read_time(each.folder) is None:
                    costs.time_run(each.folder, each.config)

    def write(self):
        outcomes = self.outcomes()
        cells = [line for row in self.rows for line in self._lines(row, outcomes[row.name])]
        cells += self._alone(outcomes)
        self._draw(outcomes)
        notes = [*self.all_notes(), *self._timed_on(), *self.table.notes]
        return rendering.write_files(self.table, FORM, cells, notes, self.folder, self.advice())

    def _timed_on(self) -> list[str]:
        """Devices and dates of the timings."""
        said = {}
        for row in self.rows:
            with contextlib.suppress(RunError):
                if timed := costs.read_time(self.create(row, 0).folder):
                    said[f"{', '.join(timed['devices'])} on {timed['date']}"] = None
        return [f"Timed on: {'; '.join(said)}."] if said else []

    def _lines(self, row: Row, outcomes: Sequence[Outcome]) -> list[list[str]]:
        """A line for each way of the embedding; what does not depend on it stands in the first."""
        found = [each.results for each in outcomes if each.results]
        remark = "; ".join(dict.fromkeys(each.remark for each in outcomes if each.remark))
        details = [" ".join(each.folder for each in outcomes if each.results), remark]
        images = ", ".join(sorted({str(results["samples"]) for results in found})) or "-"
        lines = []
        for way, title in FILES.items():
            measured = [m for results in found if (m := _measured(results, way))]
            if not measured and way != "rounded":
                continue
            values = [
                _mean_and_spread([part_of(m, part)[kind] for m in measured], kind)
                for part, kind in MEASURES.values()
            ]
            if any(m.get("lost") for m in measured):
                values = [LOST if value == "-" else value for value in values]
            price = self._costs(row) if way == "rounded" else ["-"] * len(COSTS)
            lines.append([row.title, title, *values, str(len(measured)), images, *price, *details])
        return lines

    def _alone(self, outcomes: Mapping[str, Sequence[Outcome]]) -> list[list[str]]:
        """Lines of what a person has without any method, which every evaluation has measured."""
        found = [each.results for of_row in outcomes.values() for each in of_row if each.results]
        lines = []
        for way, title in ALONE.items():
            measured = found[0]["networks"]["trained"].get(way, {}) if found else {}
            if "without_network" in measured:
                part = part_of(measured["without_network"], "restored")
                values = [_mean_and_spread([part[kind]], kind) for kind in ("psnr", "ssim")]
                rest = ["-", str(found[0]["samples"]), *["-"] * len(COSTS), "", ""]
                lines.append(["the reference alone", title, "-", "-", *values, *rest])
        return lines

    def _costs(self, row: Row) -> list[str]:
        """The cells of COSTS."""
        try:
            each = self.create(row, 0)
        except RunError:
            return ["-"] * len(COSTS)
        bytes_ = _number(costs.png_bytes_per_pixel(each.folder), ".2f")
        timed = costs.read_time(each.folder) or {"seconds_per_megapixel": None}
        time = _number(timed["seconds_per_megapixel"], ".2f")
        if not row.learns:
            return [bytes_, "0", "-", time, "0", "0"]
        counted = costs.count(each.config)
        speed = runs.seconds_a_step(self.folder, each.config)
        return [
            bytes_,
            *(_number(value, ",.0f") for value in counted),
            time,
            _number(each.steps, ",d"),
            _number(speed and each.steps * speed[0], ",.0f"),
        ]

    def _draw(self, outcomes: Mapping[str, Sequence[Outcome]]) -> None:
        """The picture: a row for each method, of its first seed and a test sample of all."""
        shown = {
            row.title: workdirs.read([self.folder / outcomes[row.name][0].folder])[0]
            for row in self.rows
            if outcomes[row.name][0].results
        }
        if not shown:
            return
        name = figure.common_samples(list(shown.values()))[0]
        samples = {title: each.sample(name) for title, each in shown.items()}
        figure.save(figure.methods(samples, CROP), self.folder / f"{self.table.name}.jpg")


def equal_time_steps(experiments: Methods) -> dict[str, int]:
    """Steps of every row that take as long as those of the first one, by the row's name.

    They are kept in the workdir, so that what is measured later does not change them.
    """
    path = experiments.folder / f"{experiments.table.name}_equal_time.json"
    try:
        kept = json_files.read(path, {})
    except FileNotFoundError:
        kept = {}
    steps, budget = {}, None
    for row in experiments.rows:
        try:
            each = experiments.create(row, 0)
        except RunError:
            continue
        speed = runs.seconds_a_step(experiments.folder, each.config) if row.learns else None
        if speed is None:
            continue
        if budget is None:
            budget, steps[row.name] = each.steps * speed[0], each.steps
            continue
        fitting = max(STEP, round(budget / speed[0] / STEP) * STEP)
        steps[row.name] = kept.setdefault(runs.fingerprint(each.config), fitting)
    write_json(path, kept)
    return steps


def part_of(measures: Mapping, part: str) -> Mapping:
    """The measures of the embedding, or of what is restored, if possible without the reference."""
    return measures.get(f"{part}_without_reference", measures[part])


def _measured(results: Mapping, way: str) -> Mapping | None:
    return results["networks"]["trained"].get(way)


def _mean_and_spread(values: Sequence[float], kind: str) -> str:
    if not values or None in values:
        return "-"
    digits = ".4f" if kind == "ssim" else ".2f"
    spread = f" ±{statistics.stdev(values):{digits}}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):{digits}}{spread}"


def _number(value, form: str) -> str:
    return "-" if value is None else f"{value:{form}}"


def _table(argv) -> Table:
    """The table that the arguments ask for; where --help is among them, that of any task."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    _add_arguments(parser)
    arguments, _ = parser.parse_known_args(argv)
    own = {}
    for text in arguments.method:
        name, equals, config = text.partition("=")
        if not (name and equals and config.partition(":")[0].endswith(".py")):
            raise UserError(f"--method must be NAME=FILE.py, not {text!r}")
        own[name] = config
    return table_of(arguments.task, own)


def _parser(table: Table) -> argparse.ArgumentParser:
    parser = runner.argument_parser(table)
    parser.prog = "experiments.methods"
    _add_arguments(parser)
    return parser


def _add_arguments(parser):
    tasks = ", ".join(TASKS)
    parser.add_argument("--task", default="hiding", help=f"{tasks}; the default is hiding")
    parser.add_argument(
        "--method",
        action="append",
        default=[],
        metavar="NAME=FILE.py",
        help="a method of one's own by its configuration (docs/tutorial.md)",
    )


if __name__ == "__main__":
    main()
