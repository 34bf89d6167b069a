"""Flickr1024 as its publishers lay it out: splits, pairs, crops, and what may be wrong with it."""

import numpy as np
import pytest

from configs.base import get_config
from iicnet_jax.core.errors import UserError
from iicnet_jax.data.storage import FolderStore
from iicnet_jax.data.tasks import create_task
from iicnet_jax.data.tasks.stereo import Stereo
from iicnet_jax.imaging.resizing import halve
from tests.div2k import png

NUMBERS = {
    "Train_1": range(1, 201),
    "Train_2": range(201, 401),
    "Train_3": range(401, 601),
    "Train_4": range(601, 801),
    "Validation": range(1, 113),
    "Test": range(1, 113),
}


def stereo(root, crop=4):
    return Stereo(FolderStore(root, Stereo.DATASET), 2, crop)


def write_tree(root):
    """All left views are alike, and so are all right ones, which are larger."""
    left, right = png(6, 5), png(7, 8, seed=1)
    for folder, numbers in NUMBERS.items():
        (root / folder).mkdir()
        for number in numbers:
            (root / folder / f"{number:04d}_L.png").write_bytes(left)
            (root / folder / f"{number:04d}_R.png").write_bytes(right)
    return root


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """To be read only."""
    return write_tree(tmp_path_factory.mktemp("flickr1024"))


def test_splits_are_the_official_ones(tree):
    task = stereo(tree)
    assert task.names("train") == [f"{number:04d}" for number in range(1, 801)]
    for split, folder in (("validation", "Validation"), ("test", "Test")):
        assert task.names(split) == [f"{number:04d}" for number in range(1, 113)]
        assert task.samples(split)[4] == (f"{folder}/0005_L.png", f"{folder}/0005_R.png")
    assert task.samples("train")[200] == ("Train_2/0201_L.png", "Train_2/0201_R.png")


def test_the_left_view_comes_first_and_both_are_cut_to_the_common_size(tree):
    task = stereo(tree)
    left, right = task.load("test", 3)
    assert (left.shape, right.shape) == ((6, 5, 3), (7, 8, 3))
    sample = task.evaluation_sample((left, right))
    np.testing.assert_array_equal(sample["frames"], np.stack([left, right[:6, :5]]))
    np.testing.assert_array_equal(sample["reference"], left)


@pytest.mark.parametrize("larger", [0, 1])
def test_both_views_are_cropped_at_the_same_place_of_the_common_part(tmp_path, larger):
    """A pixel says where it comes from and in which view it is."""
    place = np.stack(np.broadcast_arrays(*np.indices((23, 35)), 0), axis=-1).astype(np.uint8)
    views = [place[:20, :30], place[:20, :30]]
    views[larger] = place
    views[1] = views[1] + np.array([0, 0, 1], np.uint8)
    task, rng, corners = stereo(tmp_path, crop=8), np.random.default_rng(0), set()
    for _ in range(400):
        sample = task.training_sample(tuple(views), rng)
        left, right = sample["frames"]
        assert left.shape == (8, 8, 3)
        np.testing.assert_array_equal(sample["reference"], left)
        np.testing.assert_array_equal(right - left, np.broadcast_to([0, 0, 1], (8, 8, 3)))
        assert left[0, 0, 2] == 0
        corners.add(tuple(left[0, 0, :2].tolist()))
    assert {top for top, _ in corners} == set(range(13))
    assert {left for _, left in corners} == set(range(23))


@pytest.mark.parametrize("training", [False, True])
def test_with_down_scaling_the_reference_is_half_as_large(tmp_path, training):
    rng = np.random.default_rng(0)
    views = tuple(rng.integers(0, 256, (11, width, 3), dtype=np.uint8) for width in (13, 15))
    task = Stereo(FolderStore(tmp_path, Stereo.DATASET), 2, crop=9, scale=2)
    sample = task.training_sample(views, rng) if training else task.evaluation_sample(views)
    assert sample["frames"].shape == ((2, 8, 8, 3) if training else (2, 10, 12, 3))
    np.testing.assert_array_equal(sample["reference"], halve(sample["frames"][0]))


def test_the_configuration_gives_root_and_crop(tmp_path):
    config = get_config()
    config.data.update(task="stereo", root=str(tmp_path), crop=96)
    task = create_task(config.data, config.model)
    assert (task.store.root, task.crop) == (tmp_path, 96)


def test_a_missing_folder_says_how_to_get_the_dataset(tmp_path):
    with pytest.raises(UserError, match=r"Train_1 does not exist: .*yingqianwang"):
        stereo(tmp_path).names("train")


def test_a_left_view_without_its_right_one_is_named(tmp_path):
    root = write_tree(tmp_path)
    (root / "Train_3" / "0432_R.png").unlink()
    with pytest.raises(
        UserError, match=r"Train_3/0432_L\.png has no 0432_R\.png beside it: .*yingqianwang"
    ):
        stereo(root).names("train")


def test_an_incomplete_dataset_is_an_error(tmp_path):
    root = write_tree(tmp_path)
    (root / "Train_4" / "0800_L.png").unlink()
    with pytest.raises(
        UserError, match=r"Train_3, Train_4: 799 stereo pairs instead of 800: .*yingqianwang"
    ):
        stereo(root).names("train")
    (root / "Test" / "0001_L.png").unlink()
    with pytest.raises(UserError, match="^Test: 111 stereo pairs instead of 112"):
        stereo(root).names("test")


def test_a_broken_image_is_named(tmp_path):
    root = write_tree(tmp_path)
    path = root / "Validation" / "0002_R.png"
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(UserError, match=r"Validation/0002_R\.png is (damaged|not a picture)"):
        stereo(root).load("validation", 1)


def test_a_crop_larger_than_the_common_part_is_an_error(tree):
    task = stereo(tree, crop=6)
    with pytest.raises(UserError, match="6x5 is smaller than the crop of 6x6"):
        task.training_sample(task.load("train", 0), np.random.default_rng(0))
