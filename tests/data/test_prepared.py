"""Datasets prepared for TFDS: the same samples as from the folder, and nothing half-written."""

import importlib
import io
import pickle

import numpy as np
import pytest
from PIL import Image

from configs.base import get_config
from experiments.datasets import SAMPLE_ROOTS, write_sample
from iicnet_jax.core.errors import UserError
from iicnet_jax.data import create_task
from iicnet_jax.data.div2k import DATASET
from iicnet_jax.data.prepared import PreparedStore, prepare
from iicnet_jax.data.storage import Dataset, FolderStore
from iicnet_jax.data.tasks.video import Video
from iicnet_jax.imaging.picture_reader import read_picture
from tests.miniature import write_miniature

COUNTS = {"train": 6, "valid": 2}
SCALE = 2


def write_png(path, height, width, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.fixture(scope="module")
def div2k(tmp_path_factory):
    """A miniature with images of different sizes, of which none is a multiple of the tile's."""
    root = tmp_path_factory.mktemp("DIV2K")
    for part, count in COUNTS.items():
        for number in range(1, count + 1):
            height, width = 31 + number, 40 - number
            write_png(root / f"DIV2K_{part}_HR/{number:04d}.png", 2 * height, 2 * width, number)
            low = root / f"DIV2K_{part}_LR_bicubic/X2/{number:04d}x2.png"
            write_png(low, height, width, 100 + number)
    counts = dict.fromkeys(DATASET.counts, 1) | COUNTS
    write_miniature(root, **counts)
    return root


def config_for(root, task="dual_view"):
    config = get_config()
    config.data.update(task=task, root=str(root), scale=SCALE, crop=16)
    config.model.num_images = 2 if task == "dual_view" else 1
    return config


def same(a, b):
    assert a.keys() == b.keys()
    for key in a:
        assert type(a[key]) is type(b[key]) is np.ndarray
        np.testing.assert_array_equal(a[key], b[key])


@pytest.mark.parametrize("tile", [None, 24, 200])
@pytest.mark.parametrize("task", ["dual_view", "rescaling"])
def test_the_samples_are_those_of_the_folder(div2k, tmp_path, tile, task):
    prepared = prepare(DATASET, div2k, tmp_path, tile)
    from_folder, from_tfds = (
        create_task((config := config_for(root, task)).data, config.model)
        for root in (div2k, prepared)
    )
    assert isinstance(from_tfds.store, PreparedStore)
    for split in ("train", "validation", "test"):
        assert from_tfds.names(split) == from_folder.names(split)
        for index in range(len(from_folder.names(split))):
            a, b = (r.load(split, index) for r in (from_folder, from_tfds))
            same(from_folder.evaluation_sample(a), from_tfds.evaluation_sample(b))
            crops = [
                r.training_sample(images, np.random.default_rng(index))
                for r, images in ((from_folder, a), (from_tfds, b))
            ]
            same(*crops)


@pytest.mark.parametrize("name", ["composition", "background", "hide_n2", "grayscale", "stereo"])
def test_every_dataset_can_be_prepared(name, tmp_path):
    """With text files, mattes and videos."""
    config = importlib.import_module(f"configs.{name}").get_config()
    root = SAMPLE_ROOTS[config.data.task]
    write_sample(tmp_path, [root])
    config.data.root = str(tmp_path / root)
    from_folder = create_task(config.data, config.model)
    prepared = prepare(from_folder.DATASET, tmp_path / root, tmp_path / "out")
    config.data.root = str(prepared)
    from_tfds = create_task(config.data, config.model)
    for split in ("train", "validation", "test"):
        names = from_folder.names(split)
        assert from_tfds.names(split) == names
        for index in (0, len(names) - 1):
            same(*(r.evaluation_sample(r.load(split, index)) for r in (from_folder, from_tfds)))


def test_a_crop_decodes_only_the_tiles_it_shows(div2k, tmp_path, monkeypatch):
    store = PreparedStore(prepare(DATASET, div2k, tmp_path, 16), DATASET)
    image = store.read("DIV2K_train_HR/0001.png")
    assert image.shape == (64, 78, 3)
    decoded = []
    monkeypatch.setattr(
        "iicnet_jax.data.prepared.read_picture",
        lambda file, name: decoded.append(name) or read_picture(file, name),
    )
    whole = np.asarray(Image.open(div2k / "DIV2K_train_HR/0001.png"))
    np.testing.assert_array_equal(image[20:30, 33:47], whole[20:30, 33:47])
    assert len(decoded) == 1
    np.testing.assert_array_equal(image[60:64, 60:78], whole[60:, 60:])
    assert len(decoded) == 3
    np.testing.assert_array_equal(np.asarray(image), whole)


def test_sequences_texts_and_hidden_files(tmp_path):
    """Nested folders keep their order; text files come along; hidden files do not."""
    dataset = Dataset(
        "letters", "write it", {}, {"b": ("b/*/*.png",), "a": ("a/*.png",)}, ("names.txt",)
    )
    hidden = ["a/.h.png", "b/__MACOSX/0.png"]
    for number, path in enumerate(["b/z/0.png", "b/z/1.png", "b/y/0.png", "a/0.png", *hidden]):
        write_png(tmp_path / "in" / path, 5, 4 + number, number)
    (tmp_path / "in/names.txt").write_text("one\ntwo\n")
    store = PreparedStore(prepare(dataset, tmp_path / "in", tmp_path / "out"), dataset)
    folder = FolderStore(tmp_path / "in", dataset)
    assert store.folders("b") == folder.folders("b") == ["b/y", "b/z"]
    assert store.folders(".") == folder.folders(".") == ["a", "b"]
    assert store.files("b/z", ".png") == folder.files("b/z", ".png") == ["b/z/0.png", "b/z/1.png"]
    assert store.files("a", ".png") == ["a/0.png"]
    assert store.lines("names.txt") == ["one", "two"]
    for path in ("b/y/0.png", "b/z/1.png", "a/0.png"):
        np.testing.assert_array_equal(store.read(path), folder.read(path))
        assert store.size(path) == folder.size(path)


def test_a_worker_process_gets_the_same_store(div2k, tmp_path):
    store = PreparedStore(prepare(DATASET, div2k, tmp_path), DATASET)
    copy = pickle.loads(pickle.dumps(store))
    path = "DIV2K_valid_HR/0002.png"
    np.testing.assert_array_equal(copy.read(path), store.read(path))


def test_preparing_again_changes_nothing(div2k, tmp_path):
    folder = prepare(DATASET, div2k, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert prepare(DATASET, div2k, tmp_path) == folder
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_an_interrupted_preparation_leaves_nothing_that_loads_and_can_be_repeated(
    div2k, tmp_path, monkeypatch
):
    def interrupt(image):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("iicnet_jax.data.prepared._png", interrupt)
        with pytest.raises(KeyboardInterrupt):
            prepare(DATASET, div2k, tmp_path, tile=24)
    assert not list(tmp_path.glob("**/dataset_info.json"))
    # What a killed process would leave.
    (tmp_path / "div2k/tiles_24/1.0.0.incompleteABCDEF").mkdir(parents=True)
    folder = prepare(DATASET, div2k, tmp_path, tile=24)
    assert [path.name for path in folder.parent.iterdir()] == ["1.0.0"]
    assert PreparedStore(folder, DATASET).counts["train"] == COUNTS["train"]


def test_a_broken_image_is_named(div2k, tmp_path):
    broken = tmp_path / "DIV2K"
    for path in div2k.rglob("*"):
        if path.is_file():
            target = broken / path.relative_to(div2k)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    (broken / "DIV2K_train_HR/0003.png").write_bytes(b"no image")
    with pytest.raises(UserError, match=r"0003\.png is (damaged|not a picture)"):
        prepare(DATASET, broken, tmp_path / "out")
    assert not list((tmp_path / "out").glob("**/dataset_info.json"))


def test_another_dataset_is_refused(div2k, tmp_path):
    folder = prepare(DATASET, div2k, tmp_path)
    with pytest.raises(UserError, match="holds div2k, but the configuration needs davis2017"):
        PreparedStore(folder, Video.DATASET)


def test_what_was_not_prepared_is_named(div2k, tmp_path):
    store = PreparedStore(prepare(DATASET, div2k, tmp_path), DATASET)
    for ask in (store.read, store.size, store.lines, store.folders):
        with pytest.raises(UserError, match="has no DIV2K_train_LR_bicubic/X4: prepare"):
            ask("DIV2K_train_LR_bicubic/X4")


def test_image_files_are_stored_as_they_are(div2k, tmp_path):
    folder = prepare(DATASET, div2k, tmp_path)
    store = PreparedStore(folder, DATASET)
    record = store._sources["train"][0]["image"]
    assert record == (div2k / "DIV2K_train_HR/0001.png").read_bytes()
    assert Image.open(io.BytesIO(record)).format == "PNG"
