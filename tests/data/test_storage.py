"""A dataset's folder: what is in it, and pictures that are read as the tool reads them."""

import pickle

import numpy as np
import pytest
from PIL import Image

from iicnet_jax.core.errors import UserError
from iicnet_jax.data.check import check
from iicnet_jax.data.storage import MINIATURE, Dataset, FolderStore, Store, cached
from iicnet_jax.data.tasks.custom_folder import CustomFolder
from iicnet_jax.imaging.picture_reader import read_picture

DATASET = Dataset(name="any", how_to_get="get it there", counts={}, parts={})
JUNK = ("._0.png", ".DS_Store", "Thumbs.db", "desktop.ini", "ehthumbs.db", ".directory")


@pytest.fixture
def groups(tmp_path):
    for group in "abc":
        for image in range(2):
            path = tmp_path / group / f"{image}.png"
            path.parent.mkdir(exist_ok=True)
            Image.new("RGB", (8, 8)).save(path)
    return tmp_path


def test_what_operating_systems_leave_in_folders_is_not_there(groups):
    for folder in ("a", "."):
        for name in JUNK:
            (groups / folder / name).write_bytes(b"\0\5\x16\7")
        for name in ("__MACOSX", ".Trashes"):
            (groups / folder / name).mkdir()
            (groups / folder / name / "0.png").touch()
    store = FolderStore(groups, DATASET)
    assert store.files("a", "") == ["a/0.png", "a/1.png"]
    assert store.folders(".") == ["a", "b", "c"]
    report = check(CustomFolder(store, num_images=2, crop=8))
    assert (sum(report.samples.values()), report.problems) == (3, [])
    report = check(CustomFolder(store, num_images=1, crop=8, pattern="{group}{image}.png"))
    assert "0 groups of images" in report.problems[0]


def test_grey_of_16_bits_has_the_levels_that_the_tool_reads(groups):
    grey = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    Image.fromarray(grey).save(groups / "a/0.png")
    pixels = FolderStore(groups, DATASET).read("a/0.png")
    np.testing.assert_array_equal(pixels, np.repeat(np.round(grey / 257)[..., None], 3, axis=2))
    np.testing.assert_array_equal(pixels, read_picture(groups / "a/0.png").pixels)


def test_the_size_is_that_of_the_upright_picture(groups):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (8, 6)).save(groups / "a/0.jpg", exif=exif)
    store = FolderStore(groups, DATASET)
    assert store.size("a/0.jpg") == store.read("a/0.jpg").shape[:2] == (8, 6)


def test_missing_files_say_how_to_get_the_dataset(groups):
    store = FolderStore(groups, DATASET)
    for ask in (store.read, store.size):
        with pytest.raises(UserError, match=r"a/9\.png is missing: get it there"):
            ask("a/9.png")


def test_every_damaged_picture_is_one_problem_that_names_the_file(groups):
    # A Targa file with a pixel format on which Pillow raises ValueError.
    header = bytes([0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 8, 0, 16, 0])
    (groups / "a/0.png").write_bytes(header + bytes(128))
    # A PNG whose first chunk has a damaged checksum: SyntaxError.
    data = (groups / "b/0.png").read_bytes()
    (groups / "b/0.png").write_bytes(data[:29] + b"\0\0\0\0" + data[33:])
    (groups / "c/1.png").write_bytes((groups / "c/1.png").read_bytes()[:44])
    report = check(CustomFolder(FolderStore(groups, DATASET), num_images=2, crop=8))
    assert len(report.problems) == 3
    for name, problem in zip(("a/0.png", "b/0.png", "c/1.png"), report.problems, strict=True):
        assert problem.startswith(f"{groups / name} is ") and "\n" not in problem


def test_a_group_of_another_number_is_named_with_its_files(groups):
    Image.new("RGB", (8, 8)).save(groups / "b/new.png")
    report = check(CustomFolder(FolderStore(groups, DATASET), num_images=2, crop=8))
    assert "b has 3 images instead of 2 (0.png, 1.png, new.png)" in report.problems[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "it is no JSON"),
        ("{}", "it lacks counts"),
        ('{"counts": {"test": 1}}', "it lacks counts.train"),
        ('{"counts": {"train": "8"}}', "its counts.train cannot be '8'"),
    ],
)
def test_a_damaged_miniature_is_named(tmp_path, text, message):
    (tmp_path / MINIATURE).write_text(text)
    dataset = Dataset(name="any", how_to_get="get it there", counts={"train": 800}, parts={})
    with pytest.raises(UserError, match=f"miniature.json does not describe .* any, .*: {message}"):
        _ = FolderStore(tmp_path, dataset).counts


def test_a_cached_store_reads_an_image_once_and_is_a_store_like_the_other(groups, monkeypatch):
    store = FolderStore(groups, DATASET)
    read = []
    monkeypatch.setattr(store, "read", lambda path: read.append(path) or path)
    kept = cached(store, images=1)
    assert isinstance(kept, Store) and kept.files("a", "") == store.files("a", "")
    assert [kept.read(path) for path in ("a", "a", "b", "b", "a")] == ["a", "a", "b", "b", "a"]
    assert read == ["a", "b", "a"]
    copy = pickle.loads(pickle.dumps(cached(FolderStore(groups, DATASET))))
    assert copy.folders(".") == ["a", "b", "c"] and copy.read("a/0.png").shape == (8, 8, 3)
