"""Checks configurations: known fields, types, ranges, and differences between two."""

import importlib
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from flax import traverse_util
from ml_collections import ConfigDict

from iicnet_jax.core.errors import UserError, explaining, require_choice
from iicnet_jax.imaging import carrier
from iicnet_jax.models import channel
from iicnet_jax.models.execution import LOOPS, MEMORY_SAVING, PRECISIONS

# Fields that may differ between a run and its continuation: they do not change what is learnt.
CHANGEABLE = (
    "run.",
    "evaluation.",
    "data.root",
    "data.frame_stride",
    "data.cache",
    "data.workers",
    "memory_saving",
    "loop",
)

# A section's name stands for all its fields.
AT_LEAST_ZERO = (
    "seed",
    "loss",
    "optimizer.clip_norm",
    "optimizer.ema_decay",
    "optimizer.warmup_steps",
    "optimizer.weight_decay",
    "data.reference",
    "data.workers",
    "evaluation.y_border",
    "evaluation.pictures",
)
POSITIVE = (
    "steps",
    "model",
    "optimizer.learning_rate",
    "optimizer.accumulate",
    "data.crop",
    "data.batch_size",
    "data.scale",
    "data.frame_stride",
    "data.training_frame_stride",
    "evaluation.limit",
    "evaluation.validation_limit",
    "run.steps_per_call",
    "run.log_every",
    "run.validate_every",
    "run.checkpoint_every",
    "run.keep_last",
)


CHOICES = {
    "memory_saving": MEMORY_SAVING,
    "loop": LOOPS,
    "precision": PRECISIONS,
    "channel.form": channel.FORMS,
    "evaluation.checkpoint": ("latest", "best"),
}


def from_repository(name: str) -> ModuleType:
    """Imports a module of `configs` or `experiments`, which wheels leave out.

    Raises:
      UserError: it is not there.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        raise UserError(
            f"{error.name} is missing: the folders configs and experiments come with the "
            "repository, not with the installed package; clone it with git and start from its root "
            "(python -m iicnet_jax.main --config=configs/..., python -m iicnet_jax for iicnet)"
        ) from error


def check(config: ConfigDict, base: ConfigDict) -> None:
    """Compares a configuration with the base that documents all fields.

    Raises:
      UserError: a field is unknown, missing, of the wrong type or out of range.
    """
    fields, known = flatten(config), flatten(base)
    unknown, missing = sorted(fields.keys() - known.keys()), sorted(known.keys() - fields.keys())
    if unknown or missing:
        problems = [f"config.{name} is unknown" for name in unknown]
        problems += [f"config.{name} is missing" for name in missing]
        raise UserError(f"{'; '.join(problems)}: configs/base.py lists all fields")
    for name, default in known.items():
        value = fields[name]
        # A placeholder is None in the base; all of them are numbers of something.
        wanted = "a whole number or None" if default is None else type(default).__name__
        allowed = (int, type(None)) if default is None else type(default)
        # To Python, True is a whole number.
        a_bool_for_a_number = isinstance(value, bool) and not isinstance(default, bool)
        if not isinstance(value, allowed) or a_bool_for_a_number:
            raise UserError(f"config.{name} is {value!r}, but must be {wanted}")
    window = fields["run.profile_steps"]
    if len(window) != 2 or any(type(number) is not int or number < 0 for number in window):
        raise UserError(
            f"config.run.profile_steps is {window!r}, but must be two whole numbers, the first "
            "step and how many; (0, 0) for none"
        )
    for name, choices in CHOICES.items():
        try:
            require_choice(f"config.{name}", fields[name], choices)
        except ValueError as error:
            raise UserError(str(error)) from error
    with explaining("config.evaluation.carriers"):
        for name in fields["evaluation.carriers"]:
            carrier.parse(str(name))
    for names, bound, words in (
        (AT_LEAST_ZERO, lambda value: value >= 0, "at least 0"),
        (POSITIVE, lambda value: value > 0, "greater than 0"),
        (("optimizer.ema_decay",), lambda value: value < 1, "less than 1"),
        (("seed",), lambda value: value < 2**63, "less than 2^63"),
    ):
        for name, value in fields.items():
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            named = name in names or name.partition(".")[0] in names
            if named and is_number and not bound(value):
                raise UserError(f"config.{name} is {value}, but must be {words}")


def differences(config: Mapping, other: Mapping) -> list[str]:
    """The fields in which two configurations differ in what they learn, one line each."""
    ours, theirs = flatten(config), flatten(other)
    return [
        f"config.{name}: {theirs.get(name)!r} there, {ours.get(name)!r} now"
        for name in sorted(ours.keys() | theirs.keys())
        if ours.get(name) != theirs.get(name) and not name.startswith(CHANGEABLE)
    ]


def flatten(config: Mapping | ConfigDict) -> dict[str, Any]:
    """Values by dotted name."""
    fields = config.to_dict() if isinstance(config, ConfigDict) else config
    return traverse_util.flatten_dict(fields, sep=".")
