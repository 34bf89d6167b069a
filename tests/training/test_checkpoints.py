"""Checkpoints: what comes back, what is kept, what a kill leaves."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from iicnet_jax.errors import UserError
from iicnet_jax.training import sharding
from iicnet_jax.training.checkpoints import Checkpoints
from iicnet_jax.training.step import TrainState


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
        kept.save(make_state(1, 1.0))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shapes", [{"v": (3, 2)}, {"w": (4, 2)}])
def test_other_parameters_are_refused(tmp_path, shapes):
    with Checkpoints(tmp_path) as kept:
        kept.save(make_state(3, 1.5))
    params = nnx.State({name: nnx.Param(jnp.zeros(shape)) for name, shape in shapes.items()})
    other = TrainState(jnp.int32(0), params, optax.adam(0.1).init(params))
    with Checkpoints(tmp_path) as kept, pytest.raises(UserError, match="of step 3 in .* not fit"):
        kept.restore(other)
