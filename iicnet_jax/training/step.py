"""The train step: a pure function (state, batch, key) -> (state, metrics)."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from clu import metrics
from flax import nnx, struct

from iicnet_jax.models import quantisation
from iicnet_jax.training.losses import Loss
from iicnet_jax.training.optimizer import moving_average

QUANTISERS = {
    "noise": lambda y, key: quantisation.add_noise(y, quantisation.uniform_noise(key, y.shape)),
    "straight_through": lambda y, key: quantisation.straight_through(y),
    "none": lambda y, key: y,
}


@struct.dataclass
class TrainState:
    """All that changes from step to step, but for the data's position."""

    step: jax.Array  # number of updates made, int32
    params: nnx.State
    opt_state: optax.OptState
    ema_params: nnx.State | None = None  # moving average of params, where one is kept

    @property
    def weights(self) -> nnx.State:
        """What is validated, evaluated and exported."""
        return self.params if self.ema_params is None else self.ema_params


@functools.cache
def train_metrics(*terms: str) -> type[metrics.Collection]:
    """Running means over the steps since the last report; loss terms are weighted sums."""
    return metrics.Collection.create(
        loss=metrics.Average.from_output("loss"),
        **{f"loss_{term}": metrics.Average.from_output(term) for term in terms},
        gradient_norm=metrics.Average.from_output("gradient_norm"),
    )


def unit_range(image: jax.Array) -> jax.Array:
    """uint8 to float32 in [0, 1], on the device, where it is a quarter of the bytes to send."""
    return image.astype(jnp.float32) / quantisation.LEVELS if image.dtype == jnp.uint8 else image


def create_state(
    model: nnx.Module, optimizer: optax.GradientTransformation, *, ema: bool = False
) -> tuple[nnx.GraphDef, TrainState]:
    """Splits a model into its static graph and the state that training changes.

    With `ema` the state has a moving average of the parameters, which begins with these.
    """
    graph, params = nnx.split(model, nnx.Param)
    average = jax.tree.map(jnp.copy, params) if ema else None  # no buffer is donated twice
    state = TrainState(jnp.zeros((), jnp.int32), params, optimizer.init(params), average)
    return graph, state


def make_train_step(
    graph: nnx.GraphDef,
    optimizer: optax.GradientTransformation,
    loss: Loss,
    quantise: Callable = QUANTISERS["noise"],
    *,
    ema_decay: float = 0.0,
) -> Callable:
    """Returns `train_step(state, batch, key) -> (state, metrics)`, to be jit-compiled.

    A batch holds `frames` (b, n, h, w, 3) and `reference` (b, h', w', k), uint8 or in [0, 1].
    The randomness of a step depends on `key` and `state.step` alone, so the same key serves
    the whole run and a resumed run draws what an uninterrupted one would have drawn. A moving
    average in the state decays by `ema_decay`.
    """

    def loss_function(params, batch, key, step):
        model = nnx.merge(graph, params)
        terms = loss(model, batch, lambda y: quantise(y, key), key=key, step=step)
        return sum(terms.values()), terms

    def train_step(state: TrainState, batch, key):
        batch = jax.tree.map(unit_range, batch)
        key = jax.random.fold_in(key, state.step)
        gradient = jax.value_and_grad(loss_function, has_aux=True)
        (total, terms), grads = gradient(state.params, batch, key, state.step)
        updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
        params = optax.apply_updates(state.params, updates)
        report = train_metrics(*terms).single_from_model_output(
            loss=total, gradient_norm=optax.tree.norm(grads), **terms
        )
        average = state.ema_params
        if average is not None:
            average = moving_average(average, params, ema_decay, state.step)
        return TrainState(state.step + 1, params, opt_state, average), report

    return train_step
