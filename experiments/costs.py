"""What a method costs beside its quality: parameters, arithmetic, time, and bytes of its files."""

import statistics
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from ml_collections import ConfigDict
from PIL import Image

from experiments.workdirs import Workdir
from iicnet_jax.core import json_files
from iicnet_jax.core.files import write_json
from iicnet_jax.experiment import build
from iicnet_jax.experiment.workdir import environment
from iicnet_jax.inference.tiling import WHOLE, Tiled
from iicnet_jax.models.abstract import abstract_network
from iicnet_jax.models.baselines.low_bits import LowBits
from iicnet_jax.weights.model_dir import IN_WORKDIR, read_model

FILE = "costs.json"  # below a run
SIDE = 512  # pixels at most, of the images that are timed
COUNTED_SIDE = 64  # of those whose arithmetic is counted
REPEATS = 3
_FORM = {"seconds_per_megapixel": json_files.NUMBER, "devices": [str], "date": str}


def count(config: ConfigDict) -> tuple[int, float]:
    """Parameters, and floating-point operations a pixel of an image, there and back.

    As XLA counts them in the program that it is given. A network restores all images of a group,
    so that the operations are those for one pixel of each.
    """
    fields = config.copy_and_resolve_references()
    fields.loop = "unroll"  # XLA counts the body of a loop once
    graph, params = nnx.split(abstract_network(build.create_model, fields), nnx.Param)
    size = (COUNTED_SIDE, COUNTED_SIDE)
    frames = jax.ShapeDtypeStruct((1, fields.model.num_images, *size, 3), jnp.float32)

    def there_and_back(params, frames):
        network = nnx.merge(graph, params)
        return network.restore(network.embed(frames), size)

    flops = jax.jit(there_and_back).lower(params, frames).cost_analysis()["flops"]
    return sum(leaf.size for leaf in jax.tree.leaves(params)), flops / COUNTED_SIDE**2


def time_run(folder: Path, config: ConfigDict) -> None:
    """Times the method of an evaluated run on this machine, and notes that in its folder.

    The pictures of a test sample, there and back through 8 bits, all arrays in the host's memory;
    the median of three.
    """
    method = (
        Tiled(read_model(folder / IN_WORKDIR).network, tile=WHOLE)
        if build.learns(config)
        else LowBits(**config.model)
    )
    run = Workdir(folder)
    inputs = run.sample(run.samples[0]).inputs
    frames = np.stack([np.asarray(image)[:SIDE, :SIDE] for image in inputs])
    size = frames.shape[1:3]
    seconds = []
    for _ in range(1 + REPEATS):  # the first compiles
        begin = time.perf_counter()
        method.restore(method.embed(frames, np.uint8), size)
        seconds.append(time.perf_counter() - begin)
    each = statistics.median(seconds[1:]) / (size[0] * size[1] / 1e6)
    noted = environment()
    write_json(
        folder / FILE,
        {
            "seconds_per_megapixel": each,
            "devices": noted["devices"],
            "date": noted["date"],
        },
    )


def read_time(folder: Path) -> dict | None:
    """What `time_run` has noted. Raises UserError if the file is damaged."""
    try:
        return json_files.read(folder / FILE, _FORM)
    except FileNotFoundError:
        return None


def png_bytes_per_pixel(folder: Path) -> float | None:
    """Mean over a run's kept embeddings of the bytes of the PNG by the pixels of an image."""
    sizes = []
    for embedding in sorted(folder.glob("samples/*/embedding.png")):
        with Image.open(embedding.with_name("input_00.png")) as image:
            sizes.append(embedding.stat().st_size / (image.width * image.height))
    return statistics.fmean(sizes) if sizes else None
