"""Real Matting as it is published: the table, splits, frames, and what may be wrong with it."""

import json

import numpy as np
import pytest
from PIL import Image

from configs.base import get_config
from iicnet_jax.core.errors import UserError
from iicnet_jax.data.storage import FolderStore
from iicnet_jax.data.tasks.background import Background
from iicnet_jax.imaging.resizing import resize_bilinear
from tests.mp4 import grey, write_video

HEADER = ["sample_id", "mode", "folder", "filename", "background", "background_id", "person"]
MODES, FOLDERS = ("hand-held", "fixed-camera"), ("train", "test_paper", "test_extra")


def rows():
    """57 videos with 19 backgrounds; names and numbers come again in every folder."""
    return [
        [number + 1, MODES[number % 2], FOLDERS[number % 3], f"v{number % 19}", "a, b", number % 19]
        for number in range(57)
    ]


def background(root, crop=4):
    return Background(FolderStore(root, Background.DATASET), crop)


def write_table(root, table, header=HEADER):
    """As the authors' is written: with a byte order mark and Windows' ends of lines."""
    lines = [",".join(f'"{v}"' if "," in str(v) else str(v) for v in row) for row in table]
    text = "\r\n".join([",".join(header), *(f"{line},somebody" for line in lines)])
    (root / "label.csv").write_bytes(f"{text}\r\n".encode("utf-8-sig"))


def write_tree(root, table):
    """Two frames of 32x48 a video, of the brightnesses 60 and 180; backgrounds of 100."""
    write_table(root, table)
    video = write_video(root / "video.mp4", [grey(60, 32, 48), grey(180, 32, 48)])
    image = root / "image.png"
    Image.fromarray(grey(100, 32, 48)).save(image)
    for _, mode, folder, name, *_ in table:
        place = root / mode / folder
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{name}.mp4").write_bytes(video.read_bytes())
        (place / f"{name}.png").write_bytes(image.read_bytes())
    return root


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """To be read only."""
    return write_tree(tmp_path_factory.mktemp("real"), rows())


@pytest.fixture
def miniature(tmp_path):
    """A video for training, one for validation, one for testing: v0, v12, v3."""
    write_tree(tmp_path, [rows()[number] for number in (0, 12, 3)])
    (tmp_path / "miniature.json").write_text(json.dumps({"counts": {"videos": 3}}))
    return tmp_path


def test_backgrounds_make_the_splits(tree):
    task = background(tree)
    splits = {"validation": {12}, "test": {1, 3, 10}}
    splits["train"] = set(range(19)) - {12, 1, 3, 10}
    for split, numbers in splits.items():
        videos = [
            f"{mode}/{folder}/{name}"
            for _, mode, folder, name, _, number in rows()
            if number in numbers
        ]
        assert task.samples(split) == [
            (f"{video}.mp4/{frame:06d}", f"{video}.png") for video in videos for frame in (0, 1)
        ]
        names = task.names(split)
        assert len(names) == len(set(names)) == 6 * len(numbers)
    assert task.names("validation")[:2] == [f"hand-held_train_v12_{n:06d}" for n in (0, 1)]


def test_a_sample_is_a_frame_and_its_background(miniature):
    task = background(miniature)
    for index, brightness in enumerate((60, 180)):
        frame, image = task.load("train", index)
        assert frame.shape == image.shape == (32, 48, 3)
        np.testing.assert_allclose(frame, brightness, atol=3)
        np.testing.assert_array_equal(image, grey(100, 32, 48))


def test_columns_are_found_by_their_names(miniature):
    header = ["background_id", "filename", "folder", "mode"]
    table = [[row[5], row[3], row[2], row[1]] for row in (rows()[n] for n in (0, 12, 3))]
    expected = background(miniature).names("test")
    write_table(miniature, table, header)
    assert (
        background(miniature).names("test")
        == expected
        == [
            "fixed-camera_train_v3_000000",
            "fixed-camera_train_v3_000001",
        ]
    )


def images(height=9, width=14):
    random = np.random.default_rng(0)
    return tuple(random.integers(0, 256, (2, height, width, 3), dtype=np.uint8))


def test_training_resizes_whole_images_to_squares(tmp_path):
    sample = background(tmp_path, crop=6).training_sample(images(), np.random.default_rng(0))
    squares = [resize_bilinear(image, 6, 6) for image in images()]
    np.testing.assert_array_equal(sample["frames"], np.stack(squares))
    np.testing.assert_array_equal(sample["reference"], squares[0])


@pytest.mark.parametrize("size", [(8, 14), (9, 15)])
def test_evaluation_halves_whole_images(tmp_path, size):
    sample = background(tmp_path).evaluation_sample(images(*size))
    halves = [resize_bilinear(image, 4, 7) for image in images(*size)]
    np.testing.assert_array_equal(sample["frames"], np.stack(halves))
    np.testing.assert_array_equal(sample["reference"], halves[0])


def test_the_configuration_gives_the_crop(tmp_path):
    config = get_config()
    config.data.crop = 96
    store = FolderStore(tmp_path, Background.DATASET)
    task = Background.from_config(store, config.data, config.model)
    assert (task.store, task.crop) == (store, 96)


def test_parts_and_texts_are_all_files_of_the_dataset(tree):
    patterns = [pattern for part in Background.DATASET.parts.values() for pattern in part]
    found = {path for pattern in patterns for path in tree.glob(pattern)}
    found |= {tree / path for path in Background.DATASET.texts}
    others = {tree / "video.mp4", tree / "image.png"}
    assert found == {path for path in tree.rglob("*") if path.is_file()} - others


def test_a_missing_table_says_how_to_get_the_dataset(miniature):
    (miniature / "label.csv").unlink()
    with pytest.raises(UserError, match=r"label\.csv is missing: .*Background-Matting.*IICNet"):
        background(miniature).names("train")


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        (["sample_id", "mode", "folder", "name", "background", "background_id"], "filename"),
        (["sample_id", "mode", "folder", "filename", "background", "id"], "background_id"),
        (["a", "mode", "b", "filename", "c", "background_id"], "folder"),
        (["a", "b", "c"], "mode, folder, filename, background_id"),
    ],
)
def test_missing_columns_are_named(miniature, header, missing):
    write_table(miniature, rows()[:3], header)
    with pytest.raises(UserError, match=rf"label\.csv has no column {missing}: .*label\.csv"):
        background(miniature).names("train")


def test_an_empty_table_is_an_error(miniature):
    (miniature / "label.csv").write_text("")
    with pytest.raises(UserError, match="has no column mode, folder, filename, background_id: "):
        background(miniature).names("train")


@pytest.mark.parametrize("number", ["twelve", "", "1.5", "-1"])
def test_a_background_that_is_no_number_is_an_error(miniature, number):
    table = rows()[:3]
    table[1][5] = number
    write_table(miniature, table)
    with pytest.raises(
        UserError,
        match=rf"line 3 of label\.csv has the background_id '{number}', which is no number: .*IIC",
    ):
        background(miniature).names("train")


def test_a_line_that_is_too_short_is_an_error(miniature):
    write_table(miniature, [*rows()[:2], [3, "hand-held"]])
    with pytest.raises(UserError, match=r"line 4 of label\.csv has the background_id None"):
        background(miniature).names("train")


@pytest.mark.parametrize("count", [56, 58])
def test_another_number_of_videos_is_an_error(tmp_path, count):
    write_table(tmp_path, (rows() + rows())[:count])
    with pytest.raises(
        UserError, match=rf"label\.csv names {count} videos instead of 57: .*IICNet"
    ):
        background(tmp_path).names("train")


@pytest.mark.parametrize("suffix", ["mp4", "png"])
@pytest.mark.parametrize(
    ("split", "video"), [("train", "hand-held/train/v0"), ("test", "fixed-camera/train/v3")]
)
def test_a_missing_file_is_named(miniature, suffix, split, video):
    (miniature / f"{video}.{suffix}").unlink()
    with pytest.raises(UserError, match=rf"{video}\.{suffix} is missing: .*Background-Matting"):
        background(miniature).names(split)
    assert background(miniature).names("validation")


def test_a_missing_folder_says_how_to_get_the_dataset(miniature):
    (miniature / "hand-held").rename(miniature / "elsewhere")
    with pytest.raises(UserError, match="hand-held/train does not exist: .*Background-Matting"):
        background(miniature).names("train")


def test_a_background_of_another_size_is_an_error(miniature):
    Image.fromarray(grey(100, 48, 32)).save(miniature / "hand-held" / "train" / "v0.png")
    with pytest.raises(
        UserError, match=r"v0\.png \(48x32\) is not of the size of .*v0\.mp4/000001 \(32x48\)"
    ):
        background(miniature).load("train", 1)


def test_a_broken_video_is_named(miniature):
    path = miniature / "hand-held" / "train" / "v0.mp4"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(UserError, match=r"train/v0\.mp4 cannot be read as a video"):
        background(miniature).names("train")
