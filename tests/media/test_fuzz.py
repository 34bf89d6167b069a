"""A few hundred damaged files; `python tests/media/fuzz.py` tries any number."""

import fuzz


def test_damaged_files_end_in_a_result_or_one_line(tmp_path):
    outcomes = fuzz.run(300, seed=0, folder=tmp_path)
    assert outcomes.total() == 900
    # Both ends are reached, so that the mutations are neither harmless nor all caught by the CRC.
    assert min(outcomes.values()) > 20 and len(outcomes) == 6
