"""Every experiment on videos trains and evaluates on the sample; in a file of its own, because
tests of different files run at the same time."""

import pytest

from experiments.supplement import ROWS
from tests.two_steps import check_experiment


@pytest.mark.parametrize("name", [row[0] for row in ROWS if row[-1] == "video"])
def test_two_steps_and_an_evaluation(name, tmp_path, monkeypatch):
    check_experiment(name, tmp_path, monkeypatch)
