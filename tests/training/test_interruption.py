"""Signals, and numbers that are not finite."""

import json
import os
import signal

import jax.numpy as jnp
import numpy as np
import pytest

from iicnet_jax.core.errors import UserError
from iicnet_jax.training.interruption import LossGuard, StopRequest


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_noted_and_the_program_goes_on(number):
    before = signal.getsignal(number)
    with StopRequest() as stop:
        assert stop.signal is None
        os.kill(os.getpid(), number)
        assert stop.signal == number
        assert signal.getsignal(number) == before, "the second signal acts as usual"
    assert signal.getsignal(number) == before


def guard(tmp_path):
    return LossGuard(tmp_path / "report.json", lambda index: f"image{index}")


ONE = jnp.ones(1)


@pytest.mark.parametrize(
    ("loss", "gradient_norm", "said"),
    [(jnp.nan, 1, "loss was nan"), (jnp.inf, 1, "loss was inf"), (1, jnp.inf, "norm inf")],
)
def test_numbers_that_are_not_finite_stop_and_list_the_samples(tmp_path, loss, gradient_norm, said):
    watch = guard(tmp_path)
    watch.watch(7, ONE, ONE, np.array([[0, 1]]))
    watch.watch(8, loss * ONE, gradient_norm * ONE, np.array([[4, 2]]))
    with pytest.raises(UserError, match=rf"in step 8 .*{said}.*learning_rate"):
        watch.watch(9, ONE, ONE, np.array([[5, 6]]))
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["step"] == 8
    assert report["samples"] == [{"index": 4, "name": "image4"}, {"index": 2, "name": "image2"}]


def test_of_several_steps_in_a_call_the_first_bad_one_is_named(tmp_path):
    watch = guard(tmp_path)
    losses = jnp.array([1.0, jnp.nan, jnp.nan, jnp.nan])
    watch.watch(12, losses, jnp.ones(4), np.array([[0, 1], [4, 2], [5, 6], [7, 8]]))
    with pytest.raises(UserError, match="in step 10 the loss was nan"):
        watch.settle()
    report = json.loads((tmp_path / "report.json").read_text())
    assert [sample["index"] for sample in report["samples"]] == [4, 2]


def test_settling_checks_the_last_step_too(tmp_path):
    watch = guard(tmp_path)
    watch.watch(1, jnp.nan * ONE, ONE, np.array([[3]]))
    with pytest.raises(UserError, match="step 1"):
        watch.settle()


def test_finite_numbers_pass(tmp_path):
    watch = guard(tmp_path)
    for step in range(3):
        watch.watch(step, step * ONE, ONE, np.array([[0]]))
    watch.settle()
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_that_may_have_been_damaged_is_blamed_before_the_samples(tmp_path):
    watch = LossGuard(tmp_path / "report.json", str, unverified=6)
    watch.watch(7, jnp.nan * ONE, ONE, np.array([[0]]))
    with pytest.raises(UserError, match="checkpoint of step 6, which has no checksums"):
        watch.settle()
