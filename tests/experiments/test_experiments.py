"""The experiments against the supplement's tables, field by field."""

import importlib
from pathlib import Path

import pytest

from configs import base, win
from experiments.supplement import BASELINES, ROWS, STEPS, load, settings
from iicnet_jax.data import TASKS
from iicnet_jax.experiment import build, configuration
from iicnet_jax.models import NETWORKS, IICNet
from iicnet_jax.models.abstract import abstract_network

CONFIGS = Path(__file__).parents[2] / "configs"
NO_EXPERIMENTS = {"__init__", "base", "quickstart", "custom_folder", "low_bits"}


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_every_experiment_has_the_supplements_settings(row):
    experiment = load(row[0])
    configuration.check(experiment, base.get_config())
    fields, expected = configuration.flatten(experiment), settings(row)
    assert {field: fields[field] for field in expected} == expected
    assert build.run_length(experiment) == STEPS
    assert experiment.data.task in TASKS


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_every_experiment_makes_a_network(row):
    name, _, images, _, relation, *_ = row
    experiment = load(name)
    network = abstract_network(IICNet, **experiment.model)
    assert network.num_images == int(images)
    assert len(network.blocks.layers) == experiment.model.num_blocks
    assert (network.relation is not None) == (relation == "yes")
    size = network.embedding_size(144, 144)
    assert size == ((144, 144) if experiment.model.downscaling == "none" else (72, 72))


@pytest.mark.parametrize(("name", "settings"), BASELINES.items())
def test_every_other_method_has_its_settings(name, settings):
    images, batch, task, steps = settings
    experiment = load(name)
    configuration.check(experiment, base.get_config(experiment.method))
    assert (experiment.data.batch_size, experiment.data.task) == (batch, task)
    assert (experiment.data.crop, experiment.optimizer.learning_rate) == (144, 2e-4)
    assert build.run_length(experiment) == steps
    network = abstract_network(NETWORKS[experiment.method], **experiment.model)
    assert network.num_images == experiment.model.num_images == images


def test_every_file_is_in_the_table():
    files = {path.stem for path in CONFIGS.glob("*.py")} - NO_EXPERIMENTS
    assert files == {name.partition(":")[0] for name, *_ in ROWS} | set(BASELINES)


@pytest.mark.parametrize(
    ("name", "identifier"),
    [row[:2] for row in ROWS]
    + [(name, "not in the paper" if "win" in name else "baseline of Table") for name in BASELINES],
)
def test_every_header_names_its_command_and_the_papers_experiment(name, identifier):
    header = importlib.import_module(f"configs.{name.partition(':')[0]}").__doc__
    assert f"--config=configs/{name.partition(':')[0]}.py" in header
    assert identifier.replace("-", " ") in header.replace("-", " ")


@pytest.mark.parametrize("experiment", win.EXPERIMENTS)
@pytest.mark.parametrize("name", ["win", "win_naive"])
def test_win_embeds_as_the_experiment_beside_which_it_stands(name, experiment):
    config, beside = load(f"{name}:{experiment}"), load(experiment)
    configuration.check(config, base.get_config(name))
    assert (config.data, config.evaluation) == (beside.data, beside.evaluation)
    networks = [abstract_network(build.create_model, fields) for fields in (config, beside)]
    for attribute in ("num_images", "embedding_channels", "scale"):
        ours, theirs = (getattr(network, attribute) for network in networks)
        assert ours == theirs
    one_image = beside.model.num_images == 1
    assert build.create_loss(config).distance == ("squared" if one_image else "charbonnier")


def test_an_unknown_setting_lists_the_known_ones():
    with pytest.raises(ValueError, match="unknown setting 'xx'; known: pr, pp, hr, hp"):
        load("video_n3_down:xx")
    with pytest.raises(ValueError, match="unknown experiment 'n3'; known: hide_n2, hide_n3"):
        load("win:n3")
