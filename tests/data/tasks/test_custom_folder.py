"""A task of one's own: groups in folders or by name, splits, the reference, and mistakes."""

import numpy as np
import pytest
from PIL import Image

from configs import custom_folder
from iicnet_jax.core.errors import UserError
from iicnet_jax.data import create_task


def write(root, *paths, size=(8, 6)):
    """Images whose grey level is their place in `paths`."""
    for level, path in enumerate(paths):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, (level, level, level)).save(root / path)


def task(root, num_images=2, **data):
    config = custom_folder.get_config()
    config.model.num_images = num_images
    config.model.downscaling = data.pop("downscaling", "none")
    config.data.update(root=str(root), crop=4, **data)
    return create_task(config.data, config.model)


def levels(images):
    return [int(image[0, 0, 0]) for image in images]


def test_sub_folders_are_groups_and_the_last_tenths_validate_and_test(tmp_path):
    write(tmp_path, *(f"{group:02d}/{image}.png" for group in range(20) for image in "ab"))
    custom = task(tmp_path)
    splits = [custom.names(split) for split in ("train", "validation", "test")]
    numbers = [f"{group:02d}" for group in range(20)]
    assert splits == [numbers[:16], numbers[16:18], numbers[18:]]
    assert levels(custom.load("validation", 1)) == [34, 35]


def test_three_groups_are_enough(tmp_path):
    write(tmp_path, *(f"{group}/{image}.png" for group in "abc" for image in "12"))
    custom = task(tmp_path)
    assert [custom.names(split) for split in ("train", "validation", "test")] == [
        ["a"],
        ["b"],
        ["c"],
    ]
    (tmp_path / "c").rename(tmp_path / ".c")
    with pytest.raises(UserError, match=r"2 groups of images, at least 3 are needed: .*docs/data"):
        task(tmp_path).names("train")


def test_folders_of_the_splits_decide(tmp_path):
    write(
        tmp_path,
        *(
            f"{split}/{g}/{i}.jpg"
            for split in ("test", "train", "validation")
            for g in ("b", "a")
            for i in "12"
        ),
    )
    custom = task(tmp_path)
    assert all(custom.names(split) == ["a", "b"] for split in ("train", "validation", "test"))
    assert levels(custom.load("test", 1)) == [0, 1]


def test_a_pattern_makes_groups_of_files(tmp_path):
    write(tmp_path, *(f"x.{image}-{group}.png" for group in "abc" for image in "LR"), "other.png")
    custom = task(tmp_path, pattern="x.{image}-{group}.png")
    assert custom.names("test") == ["c"]
    assert levels(custom.load("test", 0)) == [4, 5]
    assert levels(custom.load("train", 0)) == [0, 1]


def test_the_reference_comes_first(tmp_path):
    write(tmp_path, *(f"{group}/{image}.png" for group in "abc" for image in "123"))
    custom = task(tmp_path, num_images=3, reference=1)
    assert levels(custom.load("train", 0)) == [1, 0, 2]
    with pytest.raises(UserError, match=r"reference must be between 0 and 2, .*, not 3"):
        task(tmp_path, num_images=3, reference=3)


def test_a_network_that_scales_down_has_a_reference_of_half_the_size(tmp_path):
    write(tmp_path, *(f"{group}/{image}.png" for group in "abc" for image in "12"), size=(9, 7))
    custom = task(tmp_path, downscaling="squeeze")
    sample = custom.evaluation_sample(custom.load("test", 0))
    assert sample["frames"].shape == (2, 6, 8, 3)
    assert sample["reference"].shape == (3, 4, 3)
    crop = custom.training_sample(custom.load("train", 0), np.random.default_rng(0))
    assert crop["frames"].shape == (2, 4, 4, 3)


def test_mistakes_are_named(tmp_path):
    with pytest.raises(UserError, match=r"config\.data\.root is not set"):
        task("")
    with pytest.raises(UserError, match="the folder .*nowhere does not exist"):
        task(tmp_path / "nowhere").names("train")
    write(tmp_path, *(f"{group}/{image}.png" for group in "abc" for image in "12"))
    with pytest.raises(UserError, match="a has 2 images instead of 3"):
        task(tmp_path, num_images=3).names("train")
    with pytest.raises(UserError, match=r"pattern is 'x_\{image\}', but must have \{group\}"):
        task(tmp_path, pattern="x_{image}")
    Image.new("RGB", (9, 8)).save(tmp_path / "a/2.png")
    with pytest.raises(UserError, match=r"a/2\.png \(8x9\) is not of the size of a/1\.png \(6x8\)"):
        task(tmp_path).load("train", 0)
