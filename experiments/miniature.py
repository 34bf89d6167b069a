"""Everything in miniature: reduced networks, two steps, one test sample, and the sample's data.

It shows that an experiment works from end to end; its numbers say nothing of the method.
"""

from collections.abc import Mapping
from pathlib import Path

from iicnet_jax import config as configuration
from iicnet_jax.data.sample import WRITERS, write_sample

LABEL = (
    "MINIATURE: reduced networks, two steps, one test sample of scikit-image's photographs. "
    "These numbers say nothing of the method."
)
FIELDS = {
    "steps": 2,
    "model.num_blocks": 1,
    "model.relation_features": 2,
    "model.features": 4,
    "data.crop": 32,
    "evaluation.limit": 1,
    "evaluation.validation_limit": 1,
    "evaluation.pictures": 1,
    "run.log_every": 1,
}


def reductions(config: Mapping) -> dict[str, object]:
    """The fields of FIELDS that a configuration has."""
    known = configuration.flatten(config)
    return {name: value for name, value in FIELDS.items() if name in known}


def write_data(folder: Path) -> None:
    """Writes the datasets of the sample that are not there yet."""
    missing = [name for name in WRITERS if not (folder / name).exists()]
    write_sample(folder, missing)
