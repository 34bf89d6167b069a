"""Adobe Deep Matting as it is published: splits, pairs, composition, and what may be wrong."""

import json
from fractions import Fraction
from math import floor

import numpy as np
import pytest
from PIL import Image

from configs.base import get_config
from iicnet_jax.core.errors import UserError
from iicnet_jax.data.storage import FolderStore
from iicnet_jax.data.tasks.composition import Composition, compose
from iicnet_jax.imaging.resizing import resize_bicubic, resize_bilinear

SET = "Combined_Dataset"
VOC = "VOCdevkit/VOC2008/JPEGImages"
COUNTS = {"validation": 1, "test": 2, "training backgrounds": 2, "test backgrounds": 1}


def composition(root, crop=4):
    return Composition(FolderStore(root, Composition.DATASET), crop)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def write(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)


def write_list(root, part, kind, names):
    folder = root / SET / {"training": "Training_set", "test": "Test_set"}[part]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{part}_{kind}_names.txt").write_text("".join(f"{name}\n" for name in names))


def write_tree(root, training=2, validation=10, test=50, each=100, each_test=20):
    """Official names and counts, images of one pixel; the lists are in no alphabetical order.

    Names are numbered and the highest number is the first in a list: f011.png, f010.png ... Every
    other training foreground is in the folder Other.
    """
    pixel = root / "pixel.png"
    write(pixel, noise(1, 1))
    content = pixel.read_bytes()
    licensed, other = "Adobe-licensed images", "Other"
    for part, folder, count, backgrounds, per in (
        ("training", "Training_set", training + validation, "train2014", each),
        ("test", "Test_set", test, VOC, each_test),
    ):
        foregrounds = [f"f{number:03d}.png" for number in reversed(range(count))]
        names = [f"{part}{number:05d}.png" for number in reversed(range(count * per))]
        write_list(root, part, "fg", foregrounds)
        write_list(root, part, "bg", names)
        (root / backgrounds).mkdir(parents=True)
        for name in [*names, "unused.png"]:
            (root / backgrounds / name).write_bytes(content)
        for kind in ("fg", "alpha"):
            for source in (licensed, other) if part == "training" else (licensed,):
                (root / SET / folder / source / kind).mkdir(parents=True)
            for number, name in enumerate(foregrounds):
                source = other if part == "training" and number % 2 else licensed
                (root / SET / folder / source / kind / name).write_bytes(content)
    return root


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """To be read only."""
    return write_tree(tmp_path_factory.mktemp("adobe"))


def write_miniature(root):
    """Two training foregrounds and one to validate, two backgrounds each; two to test, one each."""
    write_tree(root, training=2, validation=1, test=2, each=2, each_test=1)
    (root / "miniature.json").write_text(json.dumps({"counts": COUNTS}))
    return root


@pytest.fixture
def miniature(tmp_path):
    return write_miniature(tmp_path)


def test_splits_are_those_of_the_paper(tree):
    task = composition(tree)
    counts = [len(task.names(split)) for split in ("train", "validation", "test")]
    assert counts == [200, 1000, 1000]
    assert {name[:4] for name in task.names("train")} == {"f011", "f010"}
    assert {name[:4] for name in task.names("validation")} == {f"f{n:03d}" for n in range(10)}
    for split in ("train", "validation", "test"):
        names = task.names(split)
        assert len(names) == len(set(names))


def test_lists_pair_foregrounds_with_backgrounds(tree):
    task = composition(tree)
    licensed, other = (f"{SET}/Training_set/{name}" for name in ("Adobe-licensed images", "Other"))
    train, validation, test = (task.samples(split) for split in ("train", "validation", "test"))
    for sample, source, foreground, background in (
        (train[0], licensed, 11, 1199),
        (train[99], licensed, 11, 1100),
        (train[100], other, 10, 1099),
        (validation[0], licensed, 9, 999),
        (validation[-1], other, 0, 0),
    ):
        name = f"f{foreground:03d}.png"
        assert sample == (
            f"{source}/fg/{name}",
            f"{source}/alpha/{name}",
            f"train2014/training{background:05d}.png",
        )
    folder = f"{SET}/Test_set/Adobe-licensed images"
    assert test[19] == (f"{folder}/fg/f049.png", f"{folder}/alpha/f049.png", f"{VOC}/test00980.png")
    assert test[20] == (f"{folder}/fg/f048.png", f"{folder}/alpha/f048.png", f"{VOC}/test00979.png")
    assert task.names("test")[20] == "f048_test00979"


def test_any_number_of_training_foregrounds_will_do(tmp_path):
    write_tree(tmp_path, training=5, validation=10, test=1, each_test=1)
    assert len(composition(tmp_path).names("train")) == 500


def test_composition_rounds_the_exact_mean_down():
    alpha, foreground, background = (noise(40, 50, seed) for seed in range(3))
    alpha[:, :3] = (0, 0, 0), (255, 255, 255), (1, 1, 1)
    foreground[0], background[1] = 255, 255
    alpha = alpha[..., :1]
    expected = np.zeros_like(foreground)
    for place in np.ndindex(foreground.shape):
        share = Fraction(int(alpha[place[:2]][0]), 255)
        mean = share * int(foreground[place]) + (1 - share) * int(background[place])
        expected[place] = floor(mean)
    composed = compose(foreground, alpha, background)
    assert composed.dtype == np.uint8
    np.testing.assert_array_equal(composed, expected)
    np.testing.assert_array_equal(composed[:, 0], background[:, 0])
    np.testing.assert_array_equal(composed[:, 1], foreground[:, 1])


def write_sample(root, foreground, alpha, background):
    """The first sample of the miniature's test split."""
    folder = root / SET / "Test_set" / "Adobe-licensed images"
    write(folder / "fg" / "f001.png", foreground)
    write(folder / "alpha" / "f001.png", alpha)
    write(root / VOC / "test00001.png", background)


def test_a_sample_is_composed_image_background_and_foreground(miniature):
    foreground, background = noise(6, 5), noise(8, 9, seed=1)
    alpha = noise(6, 5, seed=2)[..., 0]
    alpha[:3] = [[0], [1], [255]]
    write_sample(miniature, foreground, alpha, background)
    composed, layer, visible = composition(miniature).load("test", 0)
    np.testing.assert_array_equal(layer, background[:6, :5])
    np.testing.assert_array_equal(composed, compose(foreground, alpha[..., None], layer))
    np.testing.assert_array_equal(visible[0], np.zeros((5, 3)))
    np.testing.assert_array_equal(visible[1:], np.where(alpha[1:, :, None] > 0, foreground[1:], 0))
    np.testing.assert_array_equal(visible[1:3], foreground[1:3])
    assert {image.dtype for image in (composed, layer, visible)} == {np.dtype(np.uint8)}


@pytest.mark.parametrize(
    ("size", "enlarged"),
    [
        ((4, 5), (10, 13)),  # 2.5 times: 10 x 12.5
        ((20, 3), (47, 7)),  # too narrow: 46.67 x 7
        ((9, 30), (10, 34)),  # too low: 10 x 33.33
        ((10, 7), None),
        ((10, 30), None),
    ],
)
def test_a_background_is_enlarged_only_if_a_side_is_too_short(miniature, size, enlarged):
    background = noise(*size)
    write_sample(miniature, noise(10, 7), np.zeros((10, 7), np.uint8), background)
    expected = resize_bicubic(background, *enlarged) if enlarged else background
    composed, layer, _ = composition(miniature).load("test", 0)
    np.testing.assert_array_equal(layer, expected[:10, :7])
    np.testing.assert_array_equal(composed, layer)


def test_training_resizes_whole_images_to_squares(tmp_path):
    images = tuple(noise(9, 14, seed) for seed in range(3))
    sample = composition(tmp_path, crop=6).training_sample(images, np.random.default_rng(0))
    squares = [resize_bilinear(image, 6, 6) for image in images]
    np.testing.assert_array_equal(sample["frames"], np.stack(squares))
    np.testing.assert_array_equal(sample["reference"], squares[0])


@pytest.mark.parametrize("size", [(8, 14), (9, 15)])
def test_evaluation_halves_whole_images(tmp_path, size):
    images = tuple(noise(*size, seed) for seed in range(3))
    sample = composition(tmp_path).evaluation_sample(images)
    halves = [resize_bilinear(image, 4, 7) for image in images]
    np.testing.assert_array_equal(sample["frames"], np.stack(halves))
    np.testing.assert_array_equal(sample["reference"], halves[0])


def test_the_configuration_gives_the_crop(tmp_path):
    config = get_config()
    config.data.crop = 96
    store = FolderStore(tmp_path, Composition.DATASET)
    task = Composition.from_config(store, config.data, config.model)
    assert (task.store, task.crop) == (store, 96)


def test_parts_and_texts_are_all_files_of_the_dataset(miniature):
    patterns = [pattern for part in Composition.DATASET.parts.values() for pattern in part]
    found = {path for pattern in patterns for path in miniature.glob(pattern)}
    found |= {miniature / path for path in Composition.DATASET.texts}
    others = {miniature / "pixel.png", miniature / "miniature.json"}
    assert found == {path for path in miniature.rglob("*") if path.is_file()} - others


@pytest.mark.parametrize(
    ("split", "missing"),
    [
        ("train", "Combined_Dataset/Training_set/training_fg_names.txt"),
        ("validation", "Combined_Dataset/Training_set/training_bg_names.txt"),
        ("test", "Combined_Dataset/Test_set/test_fg_names.txt"),
        ("test", "Combined_Dataset/Test_set/test_bg_names.txt"),
    ],
)
def test_a_missing_list_says_how_to_get_the_dataset(miniature, split, missing):
    (miniature / missing).unlink()
    with pytest.raises(UserError, match=f"{missing} is missing: .*Deep-Image-Matting"):
        composition(miniature).names(split)


@pytest.mark.parametrize(
    ("split", "folder"),
    [
        ("train", "Combined_Dataset/Training_set/Other/fg"),
        ("train", "Combined_Dataset/Training_set/Adobe-licensed images/alpha"),
        ("train", "train2014"),
        ("test", "Combined_Dataset/Test_set/Adobe-licensed images/fg"),
        ("test", VOC),
    ],
)
def test_a_missing_folder_says_how_to_get_the_dataset(miniature, split, folder):
    (miniature / folder).rename(miniature / "elsewhere")
    with pytest.raises(UserError, match=f"{folder} does not exist: .*Deep-Image-Matting"):
        composition(miniature).names(split)


@pytest.mark.parametrize(
    ("split", "path", "where"),
    [
        ("train", f"{SET}/Training_set/Other/fg/f001.png", ".*licensed images/fg and .*Other/fg"),
        ("train", f"{SET}/Training_set/Other/alpha/f001.png", ".*images/alpha and .*Other/alpha"),
        ("train", "train2014/training00002.png", "train2014"),
        ("validation", "train2014/training00000.png", "train2014"),
        ("test", f"{SET}/Test_set/Adobe-licensed images/fg/f000.png", ".*Test_set/.*images/fg"),
        ("test", f"{VOC}/test00000.png", VOC),
    ],
)
def test_a_missing_image_is_named(miniature, split, path, where):
    (miniature / path).unlink()
    name = path.rpartition("/")[2]
    with pytest.raises(UserError, match=f"{name} is missing in {where}: .*Deep-Image-Matting"):
        composition(miniature).names(split)


@pytest.mark.parametrize("count", [5, 7])
def test_lists_that_do_not_fit_each_other_are_an_error(miniature, count):
    write_list(miniature, "training", "bg", ["training00000.png"] * count)
    with pytest.raises(
        UserError,
        match=rf"training_bg_names\.txt names {count} backgrounds instead of 2 for each of the 3 "
        r"foregrounds of .*training_fg_names\.txt: .*Deep-Image-Matting",
    ):
        composition(miniature).names("train")


@pytest.mark.parametrize(
    ("split", "part", "count", "message"),
    [
        ("test", "test", 1, r"test_fg_names\.txt names 1 foregrounds instead of 2"),
        (
            "train",
            "training",
            1,
            r"training_fg_names\.txt names 1 foregrounds instead of more than 1",
        ),
        ("validation", "training", 0, r"names 0 foregrounds instead of more than 1"),
    ],
)
def test_too_few_foregrounds_are_an_error(miniature, split, part, count, message):
    write_list(miniature, part, "fg", ["f000.png"] * count)
    with pytest.raises(UserError, match=f"{message}: .*Deep-Image-Matting"):
        composition(miniature).names(split)


def test_alpha_of_another_size_is_an_error(miniature):
    write_sample(miniature, noise(6, 5), noise(5, 6)[..., 0], noise(6, 5))
    with pytest.raises(
        UserError, match=r"alpha/f001\.png \(5x6\) is not of the size of .*fg/f001\.png \(6x5\)"
    ):
        composition(miniature).load("test", 0)


@pytest.mark.parametrize(
    "path", [f"{VOC}/test00001.png", f"{SET}/Test_set/Adobe-licensed images/alpha/f001.png"]
)
def test_a_broken_image_is_named(miniature, path):
    (miniature / path).write_bytes((miniature / path).read_bytes()[:40])
    with pytest.raises(UserError, match=f"{path} is (damaged|not a picture)"):
        composition(miniature).load("test", 0)
