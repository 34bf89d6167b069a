"""Training images on the device: the same samples as the host's, at places drawn there."""

import re
from types import SimpleNamespace

import jax
import numpy as np
import pytest

from configs import base
from iicnet_jax.core.errors import UserError
from iicnet_jax.data import on_device
from iicnet_jax.data.pipeline import training_batches
from iicnet_jax.data.tasks import create_task
from iicnet_jax.data.tasks.custom_folder import CustomFolder
from iicnet_jax.data.tasks.dual_view import DualView
from iicnet_jax.data.tasks.grayscale import Grayscale
from iicnet_jax.data.tasks.hiding import Hiding
from iicnet_jax.data.tasks.rescaling import Rescaling
from iicnet_jax.data.tasks.stereo import Stereo
from iicnet_jax.data.tasks.video import Video
from iicnet_jax.imaging.colour import luma
from iicnet_jax.training import sharding
from tests.memory_store import MemoryStore
from tests.training.eight_devices import COLLECTIVE

CROP = 8
KEY = jax.random.key(0)


def image(number, height, width):
    """Every pixel says where it is, and in which image."""
    rows, columns = np.indices((height, width))
    return np.stack(np.broadcast_arrays(rows, columns, number), axis=-1).astype(np.uint8)


def with_samples(task, *samples):
    """The task, as if it had found these samples; each is a list of images."""
    store = task.store
    paths = []
    for number, images in enumerate(samples):
        paths.append(tuple(f"{number}_{i}" for i in range(len(images))))
        store.images.update(zip(paths[-1], images, strict=True))
    task._samples["train"] = paths
    return task


def make(kind, *options, sizes):
    """A task with one sample for each list of sizes; its images are numbered through."""
    store = MemoryStore({}, kind.DATASET)
    numbers = iter(range(256))
    samples = [[image(next(numbers), *size) for size in of_sample] for of_sample in sizes]
    return with_samples(kind(store, *options), *samples)


def tasks():
    # Of different sizes, also within a sample where the task allows it.
    yield make(Stereo, 2, CROP, sizes=[[(20, 30), (17, 33)], [(8, 8), (8, 9)]])
    yield make(Video, 3, CROP, sizes=[[(20, 30)] * 3, [(11, 9)] * 3])
    yield make(Video, 3, CROP, 1, 5, 2, sizes=[[(20, 30)] * 3, [(11, 9)] * 3])
    yield make(CustomFolder, 2, CROP, sizes=[[(200, 100)] * 2, [(8, 8)] * 2])
    yield make(Grayscale, CROP, sizes=[[(20, 30)], [(250, 8)]])
    yield make(DualView, 2, CROP, sizes=[[(20, 30), (40, 61)], [(9, 10), (18, 20)]])
    yield make(Rescaling, CROP, sizes=[[(10, 15), (21, 30)], [(6, 4), (12, 8)]])
    yield make(Hiding, 2, CROP, sizes=[[(580, 577), (576, 600)], [(576, 576)] * 2])


class Recording:
    """Draws as NumPy does, and remembers."""

    def __init__(self, seed):
        self.rng, self.numbers = np.random.default_rng(seed), []

    def integers(self, high):
        self.numbers.append(int(self.rng.integers(high)))
        return self.numbers[-1]


class Given:
    """Draws these numbers."""

    def __init__(self, numbers):
        self.numbers = iter(numbers)

    def integers(self, high):
        return next(self.numbers)


def load(task):
    return on_device.load(on_device.find(task), sharding.data_mesh(2))


@pytest.mark.parametrize("task", [*tasks()], ids=lambda task: type(task).__name__)
def test_from_the_same_numbers_the_device_makes_the_hosts_sample(task):
    """So crops lie in their images, and those of a sample belong together, as on the host."""
    images = load(task)

    @jax.jit
    def on_the_device(images, index, numbers):
        return on_device.draw_sample(task, images, index, Given(numbers))

    for index in (0, 1):
        for seed in range(8):
            rng = Recording(seed)
            expected = task.training_sample(task.load("train", index), rng)
            found = on_the_device(images, index, np.array(rng.numbers))
            assert expected.keys() == found.keys()
            for name, value in expected.items():
                assert found[name].dtype == np.uint8
                np.testing.assert_array_equal(found[name], value)


DRAWN = 4096


@pytest.fixture(scope="module")
def drawn():
    """Many crops of an image of 12x11, and of one of 9x8, flipped and turned."""
    task = make(Grayscale, CROP, sizes=[[(12, 11)], [(9, 8)]])
    draw = on_device.make_draw(task, flip_rotate=True)
    indices = np.arange(DRAWN, dtype=np.int32) % 2
    batch = jax.jit(draw)(load(task), indices, KEY)
    return jax.tree.map(np.asarray, batch)


def test_places_flips_and_turns_are_uniform(drawn):
    """Chi-squared, at a probability of a thousandth; the seed is fixed."""
    frames = drawn["frames"][:, 0]
    places, turns = [], []
    for crop in frames:
        rows, columns = crop[..., 0].astype(int), crop[..., 1].astype(int)
        places.append((rows.min(), columns.min()))
        turns.append(
            (rows[0, 0] - rows.min(), columns[0, 0] - columns.min(), rows[0, 1] != rows[0, 0])
        )
    for of_image, cells in ((slice(0, None, 2), 5 * 4), (slice(1, None, 2), 2 * 1)):
        _require_uniform(places[of_image], cells)
    _require_uniform(turns, 8)


def _require_uniform(found, cells):
    counts = np.array([found.count(value) for value in set(found)])
    assert len(counts) == cells
    expected = len(found) / cells
    statistic, freedom = ((counts - expected) ** 2 / expected).sum(), cells - 1
    # Wilson and Hilferty's approximation of the quantile.
    limit = freedom * (1 - 2 / (9 * freedom) + 3.09 * np.sqrt(2 / (9 * freedom))) ** 3
    assert statistic < limit


def test_drawn_crops_are_parts_of_their_image_and_the_reference_is_theirs(drawn):
    rows, columns, number = np.moveaxis(drawn["frames"][:, 0].astype(int), -1, 0)
    assert (number == (np.arange(DRAWN) % 2)[:, None, None]).all()
    for values, limits in ((rows, (12, 9)), (columns, (11, 8))):
        assert [values[index::2].max() for index in (0, 1)] == [limit - 1 for limit in limits]
    corners = np.abs(rows[:, 0, 0] - rows[:, -1, -1]), np.abs(columns[:, 0, 0] - columns[:, -1, -1])
    assert (np.array(corners) == CROP - 1).all()
    np.testing.assert_array_equal(drawn["reference"][7], luma(drawn["frames"][7, 0]))


def test_the_same_key_draws_the_same_crops():
    task = make(Stereo, 2, CROP, sizes=[[(20, 30), (17, 33)]])
    images, draw = load(task), jax.jit(on_device.make_draw(task, flip_rotate=False))
    batches = [draw(images, np.zeros(4, np.int32), jax.random.key(seed)) for seed in (0, 0, 1)]
    first, again, other = (np.asarray(batch["frames"]) for batch in batches)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first[0], first[1])


def test_a_device_draws_its_share_alone():
    task, mesh = make(Stereo, 2, CROP, sizes=[[(20, 30), (17, 33)]]), sharding.data_mesh(4)
    draw = jax.jit(on_device.make_draw(task, flip_rotate=True))
    indices = sharding.put_batch(mesh, np.zeros(4, np.int32))
    program = draw.lower(load(task), indices, jax.device_put(KEY, sharding.replicated(mesh)))
    program = program.compile()
    assert program.output_shardings["frames"].spec[0] == "data"
    assert re.findall(COLLECTIVE, program.as_text()) == []


def test_frames_that_are_in_several_samples_are_stored_once():
    task = make(Video, 2, CROP, sizes=[[(20, 30)] * 2, [(20, 30)] * 2])
    task._samples["train"][1] = task._samples["train"][0][::-1]
    images = on_device.find(task)
    assert images.samples.tolist() == [[0, 1], [1, 0]]
    assert images.bytes < 3 * 20 * 30 * 3


def test_images_that_do_not_fit_the_device_are_refused_with_both_sizes():
    images = on_device.find(make(Grayscale, CROP, sizes=[[(200, 300)]] * 100))
    memory = {"bytes_limit": 30_000_000, "bytes_in_use": 20_000_000}
    device = SimpleNamespace(device_kind="Small", memory_stats=lambda: memory)
    with pytest.raises(UserError, match=r"100 training images take 0.02 GB .* Small has 0.01 GB"):
        on_device.require_memory(images, [device])
    memory["bytes_in_use"] = 0
    on_device.require_memory(images, [device, *jax.devices()])


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (make(Stereo, 2, CROP, sizes=[[(20, 30), (17, 7)]]), "17x7 is smaller than the crop"),
        (make(Video, 2, CROP, sizes=[[(20, 30), (20, 31)]]), "0_1 .20x31. is not of the size"),
        (make(DualView, 2, CROP, sizes=[[(20, 30), (40, 63)]]), "is not 2 times the size of"),
    ],
)
def test_images_that_do_not_fit_the_task_are_refused(task, message):
    with pytest.raises(UserError, match=message):
        on_device.find(task)


def test_tasks_whose_samples_are_no_crops_are_refused_with_the_list_of_the_others():
    config = base.get_config()
    config.data.update(task="background", root="nowhere")
    with pytest.raises(UserError, match="custom_folder, dual_view, grayscale, hiding, rescaling"):
        on_device.find(create_task(config.data, config.model))


def test_indices_without_images_are_those_with_them():
    task = make(Stereo, 2, CROP, sizes=[[(8, 9)] * 2] * 5)
    whole, alone = (
        training_batches(task, batch_size=4, seed=3, first=2, images=images)
        for images in (True, False)
    )
    for _ in range(6):
        batch, indices = next(whole), next(alone)
        assert indices.keys() == {"index"}
        np.testing.assert_array_equal(batch["index"], indices["index"])
