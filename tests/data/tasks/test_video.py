"""DAVIS 2017 as its publishers lay it out: splits, windows, crops, and what may be wrong in it."""

import io

import numpy as np
import pytest
from PIL import Image

from configs.base import get_config
from iicnet_jax.core.errors import UserError
from iicnet_jax.data.storage import FolderStore
from iicnet_jax.data.tasks import create_task
from iicnet_jax.data.tasks.video import Video
from iicnet_jax.imaging.resizing import halve


def video(root, num_images=1, crop=4, step=1, training_frame_stride=5, scale=1):
    store = FolderStore(root, Video.DATASET)
    return Video(store, num_images, crop, step, training_frame_stride, scale)


def jpeg(value=0, size=(8, 8)):
    """An image file of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", size, (value, value, value)).save(buffer, format="JPEG", quality=100)
    return buffer.getvalue()


def folder_of(root, part):
    return root / f"DAVIS-2017-{part}" / "JPEGImages" / "480p"


def write_tree(root, long=(), frames=0):
    """The official numbers of sequences, named by their part and place (trainval-01 ...).

    All have one frame; those named in `long` have `frames`, of the brightness 5 * number.
    """
    for part, count in Video.DATASET.counts.items():
        for place in range(1, count + 1):
            sequence = folder_of(root, part) / f"{part}-{place:02d}"
            sequence.mkdir(parents=True)
            for number in range(frames if sequence.name in long else 1):
                (sequence / f"{number:05d}.jpg").write_bytes(jpeg(5 * number))
    return root


def numbers(window):
    """Numbers of the frames of a loaded sample, from their brightness."""
    return [round(float(image.mean()) / 5) for image in window]


def test_splits_are_those_of_the_paper(tmp_path):
    task = video(write_tree(tmp_path))
    train, validation, test = (task.names(s) for s in ("train", "validation", "test"))
    assert train[:90] == [f"trainval-{place:02d}_00000" for place in range(1, 91)]
    assert train[90:] == [f"test-dev-{place:02d}_00000" for place in range(1, 31, 2)]
    assert validation == [f"test-dev-{place:02d}_00000" for place in range(2, 31, 2)]
    assert test == [f"test-challenge-{place:02d}_00000" for place in range(1, 31)]


@pytest.mark.parametrize(
    ("split", "sequence"), [("train", "trainval-02"), ("validation", "test-dev-02")]
)
def test_training_and_validation_take_every_window_at_time_step_5(tmp_path, split, sequence):
    task = video(write_tree(tmp_path, [sequence], frames=23), num_images=5, step=2)
    assert task.names(split) == [f"{sequence}_{middle:05d}" for middle in (10, 11, 12)]
    # frames 0, 5, 10, 15, 20: the middle one first, the others in time order
    assert numbers(task.load(split, 0)) == [10, 0, 5, 15, 20]
    assert numbers(task.load(split, 2)) == [12, 2, 7, 17, 22]


@pytest.mark.parametrize("split", ["train", "validation"])
def test_the_time_step_of_training_can_be_set(tmp_path, split):
    sequence = {"train": "trainval-02", "validation": "test-dev-02"}[split]
    tree = write_tree(tmp_path, [sequence], frames=6)
    task = video(tree, num_images=3, step=1, training_frame_stride=2)
    assert numbers(task.load(split, 0)) == [2, 0, 4]
    assert numbers(task.load(split, 1)) == [3, 1, 5]


@pytest.mark.parametrize(("step", "count", "last"), [(1, 6, [6, 5, 7]), (3, 2, [4, 1, 7])])
def test_testing_takes_every_window_at_the_configured_step(tmp_path, step, count, last):
    tree = write_tree(tmp_path, ["test-challenge-30"], frames=8)
    task = video(tree, num_images=3, step=step)
    assert len(task.names("test")) == count
    assert numbers(task.load("test", count - 1)) == last


def test_names_of_samples_are_unique(tmp_path):
    task = video(write_tree(tmp_path, ["trainval-01", "trainval-02"], frames=14), num_images=3)
    names = task.names("train")
    assert len(names) == len(set(names)) == 8


def test_all_frames_of_a_sample_are_cropped_at_the_same_place(tmp_path):
    """A pixel says where it comes from and in which frame it is."""
    place = np.stack(np.broadcast_arrays(*np.indices((20, 30)), 0), axis=-1).astype(np.uint8)
    images = tuple(place + np.array([0, 0, frame], np.uint8) for frame in range(3))
    task, rng, corners = video(tmp_path, num_images=3, crop=8), np.random.default_rng(0), set()
    for _ in range(400):
        sample = task.training_sample(images, rng)
        frames = sample["frames"]
        assert frames.shape == (3, 8, 8, 3)
        np.testing.assert_array_equal(sample["reference"], frames[0])
        np.testing.assert_array_equal(
            frames[..., :2], np.broadcast_to(frames[:1, ..., :2], (3, 8, 8, 2))
        )
        assert frames[:, 0, 0, 2].tolist() == [0, 1, 2]
        corners.add(tuple(frames[0, 0, 0, :2].tolist()))
    assert {top for top, _ in corners} == set(range(13))
    assert {left for _, left in corners} == set(range(23))


def test_evaluation_takes_whole_frames(tmp_path):
    images = tuple(np.full((7, 9, 3), value, np.uint8) for value in (3, 5))
    sample = video(tmp_path, num_images=2).evaluation_sample(images)
    np.testing.assert_array_equal(sample["frames"], np.stack(images))
    np.testing.assert_array_equal(sample["reference"], images[0])


@pytest.mark.parametrize("training", [False, True])
def test_with_down_scaling_sizes_are_even_and_the_reference_is_half_as_large(tmp_path, training):
    image = np.random.default_rng(0).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    task = video(tmp_path, num_images=1, crop=5, scale=2)
    if training:
        sample = task.training_sample((image,), np.random.default_rng(1))
        assert sample["frames"].shape == (1, 4, 4, 3)
    else:
        sample = task.evaluation_sample((image,))
        np.testing.assert_array_equal(sample["frames"], image[None, :6, :8])
    np.testing.assert_array_equal(sample["reference"], halve(sample["frames"][0]))


def test_halving_rounds_the_mean_of_every_square():
    squares = {(0, 0, 0, 1): 0, (0, 2, 0, 0): 1, (7, 8, 8, 8): 8, (255, 255, 255, 255): 255}
    image = np.concatenate([np.reshape(square, (2, 2)) for square in squares], axis=1)
    image = np.stack([image, image + 0, image // 2 * 0], axis=-1).astype(np.uint8)
    half = halve(image)
    assert half.dtype == np.uint8
    assert half[0].tolist() == [[mean, mean, 0] for mean in squares.values()]


@pytest.mark.parametrize(("downscaling", "scale"), [("none", 1), ("haar", 2), ("squeeze", 2)])
def test_the_configuration_says_how_windows_are_made(tmp_path, downscaling, scale):
    config = get_config()
    config.data.update(task="video", root=str(write_tree(tmp_path)), crop=96, frame_stride=3)
    config.model.update(num_images=7, downscaling=downscaling)
    task = create_task(config.data, config.model)
    assert (task.num_images, task.crop, task.frame_stride, task.scale) == (7, 96, 3, scale)
    assert task.store.root == tmp_path


def test_a_missing_folder_says_how_to_get_the_dataset(tmp_path):
    with pytest.raises(
        UserError,
        match=r"DAVIS-2017-test-challenge/JPEGImages/480p does not exist: .*davischallenge",
    ):
        video(tmp_path).names("test")


@pytest.mark.parametrize(
    ("split", "part", "found"),
    [
        ("train", "trainval", "89 sequences instead of 90"),
        ("train", "test-dev", "29 sequences instead of 30"),
        ("validation", "test-dev", "29 sequences instead of 30"),
        ("test", "test-challenge", "29 sequences instead of 30"),
    ],
)
def test_too_few_sequences_are_an_error(tmp_path, split, part, found):
    folder = folder_of(write_tree(tmp_path), part)
    (folder / f"{part}-07").rename(tmp_path / "elsewhere")
    with pytest.raises(UserError, match=f"DAVIS-2017-{part}/.* holds {found}: .*davischallenge"):
        video(tmp_path).names(split)


@pytest.mark.parametrize("number", [0, 3])
def test_a_missing_frame_is_named(tmp_path, number):
    root = write_tree(tmp_path, ["test-challenge-04"], frames=number + 2)
    path = folder_of(root, "test-challenge") / "test-challenge-04" / f"{number:05d}.jpg"
    path.unlink()
    with pytest.raises(
        UserError, match=rf"test-challenge-04/0000{number}\.jpg is missing: .*davischallenge"
    ):
        video(root).names("test")


def test_an_empty_sequence_is_an_error(tmp_path):
    root = write_tree(tmp_path, ["test-dev-02"], frames=0)
    with pytest.raises(UserError, match=r"test-dev-02/00000\.jpg is missing"):
        video(root).names("validation")


def test_a_broken_frame_is_named(tmp_path):
    root = write_tree(tmp_path)
    (folder_of(root, "trainval") / "trainval-01" / "00000.jpg").write_bytes(jpeg()[:100])
    with pytest.raises(UserError, match=r"trainval-01/00000\.jpg is (damaged|not a picture)"):
        video(root).load("train", 0)


def test_frames_of_different_sizes_are_an_error(tmp_path):
    root = write_tree(tmp_path, ["test-challenge-01"], frames=3)
    path = folder_of(root, "test-challenge") / "test-challenge-01" / "00002.jpg"
    path.write_bytes(jpeg(size=(9, 8)))
    with pytest.raises(
        UserError, match=r"00002\.jpg \(8x9\) is not of the size of .*1\.jpg \(8x8\)"
    ):
        video(root, num_images=3).load("test", 0)


def test_windows_longer_than_every_sequence_are_an_error(tmp_path):
    root = write_tree(tmp_path, ["test-challenge-01"], frames=4)
    with pytest.raises(
        UserError, match="test split has the 5 frames .* 3 images at a frame stride of 2"
    ):
        video(root, num_images=3, step=2).names("test")


def test_a_crop_larger_than_a_frame_is_an_error(tmp_path):
    task = video(write_tree(tmp_path), crop=9)
    with pytest.raises(UserError, match="8x8 is smaller than the crop of 9x9"):
        task.training_sample(task.load("train", 0), np.random.default_rng(0))
