"""Training images in the memory of the devices; the train step draws its crops itself.

The order of the samples is that of the host's pipeline. Crops, flips and turns have the same
distribution, and depend on the seed, the step and the place in the batch.
"""

import concurrent.futures
import dataclasses
import os
from collections.abc import Callable
from types import SimpleNamespace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from tqdm import tqdm

from iicnet_jax.core.errors import UserError
from iicnet_jax.data.cropping import CropTask, Draws
from iicnet_jax.data.task import Sample, Task
from iicnet_jax.data.tasks import TASKS

# Bytes. An image begins with a line, so that places are counted in lines, and fit 32 bits.
LINE = 256
CHANNELS = 3


class DeviceImages(NamedTuple):
    """All images of the training split, as arrays of a compiled program."""

    lines: jax.Array  # (l, LINE), uint8: pixels row by row, one image after the other
    first_lines: jax.Array  # (i,), int32: where an image begins
    sizes: jax.Array  # (i, 2), int32: its height and width
    samples: jax.Array  # (s, n), int32: numbers of the images of a sample


@dataclasses.dataclass(frozen=True)
class TrainingImages:
    """Which images a task trains on, and where they will lie.

    Attributes:
      task: whose images they are.
      paths: of every image once.
      sizes: (i, 2), their heights and widths.
      first_lines: (i,), where each begins.
      samples: (s, n), numbers of the images of every sample.
      lines: how many there are; at the end some that belong to no image.
    """

    task: CropTask
    paths: list[str]
    sizes: np.ndarray
    first_lines: np.ndarray
    samples: np.ndarray
    lines: int

    @property
    def bytes(self) -> int:
        """Of device memory that the images take."""
        return self.lines * LINE


def find(task: Task) -> TrainingImages:
    """The images of the training split; only their sizes are read.

    Raises:
      UserError: the task's samples are no crops, an image is smaller than the crop, or images of a
        sample do not fit together.
    """
    if not isinstance(task, CropTask):
        crops = [name for name, kind in TASKS.items() if issubclass(kind, CropTask)]
        raise UserError(
            f"config.data.on_device is for tasks whose samples are crops of stored images: "
            f"{', '.join(crops)}. Set it to False, and config.data.cache to True to keep decoded "
            "images in the host's memory"
        )
    of_samples = task.samples("train")
    paths = list(dict.fromkeys(path for of_sample in of_samples for path in of_sample))
    numbers = {path: number for number, path in enumerate(paths)}
    progress = tqdm(paths, desc="image sizes", unit="image", disable=None)
    sizes = np.array([task.store.size(path) for path in progress])
    samples = np.array([[numbers[path] for path in of_sample] for of_sample in of_samples])
    rng = np.random.default_rng(0)
    for of_sample, images in zip(of_samples, samples, strict=True):
        task.check(of_sample, [SimpleNamespace(shape=(*size, CHANNELS)) for size in sizes[images]])
        task.training_crops(sizes[images], rng)
    lines = -(-sizes.prod(1) * CHANNELS // LINE)
    # A crop of the last image may look at as many lines as its longest row has, and one more.
    behind = int(sizes[:, 1].max()) * CHANNELS // LINE + 2
    return TrainingImages(
        task, paths, sizes, np.cumsum(lines) - lines, samples, int(lines.sum()) + behind
    )


def require_memory(images: TrainingImages, devices) -> None:
    """Raises UserError where the images do not fit a device, if that says what it has."""
    for device in devices:
        memory = device.memory_stats() or {}  # CPUs have none
        if "bytes_limit" not in memory:
            continue
        free = memory["bytes_limit"] - memory.get("bytes_in_use", 0)
        if images.bytes > free:
            raise UserError(
                f"the {len(images.paths)} training images take {images.bytes / 1e9:.2f} GB of "
                f"memory, and {device.device_kind} has {free / 1e9:.2f} GB free: set "
                "config.data.on_device to False (config.data.cache keeps decoded images in the "
                "host's memory)"
            )


def load(images: TrainingImages, mesh: Mesh) -> DeviceImages:
    """Decodes the images, and puts a copy on every device.

    Raises:
      UserError: an image is missing or broken.
    """
    lines = np.zeros((images.lines, LINE), np.uint8)
    pixels = lines.reshape(-1)

    def read(number):
        path, size = images.paths[number], images.sizes[number]
        image = np.asarray(images.task.store.read(path))
        if image.shape[:2] != tuple(size):
            raise UserError(
                f"{path} has {image.shape[0]}x{image.shape[1]} pixels, but says "
                f"{size[0]}x{size[1]} in front of them: save it anew"
            )
        begin = images.first_lines[number] * LINE
        pixels[begin : begin + image.size] = image.reshape(-1)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as threads:
        read_all = threads.map(read, range(len(images.paths)))
        for _ in tqdm(read_all, "images", len(images.paths), unit="image", disable=None):
            pass
    everywhere = NamedSharding(mesh, PartitionSpec())
    tables = (images.first_lines, images.sizes, images.samples)
    arrays: list[np.ndarray] = [lines, *(table.astype(np.int32) for table in tables)]
    return DeviceImages(
        *(
            jax.make_array_from_callback(array.shape, everywhere, array.__getitem__)
            for array in arrays
        )
    )


def make_draw(task: CropTask, *, flip_rotate: bool) -> Callable:
    """Returns `draw(images, indices, key) -> batch`, to be compiled.

    `indices` (b,) are numbers of samples. The batch holds `frames` and `reference`, uint8, as one
    of the host's pipeline.
    """

    def draw_one(images: DeviceImages, index, key):
        rng = KeyDraws(key)
        sample = draw_sample(task, images, index, rng)
        if flip_rotate:
            turn = rng.integers(4), rng.integers(2)
            return {name: _turn(image, *turn) for name, image in sample.items()}
        return sample

    def draw(images: DeviceImages, indices, key):
        keys = jax.random.split(key, len(indices))
        return jax.vmap(draw_one, (None, 0, 0))(images, indices, keys)

    return draw


def draw_sample(task: CropTask, images: DeviceImages, index, rng: Draws) -> Sample:
    """The training sample of that number, cut where `rng` says."""
    numbers = images.samples[index]
    sizes = images.sizes[numbers]
    places = task.training_crops(sizes, rng)
    patches = [
        _cut(images, number, size[1], *place)
        for number, size, place in zip(numbers, sizes, places, strict=True)
    ]
    return task.sample(patches)


class KeyDraws:
    """`Draws` of a JAX key; to be used up while one function is traced."""

    def __init__(self, key: jax.Array):
        self._key = key

    def integers(self, high):
        self._key, key = jax.random.split(self._key)
        return jax.random.randint(key, (), 0, high)


def _cut(images: DeviceImages, number, image_width, top, left, height: int, width: int):
    """A rectangle (height, width, 3) of the image of that number."""
    length = width * CHANNELS
    touched = (length + LINE - 2) // LINE + 1  # at most, by a row of the rectangle

    def row(begin):
        line = images.first_lines[number] + begin // LINE
        window = jax.lax.dynamic_slice(images.lines, (line, 0), (touched, LINE)).reshape(-1)
        return jax.lax.dynamic_slice(window, (begin % LINE,), (length,))

    begins = ((top + jnp.arange(height)) * image_width + left) * CHANNELS
    return jax.vmap(row)(begins).reshape(height, width, CHANNELS)


def _turn(images, quarter_turns, flip):
    """Images (..., s, s, c) flipped left to right and then turned, as in pipeline.py."""
    images = jnp.where(flip == 1, images[..., ::-1, :], images)
    images = jnp.where(quarter_turns >= 2, images[..., ::-1, ::-1, :], images)
    return jnp.where(quarter_turns % 2 == 1, jnp.rot90(images, axes=(-3, -2)), images)
