"""Experiments train and are evaluated on the sample of their dataset: one of each kind, or all."""

import pytest

from experiments.supplement import ROWS, load
from tests import program
from tests.two_steps import check_experiment, check_run

# Every task, every form of down-scaling and split. The relation module, which takes longest to
# compile, once: `test_experiments.py` builds it for all experiments, as shapes.
KINDS = (
    "hide_n2",
    "stereo_no_relation",
    "dual_x4:without_relation",
    "background:without_relation",
    "composition:without_relation",
    "video_n3_down:without_relation",
    "video_n5_down:without_relation",
    "grayscale:without_relation",
    "rescale_x2:without_relation",
)


@pytest.mark.parametrize("kind", KINDS)
def test_one_of_each_kind(kind, tmp_path, monkeypatch):
    name, _, without_relation = kind.partition(":")
    fields = {"model.relation": False} if without_relation else {}
    check_experiment(name, tmp_path, monkeypatch, fields)


@pytest.mark.nightly
@pytest.mark.parametrize("name", [row[0] for row in ROWS])
def test_every_experiment(name, tmp_path, monkeypatch):
    check_experiment(name, tmp_path, monkeypatch)


def test_groups_of_ones_own(tmp_path, monkeypatch):
    sample = program.sample("DAVIS-2017")
    for sequence in (sample / "DAVIS-2017-trainval/JPEGImages/480p").iterdir():
        group = tmp_path / "groups" / sequence.name
        group.mkdir(parents=True)
        for image in sorted(sequence.iterdir())[:2]:
            (group / image.name).symlink_to(image)
    config = load("custom_folder")
    config.data.root = str(tmp_path / "groups")
    fields = {"model.num_images": 2, "model.relation": False, "model.downscaling": "none"}
    config.update_from_flattened_dict(fields)
    check_run(config, tmp_path, monkeypatch)
