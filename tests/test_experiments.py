"""The experiments against the supplement's tables, field by field."""

import importlib
from pathlib import Path

import pytest
from flax import nnx

from configs import base
from iicnet_jax import build, config
from iicnet_jax.data import REGIMES

CONFIGS = Path(__file__).parent.parent / "configs"
NO_EXPERIMENTS = {"__init__", "base", "quickstart"}

# The supplement's Table 1, in its order; then its Tables 4, 5 and 3. Columns: file[:argument],
# id, number of images, batch size, relation module, down-scaling and split, blocks, lambda1,
# lambda2, lambda3, regime.
TABLE = """
video_n5               st-01    5  2  yes  none          10  1  0.001  3    video
video_n5_no_relation   st-02    5  1  no   none          30  1  0.001  3    video
video_n5_no_frequency  st-03    5  2  yes  none          10  1  0      3    video
video_n7               st-04    7  2  yes  none          10  1  0.001  3    video
video_n9               st-05    9  2  yes  none          10  1  0.001  3    video
video_n3_down          st-06    3  2  yes  haar/prop     10  1  0.001  0.4  video
video_n5_down          st-07    5  2  yes  squeeze/ref   10  1  0.001  0.4  video
stereo                 mono-01  2  2  yes  none          16  1  0.001  3    stereo
stereo_no_relation     mono-02  2  1  no   none          24  1  0.001  3    stereo
stereo_no_frequency    mono-03  2  2  yes  none          16  1  0      3    stereo
dual_x2                dual-01  2  2  yes  none          10  1  0.001  3    dual_view
dual_x4                dual-02  2  2  yes  none          10  1  0.001  3    dual_view
dual_x8                dual-03  2  2  yes  none          10  1  0.001  3    dual_view
hide_n2                hide-01  2  2  yes  none          10  1  0.001  3    hiding
hide_n3                hide-02  3  2  yes  none          10  1  0.001  3    hiding
hide_n4                hide-03  4  2  yes  none          10  1  0.001  3    hiding
hide_n5                hide-04  5  2  yes  none          10  1  0.001  3    hiding
hide_n5_no_relation    hide-05  5  1  no   none          30  1  0.001  3    hiding
hide_n5_no_frequency   hide-06  5  2  yes  none          10  1  0      3    hiding
video_n11              Table-4  11 1  yes  none          10  1  0.001  3    video
video_n13              Table-4  13 1  yes  none          10  1  0.001  3    video
video_n15              Table-4  15 1  yes  none          10  1  0.001  3    video
video_n3_down:pr       Table-5  3  2  yes  squeeze/ref   10  1  0.001  0.4  video
video_n3_down:pp       Table-5  3  2  yes  squeeze/prop  10  1  0.001  0.4  video
video_n3_down:hr       Table-5  3  2  yes  haar/ref      10  1  0.001  0.4  video
video_n3_down:hp       Table-5  3  2  yes  haar/prop     10  1  0.001  0.4  video
grayscale              Table-3  1  2  yes  none          16  1  0.001  3    grayscale
rescale_x2             Table-3  1  2  yes  squeeze/prop  16  1  0.001  3    rescaling
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]


def load(name):
    module, *argument = name.split(":")
    return importlib.import_module(f"configs.{module}").get_config(*argument)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_every_experiment_has_the_supplements_settings(row):
    name, _, images, batch, relation, down, blocks, *lambdas, regime = row
    experiment = load(name)
    config.check(experiment, base.get_config())
    fields = config.flatten(experiment)
    downscaling, _, split = down.partition("/")
    expected = {
        "model.num_images": int(images),
        "model.embedding_channels": 1 if name == "grayscale" else 3,
        "model.relation": relation == "yes",
        "model.relation_features": 64,
        "model.downscaling": downscaling,
        "model.num_blocks": int(blocks),
        "loss.embedding": float(lambdas[0]),
        "loss.frequency": float(lambdas[1]),
        "loss.restoration": float(lambdas[2]),
        "optimizer.learning_rate": 2e-4,
        "optimizer.schedule": "supplement",
        "optimizer.warmup_steps": 0,
        "optimizer.clip_norm": 10.0,
        "optimizer.weight_decay": 1e-5,
        "quantisation": "noise",
        "data.batch_size": int(batch),
        "data.crop": 144,
        "data.regime": regime,
    }
    if split:
        expected["model.split"] = split
    assert {field: fields[field] for field in expected} == expected
    assert build.run_length(experiment) == 50_000
    assert regime in REGIMES


# Larger groups are built like smaller ones, but take long to trace.
KINDS = {(row[4], row[5], row[-1]): row[0] for row in ROWS if int(row[2]) <= 3}


@pytest.mark.parametrize("name", KINDS.values())
def test_every_kind_of_experiment_makes_a_network(name):
    experiment = load(name)
    experiment.model.num_blocks = 1  # all blocks are alike
    # Only the shapes.
    network = nnx.eval_shape(lambda: build.create_model(experiment))
    assert network.num_images == experiment.model.num_images


def test_every_file_is_in_the_table():
    files = {path.stem for path in CONFIGS.glob("*.py")} - NO_EXPERIMENTS
    assert files == {name.partition(":")[0] for name, *_ in ROWS}


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_every_header_names_its_command_and_the_papers_experiment(row):
    name, identifier, *_ = row
    header = importlib.import_module(f"configs.{name.partition(':')[0]}").__doc__
    assert f"--config=configs/{name.partition(':')[0]}.py" in header
    assert identifier.replace("-", " ") in header.replace("-", " ")


def test_an_unknown_setting_lists_the_known_ones():
    with pytest.raises(ValueError, match="unknown setting 'xx'; known: pr, pp, hr, hp"):
        load("video_n3_down:xx")
