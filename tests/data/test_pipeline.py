"""The Grain pipeline: what a batch holds depends on the seed and its number alone."""

import numpy as np
import pytest

from iicnet_jax.data.pipeline import evaluation_indices, evaluation_samples, training_batches
from iicnet_jax.data.task import Task


class Numbers(Task):
    """Ten samples; sample i is an image full of i, and its random crop adds a random number."""

    def names(self, split):
        return [f"{split}{i}" for i in range(10)]

    def load(self, split, index):
        return (np.full((4, 4, 3), index, np.uint8),)

    def training_sample(self, images, rng):
        frames = np.stack([images[0], images[0] + rng.integers(100, 200, dtype=np.uint8)])
        return {"frames": frames, "reference": images[0]}

    def evaluation_sample(self, images):
        return {"frames": images[0][None], "reference": images[0]}


def take(count, task=None, **options):
    options = {"batch_size": 4, "seed": 0} | options
    iterator = training_batches(task or Numbers(), **options)
    return [next(iterator) for _ in range(count)]


def same(a, b):
    return all(np.array_equal(x[k], y[k]) for x, y in zip(a, b, strict=True) for k in x)


def test_batches_are_reproducible():
    assert same(take(6), take(6))


def test_another_seed_gives_other_batches():
    assert not same(take(6), take(6, seed=1))


def test_a_batch_holds_images_and_their_numbers():
    batch = take(1)[0]
    assert batch["frames"].shape == (4, 2, 4, 4, 3)
    assert batch["frames"].dtype == np.uint8
    np.testing.assert_array_equal(batch["reference"][:, 0, 0, 0], batch["index"])


def test_an_epoch_shows_every_sample_once_and_the_next_in_another_order():
    indices = np.concatenate([batch["index"] for batch in take(5)])
    assert sorted(indices[:10]) == sorted(indices[10:]) == list(range(10))
    assert indices[:10].tolist() != indices[10:].tolist()
    assert indices[:10].tolist() != sorted(indices[:10])


def test_crops_differ_between_epochs():
    batches = take(5)
    crops = {}
    for batch in batches:
        for index, frames in zip(batch["index"], batch["frames"], strict=True):
            crops.setdefault(int(index), set()).add(int(frames[1, 0, 0, 0]))
    assert sum(len(seen) for seen in crops.values()) > 10


@pytest.mark.parametrize("workers", [0, 2])
def test_any_batch_can_be_the_first(workers):
    """Also with another number of workers than before."""
    assert same(take(4, first=3, workers=workers), take(7)[3:])


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.nightly)])
def test_the_shares_of_processes_make_up_the_batch_of_one(workers):
    whole = take(5, batch_size=6, first=2)
    shares = [
        take(5, batch_size=6, first=2, workers=workers, process_index=i, process_count=3)
        for i in range(3)
    ]
    together = [
        {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
        for parts in zip(*shares, strict=True)
    ]
    assert same(together, whole)
    assert all(len(part["index"]) == 2 for share in shares for part in share)


def test_flips_and_quarter_turns_are_all_eight_and_the_same_for_all_images_of_a_sample():
    class Corner(Numbers):
        """Every pixel is different, so that a turn can be told."""

        def load(self, split, index):
            return (np.arange(27, dtype=np.uint8).reshape(3, 3, 3),)

        def training_sample(self, images, rng):
            return {"frames": np.stack([images[0], images[0] + 100]), "reference": images[0]}

    seen = set()
    for batch in take(40, Corner(), flip_rotate=True):
        for frames, reference in zip(batch["frames"], batch["reference"], strict=True):
            np.testing.assert_array_equal(frames, np.stack([reference, reference + 100]))
            assert (np.diff(reference, axis=-1) == 1).all(), "channels stay in place"
            seen.add(reference.tobytes())
    square = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    turned = [np.rot90(side, turns) for side in (square, square[:, ::-1]) for turns in range(4)]
    assert seen == {image.tobytes() for image in turned}


def test_evaluation_goes_through_the_split_in_order():
    samples = list(evaluation_samples(Numbers(), "test", [0, 3, 6]))
    assert [name for name, _ in samples] == ["test0", "test3", "test6"]
    assert [int(sample["reference"][0, 0, 0]) for _, sample in samples] == [0, 3, 6]


@pytest.mark.parametrize(
    ("limit", "indices"), [(None, range(10)), (20, range(10)), (3, [0, 3, 6]), (4, [0, 2, 5, 7])]
)
def test_a_limit_takes_evenly_spaced_samples(limit, indices):
    assert evaluation_indices(Numbers(), "test", limit) == list(indices)
