"""A few hundred damaged files; `python -m tests.media.fuzz` (or `fuzz_moving.py`) tries any."""

import pytest

from tests.media import fuzz
from tests.media import fuzz_video_gif as fuzz_moving


def test_damaged_files_end_in_a_result_or_one_line(tmp_path):
    outcomes = fuzz.run(300, seed=0, folder=tmp_path)
    assert outcomes.total() == 900
    # Both ends are reached, so that the mutations are neither harmless nor all caught by the CRC.
    assert min(outcomes.values()) > 20 and len(outcomes) == 6


@pytest.mark.parametrize(
    ("kind", "count", "operations", "least"),
    [
        ("video", 40, 3, 4),
        ("headers", 40, 3, 4),
        ("gif", 300, 2, 10),
        pytest.param("video", 100, 3, 10, marks=pytest.mark.nightly),
        pytest.param("headers", 3000, 3, 10, marks=pytest.mark.nightly),
    ],
)
def test_damaged_videos_and_gifs_do_too(tmp_path, kind, count, operations, least):
    outcomes = fuzz_moving.run(kind, count, seed=0, folder=tmp_path)
    assert outcomes.total() == operations * count
    assert min(outcomes.values()) > least and len(outcomes) == 2 * operations
