"""Curves of runs for a document: python docs/pictures/curves.py RUN ... -o OUT.svg

Restored PSNR on validation, the mean over the seeds of each configuration, as one SVG picture.
"""

import argparse
import statistics
from pathlib import Path

from experiments import workdirs
from experiments.charts import COLOURS, HEIGHT, WIDTH, line_chart
from iicnet_jax.core import console
from iicnet_jax.core.files import write_text

METRIC = "validation/restored_psnr"
# As in experiments/report.html.
PALETTE = ["#1769c2", "#c2410c", "#15803d", "#9333ea", "#a16207", "#0e7490", "#db2777", "#525252"]
LINE = 18  # height of a line of the legend


def main():
    parser = argparse.ArgumentParser("docs/pictures/curves.py", description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+", help="workdirs of runs, as tables name them")
    parser.add_argument("-o", "--output", type=Path, required=True, help="SVG file")
    arguments = parser.parse_args()
    with console.exit_on_user_error():
        write_text(arguments.output, picture(workdirs.read(arguments.runs)))


def picture(runs) -> str:
    """The picture as SVG text."""
    groups = {}
    for each in runs:
        groups.setdefault(each.name.partition("-seed")[0], []).append(dict(each.curve(METRIC)))
    series = {}
    for name, curves in groups.items():
        steps = sorted(set.intersection(*map(set, curves)))
        seeds = f"{len(curves)} seed{'s' * (len(curves) > 1)}"
        series[f"{name}, {seeds}"] = [
            (step, statistics.fmean(curve[step] for curve in curves)) for step in steps
        ]
    return chart(series, x_label="step", y_label="restored PSNR in dB, validation")


def chart(series, x_label: str, y_label: str) -> str:
    """Lines of (x, y) by name, with a legend, as SVG text."""
    lines = line_chart(series, x_label=x_label, y_label=y_label)
    legend = "".join(
        f'<rect x="64" y="{HEIGHT + LINE * row + 4}" width="12" height="4" '
        f'fill="var(--series-{row % COLOURS})"/>'
        f'<text x="84" y="{HEIGHT + LINE * row + 10}">{name}</text>'
        for row, name in enumerate(series)
    )
    height = HEIGHT + LINE * len(series) + 8
    colours = "".join(
        f"--series-{index}:{colour};" for index, colour in zip(range(COLOURS), PALETTE, strict=True)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" style="{colours}">'
        "<style>text{font:12px sans-serif;fill:#444}.grid-line{stroke:#ddd;fill:none}"
        ".line{fill:none;stroke-width:1.75}</style>"
        f'<rect width="100%" height="100%" fill="white"/>'
        f'<svg width="{WIDTH}" height="{HEIGHT}">{lines}</svg>{legend}</svg>\n'
    )


if __name__ == "__main__":
    main()
