"""Checkpoints: what comes back, what is kept, what a kill leaves."""

import json
import random
import shutil
import subprocess

import jax
import jax.numpy as jnp
import numpy as np
import optax
import orbax.checkpoint as ocp
import pytest
from flax import nnx

from iicnet_jax.core.errors import UserError
from iicnet_jax.training import checkpoints, checksums, sharding
from iicnet_jax.training.checkpoints import LATER_FILES, Checkpoints
from iicnet_jax.training.step import TrainState

pytestmark = pytest.mark.filterwarnings(
    # Where Orbax fails, it leaves reads or writes behind that end after their event loop.
    "ignore::pytest.PytestUnraisableExceptionWarning"
)


def make_state(step, value):
    params = nnx.State({"w": nnx.Param(jnp.full((3, 2), value))})
    return TrainState(jnp.int32(step), params, optax.adam(0.1).init(params))


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(*map(jax.tree.leaves, (a, b)), strict=True))


def test_the_state_comes_back(tmp_path):
    with Checkpoints(tmp_path) as kept:
        kept.save(make_state(3, 1.5))
    with Checkpoints(tmp_path) as kept:
        assert same(kept.restore(make_state(0, 0.0)), make_state(3, 1.5))


def test_a_moving_average_comes_back_with_it(tmp_path):
    saved, empty = (
        make_state(step, value).replace(ema_params=make_state(step, 2 * value).params)
        for step, value in ((3, 1.5), (0, 0.0))
    )
    with Checkpoints(tmp_path) as kept:
        kept.save(saved)
        kept.wait()
        restored = kept.restore(empty)
        assert same(restored, saved) and same(restored.weights, make_state(3, 3.0).params)
        with pytest.raises(UserError, match="of step 3 in .* not fit"):
            kept.restore(make_state(0, 0.0))


def test_without_a_moving_average_a_checkpoint_is_that_of_older_versions(tmp_path):
    with ocp.StandardCheckpointer() as older:
        item = {
            name: value for name, value in vars(make_state(3, 1.5)).items() if value is not None
        }
        older.save(tmp_path / "checkpoints/3/state", item)
    assert item.keys() == {"step", "params", "opt_state"}
    with Checkpoints(tmp_path) as kept:
        assert same(kept.restore(make_state(0, 0.0)), make_state(3, 1.5))
        kept.save(make_state(4, 2.5))
    metadata = [json.loads(path.read_text()) for path in sorted(tmp_path.rglob("state/_METADATA"))]
    assert metadata[0]["tree_metadata"] == metadata[-1]["tree_metadata"]


def test_the_state_comes_back_on_another_number_of_devices(tmp_path):
    two = jax.device_put(make_state(3, 1.5), sharding.replicated(sharding.data_mesh(2)))
    one = make_state(0, 0.0)
    for number, (saved, wanted) in enumerate([(two, one), (one, two)]):
        with Checkpoints(tmp_path / str(number)) as kept:
            kept.save(saved)
            kept.wait()
            restored = kept.restore(wanted)
        assert same(restored, saved)
        for leaf, like in zip(*map(jax.tree.leaves, (restored, wanted)), strict=True):
            assert leaf.sharding.device_set == like.sharding.device_set


def test_without_a_checkpoint_the_state_stays(tmp_path):
    with Checkpoints(tmp_path) as kept:
        assert same(kept.restore(make_state(0, 0.5)), make_state(0, 0.5))
        assert kept.latest_step() is None
        with pytest.raises(UserError, match="holds no latest checkpoint"):
            kept.restore_state(make_state(0, 0.5), "latest")


def test_the_last_and_the_best_are_kept(tmp_path):
    scores = {1: None, 2: 30.0, 3: 20.0, 4: None, 5: 25.0, 6: None}
    with Checkpoints(tmp_path, keep_last=2) as kept:
        for step, score in scores.items():
            kept.save(make_state(step, float(step)), score)
    assert sorted(int(path.name) for path in (tmp_path / "checkpoints").iterdir()) == [2, 5, 6]
    with Checkpoints(tmp_path, read_only=True) as kept:
        assert (kept.best_step(), kept.latest_step()) == (2, 6)
        assert same(
            kept.restore_state(make_state(0, 0.0), "best").params, make_state(2, 2.0).params
        )
        assert same(
            kept.restore_state(make_state(0, 0.0), "latest").params, make_state(6, 6.0).params
        )


def test_one_is_kept_if_nothing_else_is_asked_for(tmp_path):
    with Checkpoints(tmp_path) as kept:
        for step in (1, 2):
            kept.save(make_state(step, 1.0))
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["2"]


def test_saving_a_step_twice_keeps_the_first(tmp_path):
    with Checkpoints(tmp_path) as kept:
        kept.save(make_state(1, 1.0))
        kept.wait()
        kept.save(make_state(1, 2.0))
        kept.wait()
        assert same(kept.restore_state(make_state(0, 0.0), "latest"), make_state(1, 1.0))


def test_reading_does_not_tidy_up_after_a_running_training(tmp_path):
    with Checkpoints(tmp_path) as kept:
        kept.save(make_state(1, 1.0))
    half_written = tmp_path / "checkpoints" / "2.orbax-checkpoint-tmp"
    half_written.mkdir()
    with Checkpoints(tmp_path, read_only=True) as kept:
        assert kept.latest_step() == 1
    assert half_written.exists()


def test_a_reader_writes_nothing(tmp_path):
    with Checkpoints(tmp_path, read_only=True) as kept:
        assert kept.latest_step() is None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shapes", [{"v": (3, 2)}, {"w": (4, 2)}])
def test_other_parameters_are_refused(tmp_path, shapes):
    with Checkpoints(tmp_path) as kept:
        kept.save(make_state(3, 1.5))
    params = nnx.State({name: nnx.Param(jnp.zeros(shape)) for name, shape in shapes.items()})
    other = TrainState(jnp.int32(0), params, optax.adam(0.1).init(params))
    with Checkpoints(tmp_path) as kept, pytest.raises(UserError, match="of step 3 in .* not fit"):
        kept.restore(other)


@pytest.fixture(scope="module")
def two_checkpoints(tmp_path_factory):
    """A workdir with the steps 2, which was validated, and 4."""
    workdir = tmp_path_factory.mktemp("runs") / "my run"
    with Checkpoints(workdir, keep_last=2) as kept:
        kept.save(make_state(2, 2.5), score=20.0)
        kept.save(make_state(4, 4.5))
    return workdir


@pytest.fixture
def workdir(two_checkpoints, tmp_path):
    return shutil.copytree(two_checkpoints, tmp_path / "my run")


def files_of(workdir, step):
    folder = workdir / "checkpoints" / str(step)
    return sorted(path for path in folder.rglob("*") if path.is_file())


def damages(content, rng, flips):
    """None for a missing file."""
    yield from (None, b"", content[: len(content) // 2])
    for _ in range(flips):
        flipped = bytearray(content)
        flipped[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        yield bytes(flipped)


def attack(workdir, flips):
    """Damages every file of the newest checkpoint in turn; returns how many damages were told."""
    rng, told = random.Random(0), 0
    for path in files_of(workdir, 4):
        whole = path.read_bytes()
        for content in damages(whole, rng, flips):
            path.unlink(missing_ok=True)
            if content is not None:
                path.write_bytes(content)
            for read in (restored_to_train, restored_to_evaluate):
                if (message := message_of(read, workdir)) is None:
                    assert path.name in (*LATER_FILES, checksums.NAME), (path, content)
                    continue
                assert "the checkpoint of step 4 in" in message, (path, content)
                assert "The one of step 2 is intact" in message, (path, content)
                told += 1
        path.write_bytes(whole)
    return told


def message_of(read, workdir):
    """None where nothing is wrong, and then with the state."""
    try:
        state = read(workdir)
    except UserError as error:
        return str(error)
    assert same(state, make_state(4, 4.5))
    return None


def restored_to_train(workdir):
    with Checkpoints(workdir, keep_last=2) as kept:
        return kept.restore(make_state(0, 0.0))


def restored_to_evaluate(workdir):
    with Checkpoints(workdir, read_only=True) as kept:
        return kept.restore_state(make_state(0, 0.0), "latest")


def test_a_damaged_file_is_told_and_never_used(workdir):
    assert attack(workdir, flips=2) > 100


@pytest.mark.nightly
def test_a_damaged_file_is_told_and_never_used_at_length(workdir):
    assert attack(workdir, flips=100) > 2000


def test_the_message_of_a_damaged_checkpoint_says_how_to_go_on(workdir):
    path = workdir / "checkpoints/4/state/manifest.ocdbt"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match="is damaged: state/manifest.ocdbt was changed") as error:
        Checkpoints(workdir)
    command = str(error.value).partition("repeat the command: ")[2]
    subprocess.run(command, shell=True, check=True)
    with Checkpoints(workdir) as kept:
        assert same(kept.restore(make_state(0, 0.0)), make_state(2, 2.5))
    assert (workdir / "damaged/4/state/manifest.ocdbt").exists()


def test_where_all_checkpoints_are_damaged_none_is_recommended(workdir):
    for step in (2, 4):
        (workdir / f"checkpoints/{step}/state/_METADATA").unlink()
    with pytest.raises(UserError, match="step 2 .* step 4 .* There is no other one"):
        Checkpoints(workdir)


def test_training_does_not_go_on_beside_a_damaged_best_checkpoint(workdir):
    path = workdir / "checkpoints/2/metrics/metrics"
    path.write_text('{"score": 90.0}')
    with pytest.raises(
        UserError, match="step 2 .* metrics/metrics was changed. .* step 4 is intact"
    ):
        Checkpoints(workdir)
    assert same(restored_to_evaluate(workdir), make_state(4, 4.5))


def test_a_checkpoint_of_an_older_version_has_no_checksums_and_is_read(workdir, caplog):
    for step in (2, 4):
        (workdir / f"checkpoints/{step}" / checksums.NAME).unlink()
    with Checkpoints(workdir) as kept:
        assert same(kept.restore(make_state(0, 0.0)), make_state(4, 4.5))
        assert kept.unverified == 4
    assert "step 4 has no checksums" in caplog.text
    (workdir / "checkpoints/4/state/manifest.ocdbt").unlink()
    with pytest.raises(UserError, match=r"step 4 .* cannot be read .* step 2 may be intact"):
        restored_to_evaluate(workdir)


def test_the_checksums_are_those_of_sha256sum(workdir):
    subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", checksums.NAME],
        cwd=workdir / "checkpoints/4",
        check=True,
    )


def test_a_full_disk_is_told_before_orbax_begins_and_keeps_what_is_there(workdir, monkeypatch):
    monkeypatch.setattr(checkpoints, "SPACE_FOR_THE_REST", 10**18)
    with Checkpoints(workdir) as kept:
        with pytest.raises(UserError, match="step 5 may take .* are free in .* step 4 is kept"):
            kept.save(make_state(5, 5.0))
        assert same(kept.restore(make_state(0, 0.0)), make_state(4, 4.5))


def test_an_error_in_the_background_is_told_once(workdir, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checksums, "write", fail)
    kept = Checkpoints(workdir)
    with pytest.raises(UserError, match="step 5 cannot be written .* step 4 is kept"), kept:
        kept.save(make_state(5, 5.0))
    assert same(restored_to_evaluate(workdir), make_state(4, 4.5))
