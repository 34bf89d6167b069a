"""Sizes in which a table can be run: as its configurations say, reduced, and in miniature.

A size is the same for every row, as far as its configuration has the fields: methods that are
compared take equal steps on equally many samples.
"""

import dataclasses
from collections.abc import Mapping

from iicnet_jax.experiment import configuration


@dataclasses.dataclass(frozen=True)
class Size:
    """What becomes of a configuration.

    Attributes:
      label: stands in every output.
      fields: values of fields, by name.
      without_downscaling: fields of networks that have no down-scaling.
      by_method: fields of a method's networks, which win over the others.
    """

    label: str = ""
    fields: Mapping[str, object] = dataclasses.field(default_factory=dict)
    without_downscaling: Mapping[str, object] = dataclasses.field(default_factory=dict)
    by_method: Mapping[str, Mapping[str, object]] = dataclasses.field(default_factory=dict)

    def changes(self, config: Mapping) -> dict[str, object]:
        """The fields of this size that a configuration has."""
        known = configuration.flatten(config)
        fields = dict(self.fields)
        # A codec in the low bits has no network that could see wavelets.
        if known.get("model.downscaling") == "none" and "model.full_size" in known:
            fields |= self.without_downscaling
        fields |= self.by_method.get(config["method"], {})
        return {name: value for name, value in fields.items() if name in known}


FULL = Size()

# A minute or two a run on a CPU core, which learns.
REDUCED = Size(
    "REDUCED: for every method 600 steps of one crop of 48x48 pixels at a learning rate of 1e-3 "
    "that falls to zero; 2 coupling blocks, with or without relation module, but 8 in IRN, as "
    "published, because fewer cannot draw again what it leaves out, and in WIN 2 modules of one "
    "and one more; dense blocks, relation modules, encoders and decoders of 16, 8 and 12 channels; "
    "at most 4 test samples. "
    "Where IICNet has no down-scaling, Haar wavelets come before its blocks and their inverse "
    "after them (downscaling=haar, full_size=True), which is not in the paper. These numbers "
    "compare networks of this size; they say nothing of the published ones.",
    {
        "steps": 600,
        "memory_saving": "none",
        "model.num_blocks": 2,
        "model.growth": 16,
        "model.relation_features": 8,
        "model.features": 12,
        "optimizer.learning_rate": 1e-3,
        "optimizer.schedule": "cosine",
        "optimizer.warmup_steps": 50,
        "data.crop": 48,
        "data.batch_size": 1,
        "data.cache": True,
        "evaluation.limit": 4,
        "evaluation.validation_limit": 1,
        "evaluation.pictures": 1,
        "run.log_every": 50,
        "run.validate_every": 200,  # for curves; few other checkpoints
        "run.checkpoint_every": 10_000,
    },
    # Networks of this size that see single pixels as channels learn next to nothing in minutes.
    without_downscaling={"model.downscaling": "haar", "model.full_size": True},
    by_method={
        "irn": {"model.num_blocks": 8},
        "win": {"model.num_modules": 2, "model.num_blocks": 1},
    },
)

# Seconds a run, for tests: it shows that an experiment works from end to end.
MINIATURE = Size(
    "MINIATURE: reduced networks, two steps, one test sample. These numbers say nothing of the "
    "method.",
    {
        "steps": 2,
        "loop": "scan",  # these two compile fastest
        "memory_saving": "none",
        "model.num_blocks": 1,
        "model.num_modules": 1,
        "model.growth": 2,
        "model.relation_features": 2,
        "model.features": 2,
        "data.crop": 32,
        "data.batch_size": 2,
        "evaluation.limit": 1,
        "evaluation.validation_limit": 1,
        "evaluation.pictures": 1,
        "run.log_every": 1,
    },
)

SIZES = {"full": FULL, "reduced": REDUCED, "miniature": MINIATURE}
