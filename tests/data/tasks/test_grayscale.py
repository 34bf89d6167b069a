"""VOC2012 for invertible grayscale: splits, references, crops, and what may be wrong with it."""

import numpy as np
import pytest

from iicnet_jax.core.errors import UserError
from iicnet_jax.data.storage import FolderStore
from iicnet_jax.data.tasks.grayscale import FOLDER, Grayscale
from iicnet_jax.imaging.colour import luma
from tests.memory_store import MemoryStore

NOISE = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)


def path(number):
    return f"{FOLDER}/2007_{number:06d}.jpg"


def voc(small=()):
    """As many images as are published; `small` holds the sizes of some by number."""
    sizes = dict.fromkeys(range(Grayscale.DATASET.counts["images"]), (144, 200))
    images = {path(number): size for number, size in (sizes | dict(small)).items()}
    return MemoryStore(images, Grayscale.DATASET)


def test_the_first_images_train_and_the_others_test():
    task = Grayscale(voc(), crop=144)
    train, test = task.names("train"), task.names("test")
    assert (len(train), train[0], train[-1]) == (13758, "2007_000000", "2007_013757")
    assert (len(test), test[0], test[-1]) == (17125 - 13758, "2007_013758", "2007_017124")
    assert task.names("validation") == test


def test_images_with_a_short_side_are_dropped_before_the_split():
    task = Grayscale(voc(small={1: (143, 500), 7: (500, 143), 17000: (10, 10)}), crop=144)
    train, test = task.names("train"), task.names("test")
    assert train[:2] == ["2007_000000", "2007_000002"] and "2007_000007" not in train
    assert (len(train), train[-1], len(test)) == (13758, "2007_013759", 17125 - 13758 - 3)


def test_sizes_are_read_once():
    store = voc()
    task = Grayscale(store, crop=144)
    for split in ("train", "test", "train"):
        task.names(split)
        task.load(split, 0)
    assert store.sizes_read == Grayscale.DATASET.counts["images"]


def test_the_reference_is_the_rounded_luma():
    colours = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [1, 1, 1], [4, 0, 0], [0, 1, 8], [255] * 3]
    grey = luma(np.array([colours], np.uint8))
    # 76.245, 149.685, 29.07, 1, 1.196, 1.499, 255
    assert grey.shape == (1, 7, 1)
    assert grey.ravel().tolist() == [76, 150, 29, 1, 1, 1, 255]
    assert luma(np.array([[[5, 5, 140]]], np.uint8)).item() == 20  # 20.39
    assert luma(np.array([[[10, 20, 0]]], np.uint8)).item() == 15  # 14.73
    assert luma(np.array([[[0, 0, 250]]], np.uint8)).item() == 29  # 28.5: halves up


def test_evaluation_takes_the_whole_image():
    sample = Grayscale(MemoryStore({}, Grayscale.DATASET), crop=8).evaluation_sample((NOISE,))
    np.testing.assert_array_equal(sample["frames"], NOISE[None])
    np.testing.assert_array_equal(sample["reference"], luma(NOISE))


def test_training_crops_image_and_reference_alike():
    task = Grayscale(MemoryStore({}, Grayscale.DATASET), crop=8)
    rng = np.random.default_rng(0)
    places = set()
    windows = np.lib.stride_tricks.sliding_window_view(NOISE, (8, 8, 3))[:, :, 0]
    for _ in range(20):
        sample = task.training_sample((NOISE,), rng)
        assert sample["frames"].shape == (1, 8, 8, 3)
        np.testing.assert_array_equal(sample["reference"], luma(sample["frames"][0]))
        (place,) = np.argwhere((windows == sample["frames"]).all(axis=(2, 3, 4)))
        places.add(tuple(place.tolist()))
    assert len(places) > 15


def test_a_missing_folder_says_how_to_get_the_dataset(tmp_path):
    task = Grayscale(FolderStore(tmp_path, Grayscale.DATASET), crop=144)
    with pytest.raises(UserError, match=r"VOC2012/JPEGImages does not exist: .*robots\.ox"):
        task.names("train")


def test_an_incomplete_dataset_is_named():
    store = voc()
    del store.images[path(5)]
    with pytest.raises(UserError, match=r"holds 17124 JPG files instead of 17125: .*robots\.ox"):
        Grayscale(store, crop=144).names("test")


def test_a_broken_image_is_named(tmp_path):
    (tmp_path / FOLDER).mkdir(parents=True)
    for number in range(3):
        (tmp_path / path(number)).write_bytes(b"\xff\xd8 no image")
    store = FolderStore(tmp_path, Grayscale.DATASET)
    with pytest.raises(UserError, match=r"2007_000002\.jpg is (damaged|not a picture)"):
        store.size(path(2))
