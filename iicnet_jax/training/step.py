"""The train step: a pure function (state, batch, key) -> (state, metrics); several as one."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from clu import metrics
from flax import nnx, struct

from iicnet_jax.models import quantisation
from iicnet_jax.models.execution import scan
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
    accumulate: int = 1,
    loops: bool = False,
) -> Callable:
    """Returns `train_step(state, batch, key) -> (state, metrics)`, to be jit-compiled.

    A batch holds `frames` (b, n, h, w, 3) and `reference` (b, h', w', k), uint8 or in [0, 1].
    The randomness of a step depends on `key` and `state.step` alone, so the same key serves
    the whole run and a resumed run draws what an uninterrupted one would have drawn.

    Args:
      graph: of the network.
      optimizer: makes an update of the gradient.
      loss: is minimised.
      quantise: maps an embedding and a key to what is restored.
      ema_decay: of the moving average, where the state has one.
      accumulate: in how many parts the gradient of a batch is computed, each with random numbers
        of its own.
      loops: whether these are a loop in the compiled program, which needs the memory of one, or
        stand in it one by one.
    """

    def loss_function(params, batch, key, step):
        model = nnx.merge(graph, params)
        terms = loss(model, batch, lambda y: quantise(y, key), key=key, step=step)
        return sum(terms.values()), terms

    def gradient(params, batch, key, step):
        batch = jax.tree.map(unit_range, batch)
        return jax.value_and_grad(loss_function, has_aux=True)(params, batch, key, step)

    def accumulated_gradient(params, batch, key, step):
        def add(sums, part):
            number, part_batch = part
            part_key = jax.random.fold_in(key, number)
            return jax.tree.map(jnp.add, sums, gradient(params, part_batch, part_key, step)), None

        parts = jnp.arange(accumulate), jax.tree.map(lambda x: _interleaved(x, accumulate), batch)
        first = jax.tree.map(lambda x: x[0], parts[1])
        shapes = jax.eval_shape(gradient, params, first, key, step)
        sums = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
        sums, _ = scan(add, sums, parts, loops=loops)
        return jax.tree.map(lambda x: x / accumulate, sums)

    def train_step(state: TrainState, batch, key):
        key = jax.random.fold_in(key, state.step)
        of_batch = gradient if accumulate == 1 else accumulated_gradient
        (total, terms), grads = of_batch(state.params, batch, key, state.step)
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


def drawing_step(train_step: Callable, draw: Callable) -> Callable:
    """Returns `step(state, batch, key, images, images_key)`, to be jit-compiled.

    A batch holds `index` (b,), the numbers of its samples. What else `train_step` is given,
    `draw(images, index, key)` makes of images in the device's memory; it depends on `images_key`
    and the number of the step.
    """

    def step(state: TrainState, batch, key, images, images_key):
        drawn = draw(images, batch["index"], jax.random.fold_in(images_key, state.step))
        return train_step(state, drawn, key)

    return step


def several_steps(train_step: Callable, *, loops: bool = False) -> Callable:
    """Returns `call(state, batches, *rest) -> (state, metrics, by_step)`, to be jit-compiled.

    It makes as many steps as `batches` has batches, along the first axis of its arrays. The metrics
    are means over these steps; `by_step` has `loss` and `gradient_norm` of each.

    Args:
      train_step: maps (state, batch, *rest) to (state, metrics).
      loops: whether the steps are a loop in the compiled program, or stand in it one by one.
    """

    def call(state, batches, *rest):
        state, reports = scan(
            lambda state, batch: train_step(state, batch, *rest), state, batches, loops=loops
        )
        by_step = {"loss": reports.loss.total, "gradient_norm": reports.gradient_norm.total}
        return state, jax.tree.map(lambda values: values.sum(0), reports), by_step

    return call


def _interleaved(x, parts: int):
    """(b, ...) to (parts, b / parts, ...); part i has the samples i, i + parts and so on.

    Of neighbouring samples, those of one device, each is in another part, so that every device
    has its share of every part.
    """
    return jnp.moveaxis(x.reshape(-1, parts, *x.shape[1:]), 1, 0)
