"""Writes training metrics: TensorBoard event files and `metrics.jsonl`.

The class has the methods of CLU's `MetricWriter` that training calls, so any of CLU's own writers
can take its place. (CLU's package imports TensorFlow, which this project does without.)
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tensorboardX import SummaryWriter

from iicnet_jax.core import files, json_files
from iicnet_jax.core.errors import UserError


class MetricWriter:
    """Writes to `workdir/tensorboard` and, one line a report, to `workdir/metrics.jsonl`.

    Args:
      workdir: the run's folder.
      first_step: where the run begins or resumes; lines of later steps, left by a run that was
        killed after its last checkpoint, are removed.
      active: False for all but one of several processes; nothing is written then.

    Raises:
      UserError: a line in `metrics.jsonl` is damaged.
    """

    def __init__(self, workdir: Path, first_step: int = 0, *, active: bool = True):
        self._lines = workdir / "metrics.jsonl" if active else Path(os.devnull)
        if active:
            _drop_lines_after(self._lines, first_step)
        self._folder = workdir / "tensorboard"
        self._events = SummaryWriter(
            str(self._folder), purge_step=first_step + 1, write_to_disk=active
        )

    def write_scalars(self, step: int, scalars: Mapping[str, float]) -> None:
        """Numbers by name; names with a slash are grouped in TensorBoard."""
        scalars = {name: float(value) for name, value in scalars.items()}
        for name, value in scalars.items():
            self._events.add_scalar(name, value, step)
        with files.disk_errors(self._lines), self._lines.open("a", encoding="utf-8") as lines:
            lines.write(files.to_json({"step": step, **scalars}) + "\n")

    def write_images(self, step: int, images: Mapping[str, np.ndarray]) -> None:
        """Pictures by name: (b, h, w, c) uint8, or float in [0, 1]."""
        for name, batch in images.items():
            self._events.add_images(name, np.asarray(batch), step, dataformats="NHWC")

    def write_texts(self, step: int, texts: Mapping[str, str]) -> None:
        """Markdown by name."""
        for name, text in texts.items():
            self._events.add_text(name, text, step)

    def write_hparams(self, hparams: Mapping[str, object]) -> None:
        """The configuration, as a text."""
        text = json.dumps(hparams, indent=2, default=str)
        self._events.add_text("configuration", f"```json\n{text}\n```", 0)

    def flush(self) -> None:
        with files.disk_errors(self._folder):
            self._events.flush()

    def close(self) -> None:
        with files.disk_errors(self._folder):
            self._events.close()


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The reports in a `metrics.jsonl`, [] if there is none.

    A last line that a kill cut short, or that a run is just writing, is left out.

    Raises:
      UserError: another line is damaged.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    reports = []
    # The last part is empty, or an unfinished line.
    for number, line in enumerate(content.split(b"\n")[:-1], 1):
        try:
            report = json_files.parse(line, {"step": int})
            json_files.check(report, dict.fromkeys(report, json_files.NUMBER))
        except ValueError as error:
            raise UserError(
                f"{path}, line {number}, is damaged: {error}. Remove it, or move the file away, to "
                "go on without"
            ) from error
        reports.append(report)
    return reports


def _drop_lines_after(path: Path, last_step: int) -> None:
    """Keeps the reports up to `last_step`. Raises UserError as `read_metrics` does."""
    if path.exists():
        kept = [report for report in read_metrics(path) if report["step"] <= last_step]
        files.write_text(path, "".join(f"{files.to_json(report)}\n" for report in kept))
