"""What the folder of a run holds, as reports and figures read it; most of it may be missing."""

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from configs import base
from experiments.runs import EVALUATIONS, read_results
from iicnet_jax.core.errors import UserError
from iicnet_jax.experiment import configuration, workdir
from iicnet_jax.training.writers import read_metrics


@dataclasses.dataclass(frozen=True)
class Sample:
    """The pictures of one test sample.

    Attributes:
      inputs: the images that were embedded, the reference first.
      reference: what the embedding should look like.
    """

    name: str
    inputs: Sequence[Image.Image]
    restored: Sequence[Image.Image]
    reference: Image.Image
    embedding: Image.Image


@dataclasses.dataclass(frozen=True)
class Workdir:
    """A run's folder."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @functools.cached_property
    def config(self) -> dict:
        return workdir.read_config(self.path)

    @property
    def differences(self) -> dict[str, tuple]:
        """Fields that differ from base.py: its value and the run's, the learnt ones first."""
        method = self.config.get("method", "iicnet")
        # Of a method that is not the package's, only the common fields are known.
        known = base.get_config(method if method in base.MODELS else "iicnet")
        known = configuration.flatten(known)
        fields = configuration.flatten(self.config)
        different = {
            name: (known.get(name), value)
            for name, value in fields.items()
            if known.get(name) != value
        }
        order = sorted(different, key=lambda name: name.startswith(configuration.CHANGEABLE))
        return {name: different[name] for name in order}

    @property
    def environment(self) -> dict:
        return workdir.read_environment(self.path) or {}

    @functools.cached_property
    def metrics(self) -> list[dict]:
        """What was reported during training, by step."""
        return read_metrics(self.path / "metrics.jsonl")

    def curve(self, metric: str) -> list[tuple[float, float]]:
        """(step, value) of a metric."""
        return [(report["step"], report[metric]) for report in self.metrics if metric in report]

    @functools.cached_property
    def evaluations(self) -> list[dict]:
        """Results by evaluation settings, or those of the last evaluation."""
        kept = sorted((self.path / EVALUATIONS).glob("*.json"))
        found = map(read_results, kept or [self.path / workdir.RESULTS])
        return sorted(filter(None, found), key=lambda results: str(results.get("settings")))

    @property
    def samples(self) -> list[str]:
        """Names of the samples that there are pictures of."""
        folder = self.path / "samples"
        return sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []

    def sample(self, name: str) -> Sample:
        """The pictures of a sample. Raises UserError where one is missing or broken."""
        folder = self.path / "samples" / name
        kinds = {
            kind: [_picture(path) for path in sorted(folder.glob(f"{kind}_*.png"))]
            for kind in ("input", "restored")
        }
        reference, embedding = (
            _picture(folder / f"{kind}.png") for kind in ("reference", "embedding")
        )
        return Sample(name, kinds["input"], kinds["restored"], reference, embedding)


def read(paths: Sequence[Path]) -> list[Workdir]:
    """The runs in folders. Raises UserError for a folder that holds none."""
    runs = [Workdir(path.resolve()) for path in paths]
    for run in runs:
        _ = run.config
    return runs


def _picture(path):
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error}): evaluate the run anew") from error
