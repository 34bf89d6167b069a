"""Datasets made of photographs and videos of one's own: tasks read them, splits share nothing."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from experiments import datasets, photographs
from experiments.datasets import SAMPLE_ROOTS
from experiments.datasets.flickr1024 import REAL
from experiments.photographs import FLICKER
from experiments.supplement import load
from iicnet_jax.core.errors import UserError
from iicnet_jax.data import create_task
from iicnet_jax.data.task import SPLITS
from iicnet_jax.data.tasks.hiding import FOLDER, Hiding
from tests.memory_store import MemoryStore


def write_photograph(path, split, size=(608, 584)):
    values = np.random.RandomState(len(str(path))).randint(0, 60, (*size[::-1], 3), np.uint8)
    values[..., SPLITS.index(split)] += 150  # the bright channel tells the split
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Five photographs, three of which train, and two videos, one of which does."""
    for name, value in {
        "FLICKER": {"train": 14, "validation": 2, "test": 4},
        "VOC_IMAGES": 2,
        "FRAME": (96, 64),
        "STEREO": (160, 96),
        "STEREO_PAIRS": 2,
        # Tells which pictures it would saturate, and keeps the brightest channel.
        "_saturation": lambda *_, **__: lambda image: image.point(lambda level: level // 2),
    }.items():
        monkeypatch.setattr(photographs, name, value)
    monkeypatch.setattr(datasets.davis, "FRAMES", 9)
    monkeypatch.setattr(datasets.photographs, "BY_SPLIT", {})
    for name, split in zip("abcde", (*SPLITS[:1] * 3, *SPLITS[1:]), strict=True):
        write_photograph(tmp_path / "photos" / f"{name}.png", split)
    for name, split in (("one", "train"), ("two", "test")):
        for time in range(6):
            write_photograph(tmp_path / "videos" / name / f"frame{time}.png", split, (64, 48))
    photographs.write(tmp_path / "photos", tmp_path / "videos", tmp_path / "out")
    return tmp_path


def test_no_picture_is_in_two_splits(folders):
    for name in ("hide_n2", "grayscale", "dual_x4", "rescale_x2", "video_n3_down", "stereo"):
        config = load(name)
        config.data.root = str(folders / "out" / SAMPLE_ROOTS[config.data.task])
        config.model.num_images = min(config.model.num_images, 2)
        task = create_task(config.data, config.model)
        for split in SPLITS:
            # The motorcycle is in all splits.
            first = len(REAL[split]) if name == "stereo" else 0
            allowed = {split}
            if name in ("grayscale", "rescale_x2"):  # validate on the images that test
                allowed = {"train", "validation"} if split == "train" else {"test"}
            assert len(task.names(split)) > first
            for index in range(first, len(task.names(split))):
                for image in task.evaluation_sample(task.load(split, index))["frames"]:
                    seen = SPLITS[image.mean((0, 1)).argmax()]
                    assert seen in allowed, (name, split, index)
                    assert split == "train" or image.max() > 128, "saturated pictures only train"
    names = json.loads((folders / "out" / "pictures.json").read_text())
    assert names["photographs"]["test"] == ["e.png"] and names["videos"]["train"] == ["one"]


def test_some_of_what_trains_is_saturated(folders):
    def found(pattern):
        images = sorted((folders / "out").glob(pattern))
        return len(images), [i for i, image in enumerate(images) if _brightest(image) < 128]

    assert found(f"flicker/{FOLDER}/*") == (20, [4, 11])  # the first 14 train
    assert found("VOCdevkit/VOC2012/JPEGImages/*") == (8, [4])  # 6
    # Three pictures, the same reduced, two on pages, one saturated; then validation.
    assert found("DIV2K/DIV2K_train_HR/*") == (10, [8])
    # After two real pairs.
    assert found("flickr1024/Train_?/*_L.png") == found("flickr1024/Train_?/*_R.png") == (8, [6])


def _brightest(path):
    return np.asarray(Image.open(path)).max()


def test_saturated_pictures_have_black_and_full_channels():
    values = np.random.RandomState(0).randint(0, 256, (64, 64, 3), np.uint8)
    gains = np.random.default_rng(0)
    at_an_end = [
        np.isin(photographs._saturation(gains)(Image.fromarray(values)), (0, 255)).mean()
        for _ in range(20)
    ]
    assert np.mean(at_an_end) > 0.5 and len(set(at_an_end)) == 20


def test_videos_of_a_camera_that_hardly_moves_train_as_well(folders):
    def change(sequence):
        first, second = (
            np.asarray(Image.open(sequence / f"{time:05d}.jpg"), np.float32) for time in (0, 1)
        )
        return np.median(np.abs(second - first))

    parts = "DAVIS-2017/DAVIS-2017-{}/JPEGImages/480p"
    train, test = (
        sorted((folders / "out" / parts.format(part)).iterdir())
        for part in ("trainval", "test-challenge")
    )
    calm = [change(sequence) for sequence in train[-6:]]  # two of each photograph
    assert 0 < min(calm) < 4 < change(test[-1]), (calm, change(test[-1]))
    lengths = [len(list(sequence.iterdir())) for sequence in train[-6:]]
    assert lengths == [9, 9, 9, 3, 3, 3]  # the same way in a third of the time: saturated pieces


def test_groups_of_every_size_are_split_at_the_same_places():
    count = sum(FLICKER.values())
    images = {f"{FOLDER}/{number:05d}.jpg": (576, 576) for number in range(count)}
    store = MemoryStore(images, Hiding.DATASET)
    store.counts = {"images": count}
    for num_images in (2, 3, 4, 5):
        task = Hiding(store, num_images, crop=144)
        used = {split: num_images * len(task.names(split)) for split in SPLITS}
        assert used == FLICKER


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(0, [0, 0, 0]), (1, [1, 0, 0]), (3, [2, 0, 1]), (5, [3, 1, 1]), (26, [18, 3, 5])],
)
def test_split_sizes(count, sizes):
    paths = list(range(count))
    splits = photographs.split_paths(paths)
    assert [len(splits[split]) for split in SPLITS] == sizes
    assert [path for split in SPLITS for path in splits[split]] == paths


def test_too_small_photographs_are_named_as_such(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.photographs, "BY_SPLIT", {})
    for name in "abcde":
        write_photograph(tmp_path / "photos" / f"{name}.png", "train", (100, 80))
    with pytest.raises(UserError, match="3 photographs for train none has sides of 576 pixels"):
        photographs.write(tmp_path / "photos", None, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_the_command_wants_five_photographs(tmp_path):
    command = [sys.executable, "-m", "experiments.photographs", f"--photos={tmp_path}"]
    done = subprocess.run(
        [*command, f"--out={tmp_path / 'out'}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == f"error: {tmp_path} holds 0 photographs: give at least 5\n"
