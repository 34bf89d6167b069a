"""Quality against time of the bundled models for lossless files, and of the first of their name.

    python docs/pictures/tradeoff.py --data=runs/photographs -o docs/pictures/tradeoff.svg

A line for each model, from that of the first release, if there was one, to today's. Time: seconds
of processor for a megapixel there and back, of the second of two random pictures of that size.
Quality: the mean PSNR of embedding and restored pictures (hidden ones only, where there are
several) over the test pictures of the model's configuration, from embeddings of 8 bits. Prints both
as a Markdown table.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from curves import chart

from experiments.bundled import LOSSLESS, configuration, measure
from iicnet_jax import bundled
from iicnet_jax.core import console
from iicnet_jax.core.files import typed_path, write_text
from iicnet_jax.evaluation import tables
from iicnet_jax.inference.codec import load

SIDE = 1000


def main():
    parser = argparse.ArgumentParser("docs/pictures/tradeoff.py", description=__doc__)
    parser.add_argument("--data", type=typed_path, required=True, help="of experiments.photographs")
    parser.add_argument("-o", "--output", type=Path, required=True, help="SVG file")
    arguments = parser.parse_args()
    rows, series = [], {}
    with console.exit_on_user_error():
        robust = bundled.surviving("jpeg")
        for name, folder in bundled.folders().items():
            if name in robust:
                continue
            first = bundled.earlier().get(f"{name}-1")
            config = configuration(name, arguments.data)
            for model in [first, folder] if first else [folder]:
                seconds = seconds_a_megapixel(model)
                psnrs = measure(model, config, (LOSSLESS,))[LOSSLESS]
                quality = (psnrs["embedding"] + psnrs["restored"]) / 2
                series.setdefault(name, []).append((seconds, quality))
                values = seconds, psnrs["embedding"], psnrs["restored"]
                rows.append([model.name, *(f"{value:.1f}" for value in values)])
        label = "seconds of processor a megapixel, there and back"
        svg = chart(series, x_label=label, y_label="mean PSNR in dB")
        write_text(arguments.output, svg)
    print(tables.markdown(["model", "s a megapixel", "embedding", "restored"], rows))


def seconds_a_megapixel(folder: Path) -> float:
    """There and back, as a person's picture goes: tiled, uint8, compiled already."""
    codec = load(folder)
    shape = (codec.network.num_images, SIDE, SIDE, 3)
    for seed in range(2):
        pictures = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
        begin = time.process_time()
        codec.restore(codec.embed(pictures), (SIDE, SIDE))
        seconds = time.process_time() - begin
    return seconds * 1e6 / SIDE**2


if __name__ == "__main__":
    main()
