"""Tests of the models may not mix dtypes."""

import pytest


@pytest.fixture(autouse=True)
def _strict(strict_dtypes):
    """Every test of this folder is strict."""
