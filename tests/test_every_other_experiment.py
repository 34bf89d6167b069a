"""Every experiment that is not on videos trains and evaluates on the sample of its dataset."""

import pytest

from experiments.supplement import ROWS, load
from iicnet_jax.data.sample import write_sample
from tests.two_steps import check_experiment, check_run


@pytest.mark.parametrize("name", [row[0] for row in ROWS if row[-1] != "video"])
def test_two_steps_and_an_evaluation(name, tmp_path, monkeypatch):
    check_experiment(name, tmp_path, monkeypatch)


def test_two_steps_and_an_evaluation_on_groups_of_ones_own(tmp_path, monkeypatch):
    sample = write_sample(tmp_path, ["DAVIS-2017"])["DAVIS-2017"]
    for sequence in (sample / "DAVIS-2017-trainval/JPEGImages/480p").iterdir():
        group = tmp_path / "groups" / sequence.name
        group.mkdir(parents=True)
        for image in sorted(sequence.iterdir())[:3]:
            (group / image.name).write_bytes(image.read_bytes())
    config = load("custom_folder")
    config.data.root = str(tmp_path / "groups")
    check_run(config, tmp_path, monkeypatch)
