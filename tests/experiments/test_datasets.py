"""The sample: every experiment of the paper runs on it, and splits share no photograph."""

import csv
import functools
import importlib
import itertools
import json
import pkgutil

import numpy as np
import pytest
from PIL import Image

import configs
from experiments import datasets
from experiments.datasets import SAMPLE_ROOTS, photographs, write_sample
from iicnet_jax.core.errors import UserError
from iicnet_jax.data import TASKS, create_task, videos
from iicnet_jax.data.storage import MINIATURE, split_frame
from iicnet_jax.data.task import SPLITS
from iicnet_jax.imaging.picture_reader import picture_size, read_picture


def experiments():
    """Configurations by file, of those with a task that has a sample."""
    modules = [module for module in pkgutil.iter_modules(configs.__path__) if not module.ispkg]
    names = {module.name for module in modules} - {"base"}
    loaded = {
        name: importlib.import_module(f"configs.{name}").get_config() for name in sorted(names)
    }
    return {name: config for name, config in loaded.items() if config.data.task in SAMPLE_ROOTS}


EXPERIMENTS = experiments()


def regime_on(folder, name):
    config = EXPERIMENTS[name].copy_and_resolve_references()
    config.data.root = str(folder / SAMPLE_ROOTS[config.data.task])
    return create_task(config.data, config.model), config


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp("sample")
    write_sample(out)
    return out


def test_every_dataset_is_of_a_regime():
    assert set(SAMPLE_ROOTS.values()) == datasets.WRITERS.keys()
    assert SAMPLE_ROOTS.keys() == {c.data.task for c in EXPERIMENTS.values()}
    assert SAMPLE_ROOTS.keys() == TASKS.keys() - {"custom_folder"}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_finds_its_groups(written, name):
    task, config = regime_on(written, name)
    scale = 1 if config.model.get("downscaling", "none") == "none" else 2
    channels = 1 if config.data.task == "grayscale" else 3
    for split in SPLITS:
        count = len(task.names(split))
        assert count > 0 and len(set(task.names(split))) == count
        for index in {0, count // 2, count - 1}:
            images = task.load(split, index)
            groups = [task.evaluation_sample(images)]
            if split == "train":
                groups.append(task.training_sample(images, np.random.default_rng(index)))
                assert groups[-1]["frames"].shape[1:3] == (config.data.crop,) * 2
            for group in groups:
                number, height, width, _ = group["frames"].shape
                reference = height // scale, width // scale, channels
                assert number == config.model.num_images
                assert group["reference"].shape == reference
                assert group["frames"].std() > 1


def test_every_sequence_is_long_enough_for_fifteen_images_at_step_five(written):
    sequences = list((written / "DAVIS-2017").glob("*/JPEGImages/480p/*"))
    assert len(sequences) == 15
    assert min(len(list(sequence.iterdir())) for sequence in sequences) >= 71


def test_x8_drops_small_images_from_training(written):
    x4, x8 = (regime_on(written, name)[0].names("train") for name in ("dual_x4", "dual_x8"))
    assert x4 == ["0001x4", "0002x4", "0003x4", "0004x4", "0005x4"]
    assert x8 == ["0002x8", "0005x8"]


def test_hiding_and_grayscale_skip_small_images(written):
    for name, used, there in (("hide_n2", 30, 33), ("grayscale", 12, 14)):
        task, config = regime_on(written, name)
        splits = ("train", "test") if name == "grayscale" else SPLITS
        samples = [sample for split in splits for sample in task.samples(split)]
        assert len(samples) * config.model.num_images == used
        assert task.store.counts["images"] == there


def test_views_of_a_pair_may_differ_in_width(written):
    task, _ = regime_on(written, "stereo")
    widths = [[task.store.size(path)[1] for path in pair] for pair in task.samples("test")]
    assert any(left > right for left, right in widths)
    assert any(left == right for left, right in widths)


@pytest.mark.parametrize("part", ["Training", "Test"])
def test_mattes_and_backgrounds_belong_to_foregrounds(written, part):
    root = written / "Adobe-Matting"
    foregrounds, backgrounds = adobe_files(root, part)
    alphas = [path.parent.parent / "alpha" / path.name for path in foregrounds]
    counts = json.loads((root / MINIATURE).read_text(encoding="utf-8"))["counts"]
    assert len(backgrounds) == len(foregrounds) * counts[f"{part.lower()} backgrounds"]
    for foreground, alpha in zip(foregrounds, alphas, strict=True):
        with Image.open(alpha) as matte:
            assert matte.mode == "L" and np.unique(matte).size > 100
            assert matte.getextrema() == (0, 255)
            assert (matte.height, matte.width) == picture_size(foreground)
    assert part == "Training" or counts["test"] == len(foregrounds)


def test_a_background_is_smaller_than_its_foreground(written):
    foregrounds, backgrounds = adobe_files(written / "Adobe-Matting", "Training")
    pairs = zip(np.repeat(foregrounds, 2), backgrounds, strict=True)
    assert any((np.less(picture_size(small), picture_size(large))).all() for large, small in pairs)


def test_the_camera_of_real_matting_is_fixed_or_shakes(written):
    root = written / "Real-Matting"
    videos_by_split = real_videos(root)
    assert all(videos_by_split[split] for split in SPLITS)
    for path in itertools.chain(*videos_by_split.values()):
        background = read_picture(path.with_suffix(".png")).pixels
        frames = list(videos.read_frames(path))
        assert len(frames) == videos.count_frames(path) == 12
        assert {frame.shape for frame in frames} == {background.shape} == {(240, 320, 3)}
        # Nothing moves into the lowest rows.
        lowest = np.stack([background, *frames])[:, -16:].astype(int)
        assert np.abs(lowest[1:] - lowest[0]).mean(axis=(1, 2, 3)).min() < 9
        shaking = np.abs(lowest[2:] - lowest[1]).mean()
        assert shaking > 4 if "hand-held" in path.parts else shaking < 1
        assert np.abs(frames[0] - frames[-1].astype(int)).max() > 50


def test_the_same_bytes_every_time(written, tmp_path):
    again = write_sample(tmp_path)
    assert again == {name: tmp_path / name for name in datasets.WRITERS}
    first, second = (
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (written, tmp_path)
    )
    assert first == second
    assert sum(map(len, first.values())) < 40e6


def test_only_what_is_asked_for(tmp_path):
    folders = write_sample(tmp_path / "new", ["VOCdevkit"])
    assert folders == {"VOCdevkit": tmp_path / "new" / "VOCdevkit"}
    assert list((tmp_path / "new").iterdir()) == [tmp_path / "new" / "VOCdevkit"]
    with pytest.raises(UserError, match=r"no sample is called 'VOC2012'; there are DAVIS-2017, "):
        write_sample(tmp_path, ["VOC2012"])


def test_existing_folders_stay(tmp_path):
    (tmp_path / "VOCdevkit").mkdir()
    with pytest.raises(UserError, match="VOCdevkit exists already: choose another folder"):
        write_sample(tmp_path, ["flicker", "VOCdevkit"])
    assert list(tmp_path.rglob("*")) == [tmp_path / "VOCdevkit"]


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="file/VOCdevkit cannot be written"):
        write_sample(tmp_path / "file", ["VOCdevkit"])


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_nothing_half_written_is_left(tmp_path, monkeypatch, error):
    def fails(folder):
        (folder / "half.jpg").touch()
        raise error

    monkeypatch.setitem(datasets.WRITERS, "flicker", fails)
    with pytest.raises((UserError, KeyboardInterrupt)):
        write_sample(tmp_path, ["VOCdevkit", "flicker"])
    assert list(tmp_path.iterdir()) == [tmp_path / "VOCdevkit"]
    assert (tmp_path / "VOCdevkit" / "miniature.json").exists()


# Colours far from one another and from all greys, one a photograph, three for the motorcycle.
COLOURS = np.array([c for c in itertools.product((40, 130, 220), repeat=3) if len(set(c)) > 1])


@pytest.fixture(scope="module")
def flat(tmp_path_factory):
    """The sample made of photographs of one colour each, which tells them in every picture.

    The motorcycle is in all splits of the stereo pairs; its thirds have different colours.
    """
    flat_photographs, out = (tmp_path_factory.mktemp(name) for name in ("photographs", "flat"))
    colours = iter(COLOURS.astype(np.uint8))
    thirds = [next(colours) for _ in range(3)]
    for name, file in photographs.FILES.items():
        with Image.open(photographs.FOLDER / file) as image:
            pixels = np.empty((image.height, image.width, 3), np.uint8)
        if "motorcycle" in name:
            pixels[:, :270], pixels[:, 270:480], pixels[:, 480:] = thirds
        else:
            pixels[:] = next(colours)
        Image.fromarray(pixels).save(flat_photographs / file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(photographs, "FOLDER", flat_photographs)
        write_sample(out)
    return out


@functools.cache
def colours_of(path):
    """The colours of more than a fiftieth of an image or of the first frame of a video."""
    is_video = path.suffix == videos.SUFFIX
    image = next(videos.read_frames(path)) if is_video else read_picture(path).pixels
    distances = np.abs(image[::4, ::4, None].astype(int) - COLOURS).max(axis=-1)
    return frozenset(np.flatnonzero((distances < 12).mean(axis=(0, 1)) > 0.02).tolist())


def check_disjoint(paths_by_split):
    colours = {
        split: set().union(*(colours_of(path) for path in paths))
        for split, paths in paths_by_split.items()
    }
    assert all(colours.values())
    for first, second in itertools.combinations(colours, 2):
        # Two tasks validate on the test images, as in the paper.
        if set(paths_by_split[first]) != set(paths_by_split[second]):
            assert colours[first].isdisjoint(colours[second]), (first, second)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_no_photograph_is_in_two_splits(flat, name):
    task, _ = regime_on(flat, name)
    check_disjoint(
        {
            split: [
                task.store.root / split_frame(path)[0]
                for paths in task.samples(split)
                for path in paths
            ]
            for split in SPLITS
        }
    )


def adobe_files(root, part):
    """Foregrounds and backgrounds of a part, in the order of its lists."""
    folder = root / "Combined_Dataset" / f"{part}_set"
    lists = [folder / f"{part.lower()}_{kind}_names.txt" for kind in ("fg", "bg")]
    foregrounds, backgrounds = (path.read_text(encoding="utf-8").splitlines() for path in lists)
    other = root / ("train2014" if part == "Training" else "VOCdevkit/VOC2008/JPEGImages")
    (found,) = zip(*(folder.glob(f"*/fg/{name}") for name in foregrounds), strict=True)
    return list(found), [other / name for name in backgrounds]


def real_videos(root):
    """Videos by split, according to the numbers of their backgrounds."""
    videos_by_split = {split: [] for split in SPLITS}
    with open(root / "label.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            number = int(row["background_id"])
            split = {12: "validation", 1: "test", 3: "test", 10: "test"}.get(number, "train")
            path = root / row["mode"] / row["folder"] / row["filename"]
            videos_by_split[split].append(path.with_suffix(".mp4"))
    return videos_by_split
