"""The train step: a pure function of state, batch and key, on one device or several."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from iicnet_jax.core.errors import UserError
from iicnet_jax.models import IICNet
from iicnet_jax.models.baselines import IRN, InvertibleGrayscale, WINNaive
from iicnet_jax.models.channel import Channel
from iicnet_jax.training import sharding
from iicnet_jax.training.baseline_losses import InvertibleGrayscaleLoss, IRNLoss, WINLoss
from iicnet_jax.training.losses import IICNetLoss
from iicnet_jax.training.step import QUANTISERS, create_state, make_train_step, several_steps
from tests.training.eight_devices import COLLECTIVE

KEY = jax.random.key(0)


@pytest.fixture(scope="module")
def network(random_network):
    return random_network(
        lambda: IICNet(
            2,
            relation=False,
            downscaling="haar",
            split="prop",
            num_blocks=1,
            growth=4,
            rngs=nnx.Rngs(0),
        )
    )


@pytest.fixture(scope="module")
def batch():
    random = np.random.default_rng(0)
    return {
        "frames": random.integers(0, 256, (2, 2, 8, 12, 3), dtype=np.uint8),
        "reference": random.integers(0, 256, (2, 4, 6, 3), dtype=np.uint8),
    }


@pytest.fixture(scope="module")
def compiled(network):
    """(train_step, state); the optimiser is plain gradient descent, so that updates are small
    where gradients are."""
    optimizer = optax.sgd(1e-4)
    graph, state = create_state(network, optimizer)
    return jax.jit(make_train_step(graph, optimizer, IICNetLoss())), state


def leaves(state):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(state.params)]


def test_a_step_counts_and_changes_the_parameters(compiled, batch):
    train_step, state = compiled
    after, metrics = train_step(state, batch, KEY)
    assert int(after.step) == 1
    assert any(not np.array_equal(a, b) for a, b in zip(leaves(state), leaves(after), strict=True))
    values = metrics.compute()
    terms = [float(values[f"loss_{name}"]) for name in ("embedding", "frequency", "restoration")]
    assert float(values["loss"]) == pytest.approx(sum(terms), rel=1e-6)
    assert float(values["gradient_norm"]) > 0


def test_the_same_arguments_give_the_same_bits(compiled, batch):
    train_step, state = compiled
    first, second = (train_step(state, batch, KEY)[0] for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(leaves(first), leaves(second), strict=True))


def test_the_noise_differs_from_step_to_step(compiled, batch):
    train_step, state = compiled
    later = state.replace(step=state.step + 1)
    losses = [float(train_step(s, batch, KEY)[1].compute()["loss"]) for s in (state, later)]
    assert losses[0] != losses[1]


def test_the_moving_average_follows_the_parameters_and_stands_in_for_them(network, batch):
    optimizer = optax.sgd(1e-4)
    graph, state = create_state(network, optimizer, ema=True)
    train_step = jax.jit(make_train_step(graph, optimizer, IICNetLoss(), ema_decay=0.15))
    expected = leaves(state)
    for decay in (0.1, 0.15, 0.15):
        state, _ = train_step(state, batch, KEY)
        expected = [
            decay * a + (1 - decay) * p for a, p in zip(expected, leaves(state), strict=True)
        ]
    averages = [np.asarray(leaf) for leaf in jax.tree.leaves(state.weights)]
    for average, a in zip(averages, expected, strict=True):
        np.testing.assert_allclose(average, a, atol=1e-7)
    assert any(np.abs(a - p).max() > 1e-5 for a, p in zip(averages, leaves(state), strict=True))


@pytest.fixture(scope="module")
def four_samples():
    random = np.random.default_rng(1)
    return {
        "frames": random.integers(0, 256, (4, 2, 32, 48, 3), dtype=np.uint8),
        "reference": random.integers(0, 256, (4, 16, 24, 3), dtype=np.uint8),
    }


@pytest.mark.parametrize("loops", [False, True])
def test_the_parts_of_a_batch_make_up_its_gradient(network, four_samples, loops):
    optimizer = optax.sgd(1e-4)
    graph, state = create_state(network, optimizer)
    quantise = QUANTISERS["straight_through"]
    mesh = sharding.data_mesh(4, parts=2)
    arguments = (
        jax.device_put(state, sharding.replicated(mesh)),
        sharding.put_batch(mesh, four_samples),
    )
    programs, results = [], []
    for accumulate in (1, 2):
        step = make_train_step(
            graph, optimizer, IICNetLoss(), quantise, accumulate=accumulate, loops=loops
        )
        programs.append(jax.jit(step).lower(*arguments, KEY).compile())
        results.append(programs[-1](*arguments, KEY))
    (whole, whole_metrics), (parted, parted_metrics) = results
    for before, a, b in zip(leaves(state), leaves(whole), leaves(parted), strict=True):
        assert np.linalg.norm(a - b) <= 1e-4 * np.linalg.norm(a - before) + 1e-9
    for name, value in whole_metrics.compute().items():
        assert float(parted_metrics.compute()[name]) == pytest.approx(float(value), rel=1e-4)
    memory = [program.memory_analysis().temp_size_in_bytes for program in programs]
    assert not loops or memory[1] < 0.8 * memory[0]
    # No device waits for the samples of another.
    assert set(re.findall(COLLECTIVE, programs[1].as_text())) == {"all-reduce"}


def test_every_part_of_a_batch_has_random_numbers_of_its_own(network, four_samples):
    def loss(model, batch, quantise, *, key, step):
        return {"drawn": jax.random.uniform(key)}

    optimizer = optax.sgd(1e-4)
    graph, state = create_state(network, optimizer)
    step = jax.jit(make_train_step(graph, optimizer, loss, accumulate=4))
    drawn = float(step(state, four_samples, KEY)[1].compute()["loss_drawn"])
    key = jax.random.fold_in(KEY, 0)
    of_parts = [float(jax.random.uniform(jax.random.fold_in(key, part))) for part in range(4)]
    assert len(set(of_parts)) == 4
    assert drawn == pytest.approx(np.mean(of_parts), rel=1e-6)


def small_irn():
    return IRN(num_blocks=1, growth=2, rngs=nnx.Rngs(0))


def small_grayscale():
    return InvertibleGrayscale(features=2, rngs=nnx.Rngs(0))


def small_win():
    return WINNaive(2, num_blocks=1, growth=2, rngs=nnx.Rngs(0))


CHANNEL = Channel(QUANTISERS["noise"], "jpeg", 50, 95, "4:2:0", 0.1)


@pytest.mark.parametrize(
    ("make", "loss", "quantiser", "loops"),
    [
        (None, IICNetLoss(), QUANTISERS["noise"], True),
        (None, IICNetLoss(), QUANTISERS["noise"], False),
        (None, IICNetLoss(), QUANTISERS["straight_through"], True),
        (None, IICNetLoss(), QUANTISERS["none"], True),
        (small_irn, IRNLoss(), QUANTISERS["noise"], True),
        (None, IICNetLoss(), CHANNEL, True),
        (small_win, WINLoss(), QUANTISERS["noise"], True),
        # The second stage begins between the two steps.
        (small_grayscale, InvertibleGrayscaleLoss(later_from=1), QUANTISERS["noise"], True),
    ],
)
def test_several_steps_in_a_call_are_as_many_single_ones(
    network, random_network, make, loss, quantiser, loops
):
    network = random_network(make) if make else network
    random = np.random.default_rng(0)
    sides = network.embedding_size(8, 12)
    batches = {
        "frames": (2, 2, network.num_images, 8, 12, 3),
        "reference": (2, 2, *sides, network.embedding_channels),
    }
    batches = {k: random.integers(0, 256, v, dtype=np.uint8) for k, v in batches.items()}
    # Adam would make steps of one size of gradients that are next to nothing, and so of rounding.
    optimizer = optax.sgd(1e-5)
    graph, first = create_state(network, optimizer, ema=True)
    step = make_train_step(graph, optimizer, loss, quantiser, ema_decay=0.5)

    single, state, metrics = jax.jit(step), first, []
    for number in range(2):
        state, of_step = single(state, jax.tree.map(lambda x: x[number], batches), KEY)  # noqa: B023
        metrics.append(of_step)
    together, mean, by_step = jax.jit(several_steps(step, loops=loops))(first, batches, KEY)

    assert int(together.step) == 2
    for before, a, b in zip(*map(jax.tree.leaves, (first, state, together)), strict=True):
        before, a, b = (np.asarray(leaf, np.float64) for leaf in (before, a, b))
        assert np.linalg.norm(a - b) <= 1e-4 * np.linalg.norm(a - before) + 1e-9
    expected = metrics[0].merge(metrics[1]).compute()
    for name, value in mean.compute().items():
        assert float(value) == pytest.approx(float(expected[name]), rel=1e-4, abs=1e-9)
    losses = [float(of_step.compute()["loss"]) for of_step in metrics]
    np.testing.assert_allclose(by_step["loss"], losses, rtol=1e-4)


def test_eight_bit_and_float_images_train_alike(compiled, batch):
    train_step, state = compiled
    floats = jax.tree.map(lambda x: jnp.asarray(x, jnp.float32) / 255, batch)
    first, second = (train_step(state, b, KEY)[0] for b in (batch, floats))
    for a, b in zip(leaves(first), leaves(second), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-7)


def test_two_devices_compute_what_one_computes(compiled, batch):
    train_step, state = compiled
    alone, _ = train_step(state, batch, KEY)
    mesh = sharding.data_mesh(batch_size=2)
    assert mesh.size == 2
    arguments = jax.device_put(state, sharding.replicated(mesh)), sharding.put_batch(mesh, batch)
    program = train_step.lower(*arguments, KEY).compile()
    # Gradients are summed; no device computes what belongs to the samples of another.
    assert set(re.findall(COLLECTIVE, program.as_text())) == {"all-reduce"}
    shared, metrics = program(*arguments, KEY)
    assert len(metrics.loss.total.sharding.device_set) == 2
    for before, a, b in zip(leaves(state), leaves(alone), leaves(shared), strict=True):
        # Adam makes the first step as large where the gradient is next to nothing, so that its
        # rounding, which depends on the processor, shows.
        assert np.linalg.norm(a - b) <= 1e-4 * np.linalg.norm(a - before) + 1e-9


def test_a_batch_that_does_not_divide_uses_fewer_devices():
    assert sharding.data_mesh(batch_size=3).size == 1


def test_several_processes_need_a_batch_that_divides(monkeypatch):
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    with pytest.raises(UserError, match="is 3, which 2 devices in 2 processes cannot share"):
        sharding.data_mesh(batch_size=3)


def test_quantisers_are_within_half_a_grey_level():
    y = jnp.linspace(0, 1, 50).reshape(1, 5, 10, 1)
    for quantise in QUANTISERS.values():
        assert float(jnp.abs(quantise(y, KEY) - y).max()) <= 0.5 / 255 + 1e-6
    levels = np.asarray(QUANTISERS["straight_through"](y, KEY)) * 255
    np.testing.assert_allclose(levels, np.round(levels), atol=1e-4)
