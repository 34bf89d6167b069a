"""From a configuration to the objects it describes."""

import numpy as np
import optax
from flax import nnx
from ml_collections import ConfigDict

from iicnet_jax.data.regime import Regime
from iicnet_jax.errors import UserError
from iicnet_jax.models import IICNet
from iicnet_jax.training import optimizer
from iicnet_jax.training.losses import LossWeights
from iicnet_jax.training.step import QUANTISERS


def create_model(config: ConfigDict) -> IICNet:
    """The network with its initial weights, which depend on `config.seed`.

    Raises:
      UserError: the fields of `config.model` do not make a network.
    """
    try:
        return IICNet(**config.model, rngs=nnx.Rngs(config.seed))
    except ValueError as error:
        raise UserError(f"config.model does not make a network: {error}") from error


def check_fit(model: IICNet, regime: Regime) -> None:
    """Raises UserError unless the regime's samples are what the network embeds."""
    rng = np.random.default_rng(0)
    group = regime.training_group(regime.load("train", 0), rng)
    frames, reference = group["frames"].shape, group["reference"].shape
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
    try:
        schedule = optimizer.learning_rate(
            fields.schedule,
            fields.learning_rate,
            steps=run_length(config),
            warmup_steps=fields.warmup_steps,
        )
    except ValueError as error:
        raise UserError(f"config.optimizer.schedule: {error}") from error
    return (
        optimizer.adam(
            schedule,
            clip_norm=fields.clip_norm,
            weight_decay=fields.weight_decay,
            b1=fields.b1,
            b2=fields.b2,
        ),
        schedule,
    )


def run_length(config: ConfigDict) -> int:
    """Train steps of the whole run. Raises UserError where neither steps nor schedule tell."""
    try:
        return optimizer.run_length(config.optimizer.schedule, config.steps)
    except ValueError as error:
        raise UserError(f"config.steps is not set: {error}") from error


def create_quantiser(config: ConfigDict):
    """The stand-in for rounding in training. Raises UserError if its name is unknown."""
    if config.quantisation not in QUANTISERS:
        known = ", ".join(QUANTISERS)
        raise UserError(f"config.quantisation is {config.quantisation!r}; known: {known}")
    return QUANTISERS[config.quantisation]


def loss_weights(config: ConfigDict) -> LossWeights:
    """lambda1, lambda2, lambda3."""
    return LossWeights(**config.loss)
