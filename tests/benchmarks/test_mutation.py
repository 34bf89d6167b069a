"""The sample of mutants belongs to the code as it is."""

import json
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
SAMPLE = json.loads((REPOSITORY / "benchmarks/mutants.json").read_text())


def test_modules_lines_and_tests_of_the_sample_exist():
    for module, entry in SAMPLE.items():
        lines = set(map(str.strip, (REPOSITORY / module).read_text().splitlines()))
        gone = {mutant["line"] for mutant in entry["mutants"]} - lines
        assert not gone, f"{module} has changed: edit its mutants"
        missing = [test for test in entry["tests"] if not (REPOSITORY / test).is_file()]
        assert not missing, f"{module}: edit its tests"
