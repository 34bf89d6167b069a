"""Damaged model directories end in a network or in one line."""

import pytest

from tests.weights import fuzz_model_dir


def check(outcomes, count):
    assert outcomes.total() == 2 * count
    # Both ends are reached, so that the mutations are neither harmless nor all alike.
    assert min(outcomes.values()) > count // 50 and len(outcomes) == 4


def test_a_few(tmp_path):
    check(fuzz_model_dir.run(60, seed=0, folder=tmp_path), 60)


@pytest.mark.nightly
def test_many(tmp_path):
    check(fuzz_model_dir.run(10_000, seed=1, folder=tmp_path), 10_000)
