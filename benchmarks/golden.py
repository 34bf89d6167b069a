"""How far this device, in every precision, is from the recorded numbers of the authors' code.

    python -m benchmarks.golden --out=golden.json

The networks are those of tests/golden, with the tests' computations (tests/golden_networks.py).
`feature maps`: the largest absolute difference of any stage computed from the recorded one before
it. `embedding` and `restored`: the same of these two alone, in grey levels. `losses`: the largest
relative difference of a loss term in three optimiser steps; `gradient`: that of the gradient's norm
in the first. The tests, in float32 on a CPU, allow 2e-5, 0.005 grey levels, 1e-4 and 1e-3.

Results are written after every row: the precisions of one network, then the next network.
"""

import argparse
import itertools
from pathlib import Path

import numpy as np

from benchmarks import report, timing
from iicnet_jax.inference.tiling import PEAK
from iicnet_jax.models.execution import PRECISIONS, Execution, set_execution
from tests.golden_networks import FILES, STAGES, TERMS, Golden, stage_outputs, training_run

# First the one that is most like the paper's networks.
NETWORKS = sorted((path.stem for path in FILES), key=lambda name: name != "n3_relation")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", nargs="*", default=NETWORKS, choices=NETWORKS)
    parser.add_argument("--precisions", nargs="*", default=PRECISIONS, choices=PRECISIONS)
    parser.add_argument("--out", type=Path, help="JSON file with all results")
    arguments = parser.parse_args()

    rows = []
    for name, precision in itertools.product(arguments.networks, arguments.precisions):
        rows.append({"network": name, "precision": precision, **deviations(name, precision)})
        if arguments.out:
            report.write(arguments.out, timing.settings(arguments), rows)
    print(report.table(rows))


def deviations(name: str, precision: str) -> dict[str, float]:
    """The columns of one network in one precision, see above."""
    (path,) = (path for path in FILES if path.stem == name)
    golden = Golden(path)
    network = golden.network()
    set_execution(network, Execution(precision=precision))
    outputs = stage_outputs(golden, network)
    of_stages = {stage: _largest(outputs[stage], golden.stage(stage)) for stage in STAGES}
    reports, _, _ = training_run(golden, network)
    losses = [[step[f"loss_{term}"] for term in TERMS] for step in reports]
    return {
        "feature maps": max(of_stages.values()),
        "embedding": PEAK * of_stages["embedding"],
        "restored": PEAK * of_stages["restored"],
        "losses": _largest_relative(losses, golden.arrays["losses"]),
        "gradient": _largest_relative(
            reports[0]["gradient_norm"], golden.arrays["grad_norm_total"]
        ),
    }


def _largest(values, expected):
    return float(np.abs(np.asarray(values) - expected).max())


def _largest_relative(values, expected):
    scale = np.where(expected == 0, 1, expected)  # a term without weight is exactly 0
    return float(np.abs((values - expected) / scale).max())


if __name__ == "__main__":
    main()
