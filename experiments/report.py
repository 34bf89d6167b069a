"""Runs as one self-contained HTML page: python -m experiments.report WORKDIR ... -o report.html

Curves, results, configurations, and the pictures of test samples with sliders and error maps;
several runs stand side by side. The page loads nothing from anywhere.
"""

import argparse
import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from experiments import workdirs
from experiments.charts import COLOURS, line_chart
from experiments.workdirs import Workdir
from iicnet_jax.cli.arguments import positive
from iicnet_jax.core import console
from iicnet_jax.core.files import typed_path, write_text
from iicnet_jax.evaluation.metrics import psnr
from iicnet_jax.evaluation.pictures import AMPLIFICATION, error_map
from iicnet_jax.evaluation.tables import COLUMNS, TITLES, number

PAGE = Path(__file__).with_name("report.html")  # with TITLE and BODY
PARTS = {
    "embedding": "embedding against reference",
    "restored": "restored",
    "restored_without_reference": "restored, without the reference",
}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        "experiments.report", description="Runs as one self-contained HTML page."
    )
    parser.add_argument("workdirs", type=typed_path, nargs="+", help="folders of runs")
    parser.add_argument("-o", "--output", type=typed_path, required=True, help="HTML file")
    parser.add_argument(
        "--samples", type=positive, default=1, help="test samples that are shown; each takes MBs"
    )
    arguments = parser.parse_args()
    with console.exit_on_user_error():
        write_text(arguments.output, page(workdirs.read(arguments.workdirs), arguments.samples))
        print(f"{arguments.output}: {arguments.output.stat().st_size / 1e6:.1f} MB")


def page(runs: Sequence[Workdir], samples: int = 1) -> str:
    """The whole page.

    Args:
      runs: side by side in this order.
      samples: how many test samples are shown.
    """
    title = " · ".join(each.name for each in runs)
    body = [
        f"<h1>{escape(title)}</h1>",
        _legend(runs),
        _section("Training", _curves(runs)),
        _section("Results on the test split", _results(runs)),
        _section("Images of a group", _frames_chart(runs)),
        _section("Test samples", _samples(runs, samples)),
        _section("Configurations", _columns(runs, _configuration)),
        _section("Environment", _columns(runs, _environment)),
    ]
    frame = PAGE.read_text(encoding="utf-8")
    return frame.replace("TITLE", escape(title)).replace("BODY", "\n".join(filter(None, body)))


def _curves(runs):
    loss = {each.name: each.curve("train/loss") for each in runs}
    charts = [_chart("Loss", line_chart(loss, x_label="step", y_label="loss", log=True))]
    for part in ("embedding", "restored"):
        series = {each.name: each.curve(f"validation/{part}_psnr") for each in runs}
        chart = line_chart(series, x_label="step", y_label="PSNR in dB")
        charts.append(_chart(f"Validation, {part}", chart))
    speed = {each.name: each.curve("train/samples_per_second") for each in runs}
    charts.append(_chart("Speed", line_chart(speed, x_label="step", y_label="samples a second")))
    return _grid(charts)


def _results(runs):
    """A table with a row for each run, evaluation and part; all measures."""
    rows = []
    for index, each in enumerate(runs):
        for results in each.evaluations:
            for network, variants in results["networks"].items():
                for part, title in PARTS.items():
                    if part not in variants["rounded"]:
                        continue
                    values = [
                        number(column, value)
                        for column, value in _all_measures(variants["rounded"][part])
                    ]
                    lost = variants["float"][part]["psnr"] - variants["rounded"][part]["psnr"]
                    about = [network, _setting(results), str(results["samples"]), title]
                    rows.append([_swatch(index, each.name), *map(escape, about), *values])
                    rows[-1].append(f"{lost:+.2f}")
    if not rows:
        return ""
    head = ["run", "network", "evaluation", "images", "part", *TITLES, "float embedding"]
    note = (
        "PSNR in dB, means over samples, from the 8-bit embedding; the last column says by how "
        "much a float embedding would be better."
    )
    return f"<p>{note}</p>{_table(head, rows)}"


def _all_measures(values: Mapping):
    # An undefined or infinite number is null in the file.
    return [
        (column, float("nan") if values[column] is None else values[column]) for column in COLUMNS
    ]


def _setting(results):
    settings = results.get("settings", {})
    words = [f"step {results['step']:,}", f"{results['checkpoint']} checkpoint"]
    if settings.get("data.frame_stride", 1) != 1:
        words.append(f"frame stride {settings['data.frame_stride']}")
    return ", ".join(words)


def _frames_chart(runs):
    series = {}
    for each in runs:
        for results in each.evaluations[:1]:
            frames = results["networks"]["trained"]["rounded"]["frames"]
            series[each.name] = [(index, frame["psnr"]) for index, frame in enumerate(frames)]
    chart = line_chart(series, x_label="image, the reference is 0", y_label="PSNR in dB")
    return _grid([_chart("Restored images by their place in the group", chart)])


def _samples(runs, count):
    shared = [name for name in runs[0].samples if all(name in each.samples for each in runs)]
    # Each run's own where there are not enough that all have.
    order = {each.path: list(dict.fromkeys([*shared, *each.samples])) for each in runs}
    return "".join(
        _columns(runs, lambda each, n=number: _sample(each, order[each.path][n : n + 1]))
        for number in range(min(count, max(map(len, order.values()))))
    )


def _sample(each: Workdir, names: Sequence[str]) -> str:
    """The pictures of one sample, if there is one."""
    if not names:
        return "<p>No pictures.</p>"
    sample = each.sample(names[0])
    parts = [f"<p>{escape(sample.name)}</p>"]
    parts.append(_slider("reference", sample.reference, "embedding", sample.embedding))
    for index, images in enumerate(zip(sample.inputs, sample.restored, strict=True)):
        original, restored = images
        parts.append(_slider(f"image {index}", original, "restored", restored))
    return "".join(parts)


def _slider(left_name, left: Image.Image, right_name, right: Image.Image) -> str:
    """Two images over each other, a control that moves the border between them, and their error."""
    a, b = np.asarray(left), np.asarray(right)
    error = Image.fromarray(error_map(b, a))
    label = f"{left_name} | {right_name}: {psnr(b, a):.2f} dB"
    return (
        f'<figure class="pair"><div class="slider">{_image(left, left_name)}'
        f"{_image(right, right_name)}"
        f'<input type="range" min="0" max="100" value="50" aria-label="{escape(label)}"></div>'
        f"<figcaption>{escape(label)}</figcaption>"
        f"<details><summary>error x{AMPLIFICATION}</summary>{_image(error, 'error')}</details>"
        "</figure>"
    )


def _image(image: Image.Image, name: str) -> str:
    data = io.BytesIO()
    image.save(data, format="WEBP", lossless=True)
    text = base64.b64encode(data.getvalue()).decode()
    return f'<img alt="{escape(name)}" src="data:image/webp;base64,{text}">'


def _configuration(each: Workdir) -> str:
    rows = [
        [f"<code>{escape(name)}</code>", escape(str(value)), escape(str(default))]
        for name, (default, value) in each.differences.items()
    ]
    return _table(["field", "this run", "base.py"], rows)


def _environment(each: Workdir) -> str:
    environment = each.environment
    devices = environment.get("devices", [])
    rows = [
        ["Python", escape(str(environment.get("python", "unknown")))],
        ["devices", escape(", ".join(devices) or "unknown")],
        ["processes", escape(str(environment.get("processes", "unknown")))],
        *([escape(n), escape(v)] for n, v in environment.get("packages", {}).items()),
    ]
    return _table(["", ""], rows)


def _columns(runs, content) -> str:
    columns = [
        f"<div><h4>{_swatch(index, each.name)}</h4>{content(each)}</div>"
        for index, each in enumerate(runs)
    ]
    return _grid(columns)


def _legend(runs):
    names = "".join(f"<li>{_swatch(index, each.name)}</li>" for index, each in enumerate(runs))
    return f'<ul class="legend">{names}</ul>'


def _swatch(index, name):
    colour = f"var(--series-{index % COLOURS})"
    return f'<span class="swatch" style="background:{colour}"></span>{escape(name)}'


def _chart(title, chart):
    return f"<figure>{chart}<figcaption>{escape(title)}</figcaption></figure>" if chart else ""


def _section(title, content):
    return f"<section><h2>{title}</h2>{content}</section>" if content else ""


def _grid(items):
    items = [item for item in items if item]
    return f'<div class="grid">{"".join(items)}</div>' if items else ""


def _table(head, rows):
    """Cells are HTML."""
    header = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return (
        f'<div class="scroll"><table><thead><tr>{header}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


if __name__ == "__main__":
    main()
