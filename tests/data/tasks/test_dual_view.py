"""DIV2K as its publishers lay it out: splits, pairs, crops, and what may be wrong with it."""

import numpy as np
import pytest

from iicnet_jax.core.errors import UserError
from iicnet_jax.data.storage import FolderStore
from iicnet_jax.data.tasks.dual_view import DualView
from tests.div2k import png, write_tree


def dual_view(root, scale=4, crop=4):
    return DualView(FolderStore(root, DualView.DATASET), scale, crop)


def test_splits_are_those_of_the_paper(tmp_path):
    task = dual_view(write_tree(tmp_path))
    train, validation, test = (task.names(s) for s in ("train", "validation", "test"))
    assert (train[0], train[-1], len(train)) == ("0001x4", "0750x4", 750)
    assert (validation[0], validation[-1], len(validation)) == ("0751x4", "0800x4", 50)
    assert (test[0], test[-1], len(test)) == ("0801x4", "0900x4", 100)


def test_at_x8_small_images_do_not_train_or_validate(tmp_path):
    root = write_tree(tmp_path, scale=8, low_size=(144, 144))
    small = png(143, 200)
    for number in (3, 790, 850):
        part = "train" if number <= 800 else "valid"
        path = root / f"DIV2K_{part}_LR_bicubic" / "X8" / f"{number:04d}x8.png"
        path.write_bytes(small)
    task = dual_view(root, scale=8, crop=144)
    assert "0003x8" not in task.names("train")
    assert "0790x8" not in task.names("validation")
    assert len(task.names("validation")) == 50
    assert len(task.names("train")) == 748
    assert "0850x8" in task.names("test")


def test_crops_show_the_same_content(tmp_path):
    """The zoomed view is the centre, at full resolution, of what the normal view shows."""
    low = np.zeros((20, 30, 3), np.uint8)
    low[..., 0], low[..., 1] = np.arange(20)[:, None], np.arange(30)[None]
    high = low.repeat(4, axis=0).repeat(4, axis=1)
    sample = dual_view(tmp_path, crop=8).training_sample((low, high), np.random.default_rng(3))
    normal, zoomed = sample["frames"]
    assert normal.shape == zoomed.shape == (8, 8, 3)
    np.testing.assert_array_equal(sample["reference"], normal)
    centre = normal[3:5, 3:5]
    np.testing.assert_array_equal(zoomed, centre.repeat(4, axis=0).repeat(4, axis=1))


def test_evaluation_takes_the_whole_normal_view(tmp_path):
    low, high = np.zeros((20, 30, 3), np.uint8), np.ones((40, 60, 3), np.uint8)
    high[10:30, 15:45] = 7
    sample = dual_view(tmp_path, scale=2).evaluation_sample((low, high))
    np.testing.assert_array_equal(sample["frames"][0], low)
    assert (sample["frames"][1] == 7).all()


def test_a_missing_folder_says_how_to_get_the_dataset(tmp_path):
    with pytest.raises(
        UserError, match=r"DIV2K_train_LR_bicubic/X4 does not exist: .*data\.vision\.ee"
    ):
        dual_view(tmp_path).names("train")


def test_an_incomplete_dataset_is_named(tmp_path):
    root = write_tree(tmp_path)
    (root / "DIV2K_train_HR" / "0400.png").unlink()
    with pytest.raises(UserError, match="799 PNG files instead of 800"):
        dual_view(root).names("train")
    (root / "DIV2K_valid_LR_bicubic" / "X4" / "0805x4.png").unlink()
    with pytest.raises(UserError, match="X4 holds 99 PNG files instead of 100"):
        dual_view(root).names("test")


def test_a_broken_image_is_named(tmp_path):
    root = write_tree(tmp_path)
    path = root / "DIV2K_train_HR" / "0001.png"
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(UserError, match=r"0001\.png is (damaged|not a picture)"):
        dual_view(root).load("train", 0)


def test_a_pair_of_the_wrong_scale_is_named(tmp_path):
    root = write_tree(tmp_path)
    (root / "DIV2K_train_HR" / "0002.png").write_bytes(png(12, 10))
    with pytest.raises(UserError, match=r"0002\.png \(12x10\) is not 4 times"):
        dual_view(root).load("train", 1)


def test_a_crop_larger_than_an_image_is_an_error(tmp_path):
    task = dual_view(write_tree(tmp_path), crop=7)
    with pytest.raises(UserError, match="6x5 is smaller than the crop of 7x7"):
        task.training_sample(task.load("train", 0), np.random.default_rng(0))


def test_other_scales_do_not_exist(tmp_path):
    with pytest.raises(UserError, match=r"must be 2, 4 or 8.*not 3"):
        dual_view(tmp_path, scale=3)
