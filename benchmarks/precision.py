"""What the precision of the convolutions costs in quality.

    python -m benchmarks.precision --model=MODEL FOLDER [FOLDER ...]

Every folder holds the pictures of one group, in alphabetical order; more than the network takes
are left out. A group is embedded, rounded to 8 bit and restored with the same weights in every
precision. Printed are means over groups: the PSNR of the restored pictures and its difference from
float32's, in dB, and the mean distance of the 8-bit results from float32's, in grey levels. A
processor without the named precision computes in one that it has; CPUs have no tensorfloat32.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from benchmarks import report
from iicnet_jax.cli.pictures import SUFFIXES
from iicnet_jax.core.errors import UserError
from iicnet_jax.evaluation.metrics import psnr
from iicnet_jax.inference.codec import load
from iicnet_jax.inference.tiling import Tiled
from iicnet_jax.media.picture_file import read_group
from iicnet_jax.models.execution import PRECISIONS, Execution, set_execution


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True, help="as for the `iicnet` command")
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--precisions", type=lambda names: names.split(","), default=PRECISIONS)
    parser.add_argument("--out", type=Path, help="JSON file with all results")
    arguments = parser.parse_args()

    try:
        model = load(arguments.model).network
        groups = [
            read_group(_pictures(folder, model.num_images))[0] for folder in arguments.folders
        ]
    except UserError as error:
        sys.exit(f"error: {error}")
    rows, exact = [], None
    for precision in ("float32", *(p for p in arguments.precisions if p != "float32")):
        set_execution(model, Execution(precision=precision))
        results = [round_trip(model, frames) for frames in tqdm(groups, precision, disable=None)]
        exact = exact or results
        pairs = list(zip(results, exact, strict=True))
        rows.append(
            {
                "precision": precision,
                "restored dB": _psnr(results, groups),
                "difference": _psnr(results, groups) - _psnr(exact, groups),
                "embedding levels": _distance([(ours[0], theirs[0]) for ours, theirs in pairs]),
                "restored levels": _distance([(ours[1], theirs[1]) for ours, theirs in pairs]),
            }
        )
    print(f"\n{report.table(rows)}")
    if arguments.out:
        settings = {name: str(value) for name, value in vars(arguments).items()}
        report.write(arguments.out, settings, rows)


def round_trip(model, frames):
    """The 8-bit embedding of a group and the pictures restored from it."""
    tiled = Tiled(model)
    embedding = tiled.embed(frames, np.uint8)
    return embedding, tiled.restore(embedding, frames.shape[1:3])


def _pictures(folder, count):
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)[:count]
    if len(files) < count:
        raise SystemExit(f"error: {folder} holds {len(files)} pictures; the model takes {count}")
    return files


def _psnr(results, groups):
    """Mean over groups and pictures."""
    pairs = [
        pair
        for (_, restored), frames in zip(results, groups, strict=True)
        for pair in zip(restored, frames, strict=True)
    ]
    return float(np.mean([psnr(*pair) for pair in pairs]))


def _distance(pairs):
    """Mean absolute difference of 8-bit images."""
    differences = [np.abs(a.astype(np.float32) - b).mean() for a, b in pairs]
    return float(np.mean(differences))


if __name__ == "__main__":
    main()
