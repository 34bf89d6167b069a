"""Tables of results as text, Markdown, CSV and LaTeX."""

import csv
import dataclasses
import io
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from experiments.definition import Measure, Row, Table
from iicnet_jax.core.files import write_text
from iicnet_jax.evaluation.tables import markdown

COLUMNS = (
    *("experiment", "measure", "published", "ours", "spread", "seeds", "difference", "images"),
    *("protocol", "run", "remark"),
)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a row with one seed.

    Attributes:
      results: what its evaluation wrote, or None.
      folder: of the run, as it is shown.
      remark: why there are no results.
    """

    results: Mapping | None = None
    folder: str = ""
    remark: str = ""


@dataclasses.dataclass(frozen=True)
class Line:
    """A line of the finished table; one for every measure of a row.

    Attributes:
      comparable: whether the networks are as large as published; else no difference is computed.
    """

    row: Row
    measure: Measure
    outcomes: Sequence[Outcome]
    comparable: bool = True

    def cells(self) -> list[str]:
        """The texts of COLUMNS. Mean and spread (standard deviation) are over seeds."""
        published, values = self.measure.published, self.values
        mean = statistics.fmean(values) if values else None
        spread = statistics.stdev(values) if len(values) > 1 else None
        comparable = self.comparable and published and not published.protocol and values
        digits = 4 if self.measure.kind.startswith("ssim") else 3
        return [
            self.row.title,
            self.measure.title,
            _number(published and published.value, digits),
            _number(mean, digits),
            _number(spread, digits),
            str(len(values)),
            _number(mean - published.value, digits, "+") if comparable else "-",
            ", ".join(sorted({str(results["samples"]) for results in self._results})) or "-",
            self.protocol,
            " ".join(outcome.folder for outcome in self.outcomes if outcome.results),
            "; ".join(dict.fromkeys(o.remark for o in self.outcomes if o.remark)),
        ]

    @property
    def values(self) -> list[float]:
        """Our numbers, one a seed that has been evaluated."""
        part, kind = self.measure.part, self.measure.kind
        measured = (results["networks"]["trained"]["rounded"] for results in self._results)
        values = (means.get(part, {}).get(kind) for means in measured)
        return [value for value in values if value is not None]

    @property
    def protocol(self) -> str:
        """How we measure, and how the published number was measured if otherwise."""
        parts = [self.measure.channels, self.row.protocol]
        if self.measure.published:
            if self.measure.published.protocol:
                parts.append(f"published: {self.measure.published.protocol}")
            parts.append(self.measure.published.source)
        return "; ".join(filter(None, parts))

    @property
    def _results(self):
        return [outcome.results for outcome in self.outcomes if outcome.results]


def write(
    table: Table,
    lines: Sequence[Line],
    notes: Sequence[str],
    folder: Path,
    advice: Sequence[str] = (),
) -> str:
    """Writes NAME.txt, NAME.md, NAME.csv and NAME.tex; returns the text.

    Notes belong to the numbers. Advice stands once beneath what people read: text and Markdown.
    """
    form = Form(COLUMNS, texts=2, details=COLUMNS.index("protocol"))
    cells = [line.cells() for line in lines]
    return write_files(table, form, cells, [*notes, *table.notes], folder, advice)


@dataclasses.dataclass(frozen=True)
class Form:
    """The columns of a table.

    Attributes:
      columns: their titles.
      texts: so many, the first, are words; the others are numbers.
      details: from this one on, they are words again, which `as_text` lists beneath the numbers.
    """

    columns: Sequence[str]
    texts: int
    details: int


def write_files(
    table: Table,
    form: Form,
    cells: Sequence[Sequence[str]],
    notes: Sequence[str],
    folder: Path,
    advice: Sequence[str] = (),
) -> str:
    """As `write`, of any columns."""
    text = as_text(table.title, form, cells, notes, advice)
    for suffix, content in {
        "txt": text,
        "md": as_markdown(table.title, form, cells, notes, advice),
        "csv": as_csv(form, cells, notes),
        "tex": as_latex(table.title, form, cells, notes),
    }.items():
        write_text(folder / f"{table.name}.{suffix}", content)
    return text


def as_text(
    title: str,
    form: Form,
    cells: Sequence[Sequence[str]],
    notes: Sequence[str],
    advice: Sequence[str] = (),
) -> str:
    """Numbers in aligned columns; protocols, runs and remarks in a list below them."""
    texts, numbers = form.texts, form.details
    rows = [form.columns[:numbers], *(line[:numbers] for line in cells)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        padded = [c.ljust(width) for c, width in zip(row[:texts], widths, strict=False)]
        padded += [c.rjust(width) for c, width in zip(row[texts:], widths[texts:], strict=True)]
        lines.append("  ".join(padded))
    lines.insert(1, "-" * len(lines[0]))
    details = {}
    for line in cells:
        named = zip(form.columns[numbers:], line[numbers:], strict=True)
        text = "; ".join(f"{name}: {cell}" for name, cell in named if cell)
        details.setdefault((line[0], text), []).append(line[1])
    listed = [
        f"- {row} ({', '.join(names)}): {text}" for (row, text), names in details.items() if text
    ]
    above = [title, "", *notes, *[""] * bool(notes)]
    return "\n".join([*above, *lines, "", *listed, "", *advice, *[""] * bool(advice)])


def as_markdown(
    title: str,
    form: Form,
    cells: Sequence[Sequence[str]],
    notes: Sequence[str],
    advice: Sequence[str] = (),
) -> str:
    """A table with all columns."""
    escaped = [[cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in cells]
    return "\n\n".join([f"# {title}", *notes, markdown(form.columns, escaped), *advice, ""])


def as_csv(form: Form, cells: Sequence[Sequence[str]], notes: Sequence[str]) -> str:
    """One line a measure; `note` repeats what stands above the other tables."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*form.columns, "note"])
    writer.writerows([*("" if c == "-" else c for c in line), " ".join(notes)] for line in cells)
    return out.getvalue()


def as_latex(title: str, form: Form, cells: Sequence[Sequence[str]], notes: Sequence[str]) -> str:
    """A table environment for the package booktabs; the caption holds the notes."""
    numbers, details = form.details - form.texts, len(form.columns) - form.details
    alignment = "l" * form.texts + "r" * numbers + "l" * details
    body = [" & ".join(map(_latex, line)) + r" \\" for line in cells]
    caption = ". ".join(text.rstrip(".") for text in (title, *notes))
    return "\n".join(
        [
            r"\begin{table}",
            rf"  \caption{{{_latex(caption)}.}}",
            rf"  \begin{{tabular}}{{{alignment}}}",
            r"    \toprule",
            "    " + " & ".join(map(_latex, form.columns)) + r" \\",
            r"    \midrule",
            *(f"    {line}" for line in body),
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
            "",
        ]
    )


LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
LATEX |= {character: f"\\{character}" for character in "&%$#_{}"} | {"\n": " ", "±": r"$\pm$"}


def _latex(text):
    return "".join(LATEX.get(character, character) for character in text)


def _number(value, digits, sign=""):
    return "-" if value is None else f"{value:{sign}.{digits}f}"
