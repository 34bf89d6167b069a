"""Builds network, optimiser, loss and quantiser from a configuration."""

import math
from collections.abc import Callable

import numpy as np
import optax
from flax import nnx
from ml_collections import ConfigDict

from iicnet_jax.core.errors import UserError, explaining
from iicnet_jax.core.files import typed_path
from iicnet_jax.data.task import Task
from iicnet_jax.models import NETWORKS, Network
from iicnet_jax.models.abstract import abstract_network
from iicnet_jax.models.channel import Channel
from iicnet_jax.models.execution import Execution, set_execution
from iicnet_jax.training import optimizer, step
from iicnet_jax.training.baseline_losses import InvertibleGrayscaleLoss, IRNLoss, WINLoss
from iicnet_jax.training.losses import IICNetLoss, Loss
from iicnet_jax.training.step import QUANTISERS, TrainState
from iicnet_jax.weights.vgg19 import load_vgg19

LOSSES: dict[str, type[Loss]] = {
    "iicnet": IICNetLoss,
    "irn": IRNLoss,
    "invertible_grayscale": InvertibleGrayscaleLoss,
    "video_snapshot": IICNetLoss,
    "win_naive": WINLoss,
    "win": WINLoss,
}


def learns(config: ConfigDict) -> bool:
    """Whether a method has weights; `low_bits` has none, and is evaluated alone."""
    return config.method in NETWORKS


def create_model(config: ConfigDict, rngs: nnx.Rngs | None = None) -> Network:
    """The network with its initial weights, as it is trained.

    Args:
      config: of the run.
      rngs: of the initial weights; without it they depend on `config.seed`.

    Raises:
      UserError: the fields of `config.model` do not make a network.
    """
    if rngs is None:  # not `or`: one without streams, as `ConstantRngs`, is false
        rngs = nnx.Rngs(config.seed)
    with explaining("config.model does not make a network"):
        network: Callable[..., Network] = NETWORKS[config.method]
        model = network(**config.model, rngs=rngs)
    set_execution(model, Execution(config.memory_saving, config.loop, config.precision))
    return model


def inference_network(config: ConfigDict) -> Network:
    """The network as it is measured and used, in float32; shapes stand for its parameters.

    Raises:
      UserError: the fields of `config.model` do not make a network.
    """
    model = abstract_network(create_model, config)
    set_execution(model, Execution(loop=config.loop))
    return model


def check_fit(model: Network, task: Task) -> None:
    """Raises UserError unless the task's samples are what the network embeds."""
    rng = np.random.default_rng(0)
    sample = task.training_sample(task.load("train", 0), rng)
    frames, reference = sample["frames"].shape, sample["reference"].shape
    images, size, channels = frames[0], frames[1:3], model.embedding_channels
    if images != model.num_images or reference != (*model.embedding_size(*size), channels):
        raise UserError(
            f"config.data gives {images} images of {size[0]}x{size[1]} and a reference of "
            f"{'x'.join(map(str, reference))}, but config.model embeds {model.num_images} such "
            f"images to {'x'.join(map(str, (*model.embedding_size(*size), channels)))}: change "
            "num_images, downscaling or embedding_channels"
        )


def create_optimizer(config: ConfigDict) -> tuple[optax.GradientTransformation, optax.Schedule]:
    """The optimiser and its learning rate by step.

    Raises:
      UserError: the schedule is unknown.
    """
    fields = config.optimizer
    with explaining("config.optimizer.schedule"):
        schedule = optimizer.learning_rate(
            fields.schedule,
            fields.learning_rate,
            steps=run_length(config),
            warmup_steps=fields.warmup_steps,
        )
    adam = {name: fields[name] for name in ("clip_norm", "weight_decay", "b1", "b2")}
    return optimizer.adam(schedule, **adam), schedule


def create_state(config: ConfigDict, model: nnx.Module) -> tuple[nnx.GraphDef, TrainState]:
    """The graph of a network, and what training changes, before the first step."""
    optimizer, _ = create_optimizer(config)
    return step.create_state(model, optimizer, ema=config.optimizer.ema_decay > 0)


def run_length(config: ConfigDict) -> int:
    """Train steps of the whole run. Raises UserError where neither steps nor schedule tell."""
    with explaining("config.steps is not set"):
        return optimizer.run_length(config.optimizer.schedule, config.steps)


def check_calls(config: ConfigDict) -> None:
    """Raises UserError unless a call's steps divide the run and its intervals.

    Also where the steps to be profiled are not among those of the run.
    """
    first, profiled = config.run.profile_steps
    if profiled and not 1 <= first <= first + profiled - 1 <= run_length(config):
        raise UserError(
            f"config.run.profile_steps is {(first, profiled)}, but the run has the steps 1 to "
            f"{run_length(config)}: choose the first step and a number of steps among these"
        )
    count = config.run.steps_per_call
    lengths = {"config.steps": run_length(config)} | {
        f"config.run.{name}": config.run[name]
        for name in ("log_every", "validate_every", "checkpoint_every")
    }
    undivided = {name: steps for name, steps in lengths.items() if steps % count}
    if undivided:
        listed = ", ".join(f"{name} ({steps})" for name, steps in undivided.items())
        raise UserError(
            f"config.run.steps_per_call is {count}, which does not divide {listed}: change these, "
            f"or take a divisor of {math.gcd(*lengths.values())}, which divides all"
        )


def create_quantiser(config: ConfigDict) -> Callable:
    """The stand-in for the embedding's file in training: a function of (embedding, key).

    Raises:
      UserError: the quantisation is unknown, or the fields of `config.channel` make no channel.
    """
    if config.quantisation not in QUANTISERS:
        known = ", ".join(QUANTISERS)
        raise UserError(f"config.quantisation is {config.quantisation!r}; known: {known}")
    quantise = QUANTISERS[config.quantisation]
    if config.channel.form == "none":
        return quantise
    with explaining("config.channel"):
        return Channel(quantise, **config.channel)


def create_train_step(config: ConfigDict, graph: nnx.GraphDef) -> Callable:
    """One step of training, see `make_train_step`, as a configuration describes it.

    Raises:
      UserError: the batch cannot be computed in as many parts as the configuration says.
    """
    samples, parts = config.data.batch_size, config.optimizer.accumulate
    if samples % parts:
        raise UserError(
            f"config.data.batch_size is {samples}, which is no multiple of "
            f"config.optimizer.accumulate, {parts}: change one of them"
        )
    optimizer, _ = create_optimizer(config)
    return step.make_train_step(
        graph,
        optimizer,
        create_loss(config),
        create_quantiser(config),
        ema_decay=config.optimizer.ema_decay,
        accumulate=parts,
        loops=loops(config),
    )


def loops(config: ConfigDict) -> bool:
    """Whether what is repeated is a loop in the compiled program."""
    return Execution(loop=config.loop).loops


def create_loss(config: ConfigDict) -> Loss:
    """What is minimised. Raises UserError if a field is wrong, or a file cannot be read."""
    fields = config.loss.to_dict()
    if config.method == "invertible_grayscale":
        fields["later_from"] = round(fields.pop("second_stage") * run_length(config))
        vgg_file = fields.pop("vgg_file")
        fields["features"] = load_vgg19(typed_path(vgg_file)) if vgg_file else None
    with explaining("config.loss"):
        return LOSSES[config.method](**fields)
