"""Flicker 2W: which images are used, groups, splits, crops, and what may be wrong with it."""

import numpy as np
import pytest

from configs.base import get_config
from iicnet_jax.core.errors import UserError
from iicnet_jax.data.storage import FolderStore
from iicnet_jax.data.tasks import create_task
from iicnet_jax.data.tasks.hiding import FOLDER, Hiding
from iicnet_jax.imaging.resizing import halve
from tests.div2k import png
from tests.memory_store import MemoryStore
from tests.miniature import write_miniature

IMAGES = 20_745
LARGE = 19_531  # images of at least 576x576, according to the supplement


def full_size(small=range(LARGE, IMAGES), small_size=(575, 2000)):
    """As many images as there are; those with a number in `small` are too small to be used."""
    sizes = dict.fromkeys(range(IMAGES), (576, 576)) | dict.fromkeys(small, small_size)
    images = {f"{FOLDER}/{number:05d}.jpg": size for number, size in sizes.items()}
    return MemoryStore(images, Hiding.DATASET)


@pytest.mark.parametrize(
    ("num_images", "train", "validation", "test"),
    [
        (2, 6836, 976, 1953),  # of 9,765
        (3, 4557, 651, 1302),  # of 6,510
        (4, 3417, 488, 977),  # of 4,882
        (5, 2734, 391, 781),  # of 3,906
    ],
)
def test_70_10_and_20_percent_of_the_groups(num_images, train, validation, test):
    task = Hiding(full_size(), num_images, crop=144)
    counts = [len(task.names(split)) for split in ("train", "validation", "test")]
    assert counts == [train, validation, test]


@pytest.mark.parametrize("small_size", [(575, 2000), (2000, 575)])
def test_groups_are_large_images_that_follow_one_another_by_name(small_size):
    task = Hiding(full_size(small=(1, 2, 5), small_size=small_size), num_images=3, crop=144)
    assert task.samples("train")[:2] == [
        tuple(f"{FOLDER}/{number:05d}.jpg" for number in numbers)
        for numbers in ((0, 3, 4), (6, 7, 8))
    ]
    assert task.names("train")[:2] == ["00000", "00006"]
    names = [name for split in ("train", "validation", "test") for name in task.names(split)]
    assert len(names) == len(set(names)) == (IMAGES - 3) // 3
    assert names == sorted(names)
    assert task.names("test")[-1] == "20742"


def test_sizes_are_read_once():
    store = full_size()
    task = Hiding(store, num_images=2, crop=144)
    for split in ("train", "validation", "test"):
        task.names(split)
        task.load(split, 0)
    assert store.sizes_read == IMAGES


def place(height, width, image):
    """A pixel says where it comes from, in the lower eight bits of each, and in which image."""
    rows, columns = np.indices((height, width))
    return np.stack(np.broadcast_arrays(rows % 256, columns % 256, image), axis=-1).astype(np.uint8)


def test_training_crops_the_squares_each_by_itself_and_then_the_stack(tmp_path):
    """Offsets between the images of a group come from the squares alone."""
    images = (place(580, 579, 0), place(576, 600, 1))
    task, rng = Hiding(full_size(), num_images=2, crop=8), np.random.default_rng(0)
    offsets, corners = set(), set()
    for _ in range(400):
        sample = task.training_sample(images, rng)
        reference, hidden = sample["frames"]
        assert reference.shape == hidden.shape == (8, 8, 3)
        np.testing.assert_array_equal(sample["reference"], reference)
        assert (reference[..., 2] == 0).all() and (hidden[..., 2] == 1).all()
        offset = (hidden[0, 0, :2] - reference[0, 0, :2]).view(np.int8)  # modulo 256
        offsets.add(tuple(offset.tolist()))
        corners.add(tuple(reference[0, 0, :2].tolist()))
    # The reference's square begins at row 0..4 and column 0..3, the hidden one's at column 0..24.
    assert {down for down, _ in offsets} == set(range(-4, 1))
    assert {right for _, right in offsets} == set(range(-3, 25))
    assert len({top for top, _ in corners}) > 100


def test_evaluation_takes_the_centres():
    images = (place(580, 579, 0), place(576, 600, 1))
    sample = Hiding(full_size(), num_images=2, crop=8).evaluation_sample(images)
    assert sample["frames"].shape == (2, 576, 576, 3)
    assert sample["frames"][:, 0, 0].tolist() == [[2, 1, 0], [0, 12, 1]]
    np.testing.assert_array_equal(sample["reference"], sample["frames"][0])


@pytest.mark.parametrize("training", [False, True])
def test_with_down_scaling_the_reference_is_half_as_large(training):
    images = tuple(np.random.default_rng(0).integers(0, 256, (2, 580, 580, 3), dtype=np.uint8))
    task = Hiding(full_size(), num_images=2, crop=9, scale=2)
    if training:
        sample, side = task.training_sample(images, np.random.default_rng(0)), 8
    else:
        sample, side = task.evaluation_sample(images), 576
    assert sample["frames"].shape == (2, side, side, 3)
    np.testing.assert_array_equal(sample["reference"], halve(sample["frames"][0]))


def test_the_configuration_gives_root_number_and_crop(tmp_path):
    config = get_config()
    config.data.update(root=str(tmp_path), crop=96)
    config.model.num_images = 4
    config.data.task = "hiding"
    task = create_task(config.data, config.model)
    assert (task.store.root, task.num_images, task.crop) == (tmp_path, 4, 96)


def test_a_missing_folder_says_how_to_get_the_dataset(tmp_path):
    task = Hiding(FolderStore(tmp_path, Hiding.DATASET), num_images=2, crop=144)
    with pytest.raises(UserError, match=r"flicker_2W_images does not exist: .*CompressionData"):
        task.names("train")


def test_an_incomplete_dataset_is_an_error():
    store = full_size()
    del store.images[f"{FOLDER}/00400.jpg"]
    with pytest.raises(UserError, match="20744 files instead of 20745: .*CompressionData"):
        Hiding(store, num_images=2, crop=144).names("train")


@pytest.mark.parametrize("method", ["names", "load"])
def test_a_broken_image_is_named(tmp_path, method):
    write_miniature(tmp_path, images=10)
    (tmp_path / FOLDER).mkdir()
    for number in range(10):
        # Cut in the header, or behind it.
        content = (
            png(576, 576)[: 20 if method == "names" else 100_000] if number == 1 else png(576, 576)
        )
        (tmp_path / FOLDER / f"{number}.png").write_bytes(content)
    task = Hiding(FolderStore(tmp_path, Hiding.DATASET), num_images=2, crop=144)
    with pytest.raises(UserError, match=r"flicker_2W_images/1\.png is (damaged|not a picture)"):
        task.names("train") if method == "names" else task.load("train", 0)


def test_a_crop_larger_than_the_square_is_an_error():
    task = Hiding(full_size(), num_images=2, crop=577)
    with pytest.raises(UserError, match="576x576 is smaller than the crop of 577x577"):
        task.training_sample(task.load("train", 0), np.random.default_rng(0))
