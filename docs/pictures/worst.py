"""The worst of a bundled model's test pictures: python docs/pictures/worst.py MODEL -o OUT.jpg

Of the test samples of the model's configuration, the one whose restored pictures (hidden ones only,
where there are several) have the lowest PSNR: inputs, embedding, restored pictures and errors times
ten, the embedding rounded to 8 bits. Prints the PSNR of all samples.
"""

import argparse
from pathlib import Path

from PIL import Image

from experiments.bundled import configuration
from iicnet_jax import bundled
from iicnet_jax.core import console
from iicnet_jax.core.files import typed_path
from iicnet_jax.data import create_task
from iicnet_jax.data.pipeline import evaluation_indices, evaluation_samples
from iicnet_jax.evaluation.metrics import psnr
from iicnet_jax.evaluation.pictures import overview
from iicnet_jax.inference.codec import load


def main():
    parser = argparse.ArgumentParser("docs/pictures/worst.py", description=__doc__)
    parser.add_argument("model", choices=list(bundled.folders()))
    parser.add_argument("--data", type=typed_path, default="runs/photographs")
    parser.add_argument("-o", "--output", type=Path, required=True, help="JPEG file")
    arguments = parser.parse_args()
    with console.exit_on_user_error():
        config = configuration(arguments.model, arguments.data)
        task, codec = create_task(config.data, config.model), load(arguments.model)
        found = []
        indices = evaluation_indices(task, "test", config.evaluation.limit)
        for name, sample in evaluation_samples(task, "test", indices):
            frames = sample["frames"]
            embedding = codec.embed(frames)
            restored = codec.restore(embedding, frames.shape[1:3])
            hidden = slice(1, None) if len(frames) > 1 else slice(None)
            values = psnr(embedding, sample["reference"]), psnr(restored[hidden], frames[hidden])
            print(f"{name}: embedding {values[0]:.1f} dB, restored {values[1]:.1f} dB")
            found.append((values[1], sample, embedding, restored))
        _, *worst = min(found, key=lambda each: each[0])
        Image.fromarray(overview(*worst)).save(arguments.output, quality=85, optimize=True)


if __name__ == "__main__":
    main()
