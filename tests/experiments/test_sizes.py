"""Sizes of tables: what they change, that methods get equal budgets, and that outputs say so."""

import csv

import pytest

from experiments import ablations, runner, table2, table3
from experiments.sizes import MINIATURE, REDUCED
from iicnet_jax.experiment import build
from iicnet_jax.experiment.configuration import flatten
from iicnet_jax.experiment.run import load_config
from iicnet_jax.experiment.workdir import read_config
from iicnet_jax.models.abstract import abstract_network
from tests.fake_runs import Launcher

BUDGET = ("steps", "data.crop", "data.batch_size", "evaluation.limit", "optimizer.learning_rate")


def sized(name, size):
    path = f"--config=configs/{name}.py"
    changes = size.changes(load_config([path]))
    return load_config([path, *(f"--config.{field}={value}" for field, value in changes.items())])


@pytest.mark.parametrize("size", [REDUCED, MINIATURE], ids=["reduced", "miniature"])
def test_methods_that_are_compared_get_the_same(size):
    names = {row.config for table in (table2, table3, ablations) for row in table.TABLE.rows}
    budgets = {tuple(flatten(sized(name, size))[field] for field in BUDGET[:2]) for name in names}
    assert budgets == {(size.fields["steps"], size.fields["data.crop"])}
    if size is REDUCED:
        for name in names:
            fields = flatten(sized(name, size))
            assert [fields[field] for field in BUDGET] == [REDUCED.fields[f] for f in BUDGET]


def test_the_label_of_the_reduced_size_is_true():
    fields = REDUCED.fields
    for said in (
        f"{fields['steps']} steps",
        f"one crop of {fields['data.crop']}x{fields['data.crop']} pixels",
        f"{fields['model.num_blocks']} coupling blocks",
        f"but {sized('irn_x2', REDUCED).model.num_blocks} in IRN, as published",
        f"in WIN {sized('win', REDUCED).model.num_modules} modules of one and one more",
        f"of {fields['model.growth']}, {fields['model.relation_features']} and "
        f"{fields['model.features']} channels",
        f"at most {fields['evaluation.limit']} test samples",
    ):
        assert said in REDUCED.label
    assert fields["data.batch_size"] == 1 and "a learning rate of 1e-3" in REDUCED.label


@pytest.mark.parametrize(
    ("name", "downscaling", "full_size"),
    [
        ("grayscale", "haar", True),
        ("stereo_no_relation", "haar", True),
        ("rescale_x2", "squeeze", False),
        ("video_n3_down", "haar", False),
        ("irn_x2", "haar", None),
        ("invertible_grayscale", None, None),
    ],
)
def test_wavelets_where_there_is_no_down_scaling(name, downscaling, full_size):
    config = sized(name, REDUCED)
    assert config.model.get("downscaling") == downscaling
    assert config.model.get("full_size") == full_size
    model = abstract_network(build.create_model, config)
    assert model.scale == (2 if name in ("rescale_x2", "video_n3_down", "irn_x2") else 1)


def test_a_reduced_table_says_so(tmp_path, capsys):
    (tmp_path / "data" / "DAVIS-2017").mkdir(parents=True)
    command = [f"--data={tmp_path / 'data'}", f"--workdir={tmp_path / 'runs'}", "--size=reduced"]
    command += ["--only=iicnet_step1", "--seeds=1", "--steps=8"]
    with pytest.raises(SystemExit):
        runner.main(table2.TABLE, command, Launcher())
    assert "REDUCED: for every method" in capsys.readouterr().out
    with open(tmp_path / "runs" / "table2.csv", encoding="utf-8", newline="") as file:
        (row, *_) = csv.DictReader(file)
    assert row["note"].startswith("REDUCED: ") and "steps=8" in row["note"]
    # What is published is of larger networks.
    assert row["published"] and row["ours"] and row["difference"] == ""
    for suffix in ("txt", "md", "tex"):
        assert "REDUCED: " in (tmp_path / "runs" / f"table2.{suffix}").read_text()
    # What is asked for wins over the size.
    config = read_config(tmp_path / "runs" / row["run"])
    assert (config["steps"], config["model"]["num_images"]) == (8, 9)
    assert config["model"]["growth"] == REDUCED.fields["model.growth"]
