"""The Grain pipeline: from a task to shuffled batches, the same for any number of workers.

What a batch holds depends on the seed and its number alone, not on timing, workers or the number
of processes. So the number of the next batch is all that a run needs to go on where it stopped.
"""

import dataclasses
from collections.abc import Iterator, Sequence

import grain
import numpy as np
from absl import flags

from iicnet_jax.data.task import Sample, Task


@dataclasses.dataclass(frozen=True)
class _Split:
    """A split of a task as a Grain data source of (index, images)."""

    task: Task
    split: str

    def __len__(self):
        return len(self.task.names(self.split))

    def __getitem__(self, index):
        return index, self.task.load(self.split, int(index))


@dataclasses.dataclass(frozen=True)
class _RandomCrop(grain.transforms.RandomMap):
    """The task's training crop; the random generator is Grain's, one a sample."""

    task: Task

    def random_map(self, element, rng: np.random.Generator):
        index, images = element
        return {**self.task.training_sample(images, rng), "index": np.int64(index)}


class _FlipRotate(grain.transforms.RandomMap):
    """One of the eight flips and quarter turns of a square, the same for all images."""

    def random_map(self, element, rng: np.random.Generator):
        quarter_turns, flip = int(rng.integers(4)), bool(rng.integers(2))
        return {
            **element,
            **{key: _turn(element[key], quarter_turns, flip) for key in Sample.__annotations__},
        }


def _turn(images: np.ndarray, quarter_turns: int, flip: bool) -> np.ndarray:
    """Images (..., h, w, c) flipped left to right and then turned."""
    turned = np.rot90(images[..., ::-1, :] if flip else images, quarter_turns, axes=(-3, -2))
    return np.ascontiguousarray(turned)


def training_batches(
    task: Task,
    *,
    batch_size: int,
    seed: int,
    flip_rotate: bool = False,
    workers: int = 0,
    images: bool = True,
    first: int = 0,
    process_index: int = 0,
    process_count: int = 1,
) -> grain.DatasetIterator:
    """An endless iterator over batches of random crops, in an order shuffled anew every epoch.

    Every batch is a dictionary of uint8 `frames` (b, n, h, w, 3) and `reference` (b, h', w', k),
    and `index` (b,), the sample's number in the split. `flip_rotate` turns every sample at random.
    With `workers`, so many processes decode; otherwise threads do. Without `images`, batches hold
    the same indices and nothing else (`on_device.py` has the images). `first` is the number of the
    batch to begin with, from 0.

    Of several processes, each gets an equal part of every batch; the parts in the processes' order
    are the batch that one process would get. `batch_size` must be a multiple of `process_count`.
    """
    split = _Split(task, "train")
    source = grain.MapDataset.source(split if images else range(len(split)))
    samples = source.seed(seed).shuffle().repeat()
    if not images:
        samples = samples.map(lambda index: {"index": np.int32(index)})
    else:
        samples = samples.random_map(_RandomCrop(task))
        if flip_rotate:
            samples = samples.random_map(_FlipRotate())
    parts = samples.batch(batch_size // process_count, drop_remainder=True)
    ours = slice(first * process_count + process_index, None, process_count)
    dataset = parts.slice(ours).to_iter_dataset()
    if workers:
        # Grain's processes read absl flags; outside of an absl program these are the defaults.
        if not flags.FLAGS.is_parsed():
            flags.FLAGS.mark_as_parsed()
        dataset = dataset.mp_prefetch(grain.MultiprocessingOptions(num_workers=workers))
    return iter(dataset)


def evaluation_indices(task: Task, split: str, limit: int | None = None) -> Sequence[int]:
    """Numbers of the samples that are evaluated.

    All of a split, or `limit` of them, evenly spaced: neighbours may be frames of one video.
    """
    total = len(task.names(split))
    count = total if limit is None else min(limit, total)
    return [number * total // count for number in range(count)]


def evaluation_samples(
    task: Task, split: str, indices: Sequence[int]
) -> Iterator[tuple[str, Sample]]:
    """Yields (name, Sample) for samples of a split, whole images."""
    names = task.names(split)
    for index in indices:
        yield names[index], task.evaluation_sample(task.load(split, index))
