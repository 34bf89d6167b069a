"""DIV2K for invertible rescaling: splits, pairs, aligned crops, and what may be wrong with it."""

import numpy as np
import pytest

from iicnet_jax.core.errors import UserError
from iicnet_jax.data.storage import FolderStore
from iicnet_jax.data.tasks.rescaling import Rescaling
from tests.div2k import png, write_tree
from tests.memory_store import MemoryStore


def rescaling(root, crop=4):
    return Rescaling(FolderStore(root, Rescaling.DATASET), crop)


def pair(height, width):
    """A small image whose pixels tell their place, and one of twice its size."""
    low = np.stack(np.broadcast_arrays(*np.indices((height, width)), 0), axis=-1).astype(np.uint8)
    return low, low.repeat(2, axis=0).repeat(2, axis=1)


def test_training_images_train_and_validation_images_test(tmp_path):
    task = rescaling(write_tree(tmp_path, scale=2))
    train, test = task.names("train"), task.names("test")
    assert (len(train), train[0], train[-1]) == (800, "0001", "0800")
    assert (len(test), test[0], test[-1]) == (100, "0801", "0900")
    assert task.names("validation") == test
    sample = task.evaluation_sample(task.load("test", 3))
    assert sample["frames"].shape == (1, 12, 10, 3) and sample["reference"].shape == (6, 5, 3)


def test_crops_show_the_same_content():
    low, high = pair(20, 30)
    task = Rescaling(MemoryStore({}, Rescaling.DATASET), crop=12)
    rng = np.random.default_rng(0)
    corners = set()
    for _ in range(300):
        sample = task.training_sample((low, high), rng)
        (frame,), reference = sample["frames"], sample["reference"]
        assert reference.shape == (6, 6, 3)
        np.testing.assert_array_equal(frame, reference.repeat(2, axis=0).repeat(2, axis=1))
        corners.add(tuple(reference[0, 0, :2].tolist()))
    assert {row for row, _ in corners} == set(range(15))
    assert {column for _, column in corners} == set(range(25))


def test_evaluation_cuts_to_twice_the_reference():
    low, high = pair(20, 30)
    longer = np.pad(high, ((0, 1), (0, 1), (0, 0)), constant_values=99)
    sample = Rescaling(MemoryStore({}, Rescaling.DATASET), crop=12).evaluation_sample((low, longer))
    np.testing.assert_array_equal(sample["frames"], high[None])
    np.testing.assert_array_equal(sample["reference"], low)


def test_crops_stay_inside_an_image_that_is_shorter_than_twice_the_reference():
    """Reduction of an odd side can round up."""
    low, high = pair(7, 7)
    task = Rescaling(MemoryStore({}, Rescaling.DATASET), crop=12)
    for seed in range(10):
        sample = task.training_sample((low, high[:13, :13]), np.random.default_rng(seed))
        assert sample["frames"].shape == (1, 12, 12, 3)
        assert tuple(sample["reference"][0, 0, :2]) == (0, 0)


def test_an_odd_crop_is_an_error():
    with pytest.raises(UserError, match=r"config\.data\.crop must be even for rescaling, not 143"):
        Rescaling(MemoryStore({}, Rescaling.DATASET), crop=143)


def test_a_crop_larger_than_an_image_is_an_error():
    with pytest.raises(UserError, match="7x7 is smaller than the crop of 8x8"):
        Rescaling(MemoryStore({}, Rescaling.DATASET), crop=16).training_sample(
            pair(7, 7), np.random.default_rng(0)
        )


def test_what_is_missing_or_wrong_is_named(tmp_path):
    with pytest.raises(UserError, match=r"LR_bicubic/X2 does not exist: .*data\.vision\.ee"):
        rescaling(tmp_path).names("train")
    root = write_tree(tmp_path, scale=2)
    (root / "DIV2K_valid_HR" / "0802.png").write_bytes(png(14, 10))
    with pytest.raises(UserError, match=r"0802\.png \(14x10\) is not 2 times"):
        rescaling(root).load("test", 1)
    (root / "DIV2K_train_HR" / "0400.png").unlink()
    with pytest.raises(UserError, match="799 PNG files instead of 800"):
        rescaling(root).names("train")
