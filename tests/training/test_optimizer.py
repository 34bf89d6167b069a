"""The order of clipping, decay and Adam, and the learning rate by step."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from iicnet_jax.training.optimizer import SCHEDULES, adam, learning_rate, moving_average, run_length

PEAK = 2e-4


def rate(name, step, *, steps=50_000, warmup_steps=0):
    schedule = learning_rate(name, PEAK, steps=steps, warmup_steps=warmup_steps)
    return float(schedule(jnp.asarray(step, jnp.int32)))


def run(optimizer, params, gradients):
    params = jnp.asarray(params)
    state = optimizer.init(params)
    for gradient in gradients:
        updates, state = optimizer.update(jnp.asarray(gradient), state, params)
        params = optax.apply_updates(params, updates)
    return np.asarray(params)


def test_gradient_is_clipped_then_decay_added_then_adam_applied():
    """Two steps by hand; decay before the clip, or uncoupled decay, gives another result."""
    params, gradients = np.array([2.0, -1.0]), np.array([[6.0, 8.0], [0.3, -0.4]])
    ours = run(
        adam(optax.constant_schedule(0.1), clip_norm=1.0, weight_decay=0.5),
        params.astype(np.float32),
        gradients.astype(np.float32),
    )
    m = v = np.zeros(2)
    for step, gradient in enumerate(gradients, start=1):
        gradient = gradient / max(np.linalg.norm(gradient) / 1.0, 1.0) + 0.5 * params
        m = 0.9 * m + 0.1 * gradient
        v = 0.999 * v + 0.001 * gradient**2
        params = params - 0.1 * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
    np.testing.assert_allclose(ours, params, rtol=1e-5)


def test_clipping_takes_the_norm_over_all_parameters():
    optimizer = adam(optax.constant_schedule(1.0), clip_norm=10.0, weight_decay=0.0)
    gradient = {"a": jnp.asarray([6.0]), "b": jnp.asarray([8.0])}
    params = {"a": jnp.zeros(1), "b": jnp.zeros(1)}
    within = optimizer.update(gradient, optimizer.init(params), params)[1]
    doubled = {name: 2 * value for name, value in gradient.items()}
    clipped = optimizer.update(doubled, optimizer.init(params), params)[1]
    np.testing.assert_allclose(clipped[2].mu["a"], within[2].mu["a"], rtol=1e-6)
    np.testing.assert_allclose(clipped[2].mu["b"], 0.1 * 8.0, rtol=1e-6)


def test_defaults_clip_at_ten_and_decay_by_a_hundred_thousandth():
    gradients, params = [[30.0, 40.0], [1.0, -2.0]], [1e5, -2e5]
    schedule = optax.constant_schedule(0.1)
    named = adam(schedule, clip_norm=10.0, weight_decay=1e-5, b1=0.9, b2=0.999)
    expected = run(named, params, gradients)
    np.testing.assert_array_equal(run(adam(schedule), params, gradients), expected)


@pytest.mark.parametrize(
    ("name", "step", "halvings"),
    [
        ("supplement", 0, 0),
        ("supplement", 9_999, 0),
        ("supplement", 10_000, 1),
        ("supplement", 20_000, 2),
        ("supplement", 49_999, 4),
        ("published_code", 0, 0),
        ("published_code", 99_999, 0),
        ("published_code", 100_000, 1),
        ("published_code", 200_000, 2),
        ("published_code", 499_999, 4),
    ],
)
def test_rate_is_halved_at_the_step_that_the_schedule_names(name, step, halvings):
    steps = run_length(name, None)
    np.testing.assert_allclose(rate(name, step, steps=steps), PEAK / 2**halvings, rtol=1e-6)


@pytest.mark.parametrize("step", [0, 1, 99_999])
def test_constant_rate_stays(step):
    np.testing.assert_allclose(rate("constant", step), PEAK, rtol=1e-6)


@pytest.mark.parametrize(("step", "share"), [(0, 1), (25, 0.8535534), (50, 0.5), (100, 0)])
def test_cosine_falls_to_zero_at_the_end_of_the_run(step, share):
    np.testing.assert_allclose(rate("cosine", step, steps=100), share * PEAK, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize(("step", "share"), [(0, 0), (5, 0.05), (50, 0.5), (100, 1)])
def test_rate_rises_linearly_during_the_warm_up(name, step, share):
    ours = rate(name, step, warmup_steps=100)
    np.testing.assert_allclose(ours, share * PEAK, rtol=1e-5)


@pytest.mark.parametrize(("step", "share"), [(9_999, 1), (10_000, 0.5), (20_000, 0.25)])
def test_warm_up_does_not_delay_the_halving(step, share):
    ours = rate("supplement", step, warmup_steps=500)
    np.testing.assert_allclose(ours, share * PEAK, rtol=1e-6)


def test_warm_up_does_not_delay_the_end_of_the_cosine():
    assert rate("cosine", 99, steps=100, warmup_steps=20) > 0
    assert rate("cosine", 100, steps=100, warmup_steps=20) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("name", "length"), [("supplement", 50_000), ("published_code", 500_000)])
def test_published_schedules_name_the_length_of_the_run(name, length):
    assert run_length(name, None) == length


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_given_length_of_the_run_is_taken(name):
    assert run_length(name, 7) == 7


@pytest.mark.parametrize("name", ["constant", "cosine"])
def test_schedules_without_a_length_ask_for_one(name):
    with pytest.raises(ValueError, match=f"'{name}' needs a number of steps"):
        run_length(name, None)


def test_unknown_schedules_are_named_beside_the_known():
    with pytest.raises(ValueError, match="'linear'; known: supplement, published_code, constant"):
        learning_rate("linear", PEAK, steps=10)


def test_without_clipping_the_gradient_keeps_its_norm():
    optimizer = adam(optax.constant_schedule(1.0), clip_norm=0.0, weight_decay=0.0)
    params, gradient = jnp.zeros(1), jnp.asarray([1e4])
    _, state = optimizer.update(gradient, optimizer.init(params), params)
    assert any(np.isclose(np.asarray(leaf), 1e3).all() for leaf in jax.tree.leaves(state))


def test_polynomial_decay_ends_at_one_hundredth():
    assert rate("polynomial", 0) == pytest.approx(PEAK)
    expected = PEAK * (0.99 * 0.5**0.9 + 0.01)
    assert rate("polynomial", 25_000) == pytest.approx(expected, rel=1e-5)
    assert rate("polynomial", 50_000) == pytest.approx(PEAK / 100, rel=1e-4)


def test_the_moving_average_decays_faster_in_the_first_steps():
    average, expected = jnp.float32(100.0), 100.0
    for step, (value, decay) in enumerate([(1.0, 1 / 10), (2.0, 2 / 11), (3.0, 0.2), (4.0, 0.2)]):
        average = moving_average(average, jnp.float32(value), 0.2, jnp.int32(step))
        expected = decay * expected + (1 - decay) * value
        assert float(average) == pytest.approx(expected, rel=1e-6)


def test_a_short_run_forgets_the_initial_weights():
    average = jnp.float32(1.0)
    for step in range(50):
        average = moving_average(average, jnp.float32(0.0), 0.9999, jnp.int32(step))
    assert float(average) < 1e-6
