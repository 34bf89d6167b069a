"""Adam with clipped gradients and coupled weight decay, learning rates, averages of weights."""

import jax.numpy as jnp
import optax

# Name -> (steps of the whole run, steps after which the rate is halved).
HALVING_SCHEDULES = {
    "supplement": (50_000, 10_000),
    "published_code": (500_000, 100_000),
}
SCHEDULES = (*HALVING_SCHEDULES, "constant", "cosine", "polynomial")
POLYNOMIAL_POWER, POLYNOMIAL_END = 0.9, 0.01


def run_length(schedule: str, steps: int | None) -> int:
    """How many steps a run takes: `steps`, or where that is None, what the schedule names.

    Raises:
      ValueError: `steps` is None and the schedule names no length.
    """
    if steps is not None:
        return steps
    if schedule not in HALVING_SCHEDULES:
        raise ValueError(f"the schedule {schedule!r} needs a number of steps")
    return HALVING_SCHEDULES[schedule][0]


def learning_rate(name: str, peak: float, *, steps: int, warmup_steps: int = 0) -> optax.Schedule:
    """The learning rate by step.

    Args:
      name: "supplement" halves the rate every 10,000 steps, "published_code" every 100,000;
        "constant" keeps it; "cosine" lets it fall to zero at `steps`, and "polynomial" to 1%, as
        (1 - t)^0.9.
      peak: the rate before any halving, which the warm-up rises to.
      steps: length of the run, warm-up included.
      warmup_steps: the rate first rises linearly from 0 in so many steps.

    Raises:
      ValueError: the name is unknown.
    """
    if name in HALVING_SCHEDULES:
        _, every = HALVING_SCHEDULES[name]

        def schedule(count):
            # Counted from the first step of the run: a warm-up does not delay the halving.
            halvings = (count + warmup_steps) // every
            return peak * 0.5 ** jnp.asarray(halvings, jnp.float32)

    elif name == "constant":
        schedule = optax.constant_schedule(peak)
    elif name == "cosine":
        schedule = optax.cosine_decay_schedule(peak, max(steps - warmup_steps, 1))
    elif name == "polynomial":
        schedule = optax.polynomial_schedule(
            peak, peak * POLYNOMIAL_END, POLYNOMIAL_POWER, max(steps - warmup_steps, 1)
        )
    else:
        raise ValueError(f"unknown schedule {name!r}; known: {', '.join(SCHEDULES)}")
    if not warmup_steps:
        return schedule
    warmup = optax.linear_schedule(0.0, peak, warmup_steps)
    return optax.join_schedules([warmup, schedule], [warmup_steps])


def adam(
    schedule: optax.Schedule,
    *,
    clip_norm: float = 10.0,
    weight_decay: float = 1e-5,
    b1: float = 0.9,
    b2: float = 0.999,
) -> optax.GradientTransformation:
    """Clips the global gradient norm, adds the decay to the gradient, then Adam, in that order.

    A `clip_norm` of 0 leaves the gradient as it is.
    """
    return optax.chain(
        optax.clip_by_global_norm(clip_norm) if clip_norm else optax.identity(),
        optax.add_decayed_weights(weight_decay),
        optax.scale_by_adam(b1=b1, b2=b2),
        optax.scale_by_learning_rate(schedule),
    )


def moving_average(average, params, decay: float, step):
    """The average of the parameters after one more update: d * average + (1 - d) * params.

    d = min(decay, (1 + step) / (10 + step)), which starts at 0.1, so that short runs forget the
    initial weights, too; `step` counts the updates before this one.
    """
    kept = jnp.minimum(decay, (1 + step) / (10 + step))
    return optax.incremental_update(params, average, 1 - kept)
