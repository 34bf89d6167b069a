"""Where measurements go: TensorBoard event files and `metrics.jsonl`.

The class has the methods of CLU's `MetricWriter` that training calls, so any of CLU's own writers
can take its place. (CLU's package imports TensorFlow, which this project does without.)
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from tensorboardX import SummaryWriter

from iicnet_jax import files


class MetricWriter:
    """Writes to `workdir/tensorboard` and, one line a report, to `workdir/metrics.jsonl`.

    Args:
      workdir: the run's folder.
      first_step: where the run begins or resumes; lines of later steps, left by a run that was
        killed after its last checkpoint, are removed.
      active: False for all but one of several processes; nothing is written then.
    """

    def __init__(self, workdir: Path, first_step: int = 0, *, active: bool = True):
        self._lines = workdir / "metrics.jsonl" if active else Path(os.devnull)
        if active:
            _drop_lines_after(self._lines, first_step)
        self._events = SummaryWriter(
            str(workdir / "tensorboard"), purge_step=first_step + 1, write_to_disk=active
        )

    def write_scalars(self, step: int, scalars: Mapping[str, float]) -> None:
        """Numbers by name; names with a slash are grouped in TensorBoard."""
        scalars = {name: float(value) for name, value in scalars.items()}
        for name, value in scalars.items():
            self._events.add_scalar(name, value, step)
        with self._lines.open("a", encoding="utf-8") as lines:
            lines.write(files.to_json({"step": step, **scalars}) + "\n")

    def write_images(self, step: int, images: Mapping[str, np.ndarray]) -> None:
        """Pictures by name: (b, h, w, c) uint8, or float in [0, 1]."""
        for name, batch in images.items():
            self._events.add_images(name, np.asarray(batch), step, dataformats="NHWC")

    def write_texts(self, step: int, texts: Mapping[str, str]) -> None:
        """Markdown by name."""
        for name, text in texts.items():
            self._events.add_text(name, text, step)

    def write_histograms(self, step: int, arrays: Mapping[str, np.ndarray], num_buckets=None):
        """Distributions by name; `num_buckets` maps names to a number of bars."""
        for name, values in arrays.items():
            bins = (num_buckets or {}).get(name, 30)
            self._events.add_histogram(name, np.asarray(values), step, bins=bins)

    def write_hparams(self, hparams: Mapping[str, object]) -> None:
        """The configuration, as a text."""
        text = json.dumps(hparams, indent=2, default=str)
        self._events.add_text("configuration", f"```json\n{text}\n```", 0)

    def flush(self) -> None:
        self._events.flush()

    def close(self) -> None:
        self._events.close()


def _drop_lines_after(path: Path, last_step: int) -> None:
    """Keeps the lines up to `last_step`; a line that a kill cut short is dropped too."""
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            if json.loads(line)["step"] <= last_step:
                kept.append(line + "\n")
        except json.JSONDecodeError:
            continue
    files.write_text(path, "".join(kept))
