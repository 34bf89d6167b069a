"""Strict configurations."""

import importlib
from pathlib import Path

import pytest

from configs import base
from iicnet_jax.core.errors import UserError
from iicnet_jax.experiment import build, configuration, run
from iicnet_jax.models.abstract import abstract_network
from iicnet_jax.models.channel import Channel
from iicnet_jax.training.step import QUANTISERS

EXPERIMENTS = sorted(
    path.stem
    for path in (Path(__file__).parents[2] / "configs").glob("*.py")
    if path.stem not in ("__init__", "base")
)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_has_the_fields_of_the_base(name):
    experiment = importlib.import_module(f"configs.{name}").get_config()
    configuration.check(experiment, base.get_config(experiment.method))
    assert build.run_length(experiment) > 0


def test_dual_x4_is_the_papers_dual_02():
    experiment = importlib.import_module("configs.dual_x4").get_config()
    assert build.run_length(experiment) == 50_000
    assert experiment.model.to_dict() == {
        "num_images": 2,
        "embedding_channels": 3,
        "relation": True,
        "relation_features": 64,
        "downscaling": "none",
        "full_size": False,
        "levels": 1,
        "mixing": True,
        "split": "ref",
        "num_blocks": 10,
        "growth": 32,
    }
    weights = {"embedding": 1.0, "frequency": 0.001, "restoration": 3.0, "overflow": 0.0}
    assert experiment.loss.to_dict() == weights
    assert (experiment.data.batch_size, experiment.data.crop, experiment.data.scale) == (2, 144, 4)


def changed(**fields):
    experiment = base.get_config()
    with experiment.unlocked(), experiment.ignore_type():
        experiment.update_from_flattened_dict(
            {name.replace("__", "."): value for name, value in fields.items()}
        )
    return experiment


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model__blocks": 3}, "config.model.blocks is unknown: configs/base.py lists all"),
        ({"seed": "one"}, "config.seed is 'one', but must be int"),
        ({"seed": True}, "config.seed is True, but must be int"),
        ({"model__relation": 1}, "config.model.relation is 1, but must be bool"),
        ({"steps": 2.5}, "config.steps is 2.5, but must be a whole number or None"),
        ({"steps": 0}, "config.steps is 0, but must be greater than 0"),
        ({"data__batch_size": -2}, "config.data.batch_size is -2, but must be greater than 0"),
        ({"loss__frequency": -1.0}, "config.loss.frequency is -1.0, but must be at least 0"),
        (
            {"optimizer__clip_norm": -1.0},
            "config.optimizer.clip_norm is -1.0, but must be at least",
        ),
        ({"model__num_blocks": 0}, "config.model.num_blocks is 0, but must be greater than 0"),
        (
            {"channel__form": "gif"},
            "config.channel.form must be one of 'none', 'jpeg', 'real_jpeg'",
        ),
        (
            {"evaluation__carriers": ("png", "jpeg")},
            "config.evaluation.carriers: jpeg has a quality of 1 to 100",
        ),
        ({"evaluation__carriers": "png"}, "config.evaluation.carriers is 'png', but must be tuple"),
        ({"run__profile_steps": (1, -2)}, "config.run.profile_steps is (1, -2), but must be two"),
        ({"run__profile_steps": (1, 2, 3)}, "config.run.profile_steps is (1, 2, 3), but must be"),
        ({"optimizer__ema_decay": 1.0}, "config.optimizer.ema_decay is 1.0, but must be less than"),
        ({"evaluation__checkpoint": "first"}, "config.evaluation.checkpoint must be one of"),
    ],
)
def test_a_wrong_field_is_named_with_its_value(fields, message):
    with pytest.raises(UserError) as error:
        configuration.check(changed(**fields), base.get_config())
    assert message in str(error.value)


def test_steps_that_are_not_made_cannot_be_profiled():
    for window in ((0, 2), (9, 3)):
        with pytest.raises(UserError, match="but the run has the steps 1 to 10"):
            build.check_calls(changed(steps=10, run__profile_steps=window))
    build.check_calls(changed(steps=10, run__profile_steps=(9, 2)))


def test_a_method_has_fields_of_its_own():
    experiment = base.get_config("irn")
    configuration.check(experiment, base.get_config("irn"))
    with pytest.raises(
        UserError, match=r"config\.loss\.latent is unknown; config\.loss\.frequency"
    ):
        configuration.check(experiment, base.get_config())
    with pytest.raises(ValueError, match="unknown method 'irm'; known: iicnet, irn"):
        base.get_config("irm")


def test_an_unknown_method_is_a_mistake_of_the_user():
    with pytest.raises(UserError, match="config.method: unknown method 'irm'; known: iicnet"):
        run.check_config(changed(method="irm"), flag_values=None)


def test_a_missing_field_is_named():
    experiment = base.get_config()
    del experiment.loss["frequency"]
    with pytest.raises(UserError, match="config.loss.frequency is missing"):
        configuration.check(experiment, base.get_config())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model__split": "half"}, "split must be one of 'ref', 'prop', not 'half'"),
        ({"model__num_images": 1}, "3 channels cannot be split after 3"),
    ],
)
def test_a_network_that_cannot_be_built_says_why(fields, message):
    with pytest.raises(UserError, match="config.model does not make a network") as error:
        build.create_model(changed(**fields))
    assert message in str(error.value)


def test_a_network_without_weights_needs_no_random_streams(monkeypatch):
    monkeypatch.setattr(build.nnx, "Rngs", None)
    small = changed(model__num_blocks=1, model__relation=False)
    network = abstract_network(build.create_model, small)
    assert len(network.blocks.layers) == 1


def test_unknown_names_are_listed_with_the_known_ones():
    with pytest.raises(UserError, match="unknown schedule 'linear'; known: supplement"):
        build.create_optimizer(changed(steps=10, optimizer__schedule="linear"))
    with pytest.raises(UserError, match=r"config\.steps is not set"):
        build.create_optimizer(changed(optimizer__schedule="cosine"))
    with pytest.raises(UserError, match="config.quantisation is 'floor'; known: noise"):
        build.create_quantiser(changed(quantisation="floor"))
    with pytest.raises(UserError, match="config.channel: there are no qualities from 0 to 95"):
        build.create_quantiser(changed(channel__form="jpeg", channel__lowest_quality=0))


def test_a_channel_has_the_fields_of_its_configuration():
    assert build.create_quantiser(changed()) is QUANTISERS["noise"]
    fields = changed(channel__form="jpeg", quantisation="straight_through")
    expected = Channel(QUANTISERS["straight_through"], "jpeg", 50, 95, "4:2:0", 0.1)
    assert build.create_quantiser(fields) == expected


def test_differences_leave_out_what_does_not_change_learning():
    ours = changed(seed=1, run__log_every=7, data__root="elsewhere", data__on_device=True)
    assert configuration.differences(ours, base.get_config()) == [
        "config.data.on_device: False there, True now",
        "config.seed: 0 there, 1 now",
    ]
