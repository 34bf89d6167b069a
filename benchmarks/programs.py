"""The compiled programs that benchmarks look at, and the memory that they need."""

import jax
import jax.numpy as jnp
from flax import nnx
from ml_collections import ConfigDict

from configs import base
from iicnet_jax.experiment import build
from iicnet_jax.models.abstract import abstract_network


def paper_config(num_images: int, num_blocks: int, **fields) -> ConfigDict:
    """The paper's network and settings; other fields as they are named."""
    config = base.get_config()
    config.model.update(num_images=num_images, num_blocks=num_blocks)
    config.update(fields)
    config.steps = 1
    return config


def lower_train_step(config: ConfigDict) -> jax.stages.Lowered:
    """The train step of a configuration, ready to be compiled; nothing is computed.

    Its state is donated, as `train` does it.
    """
    model = abstract_network(build.create_model, config)
    graph, params = nnx.split(model, nnx.Param)
    state = jax.eval_shape(
        lambda params: build.create_state(config, nnx.merge(graph, params))[1], params
    )
    side, samples = config.data.crop, config.data.batch_size
    sizes = (samples, model.num_images, side, side, 3)
    embedding = (samples, *model.embedding_size(side, side), model.embedding_channels)
    batch = {
        "frames": jax.ShapeDtypeStruct(sizes, jnp.uint8),
        "reference": jax.ShapeDtypeStruct(embedding, jnp.uint8),
    }
    step = build.create_train_step(config, graph)
    return jax.jit(step, donate_argnums=0).lower(state, batch, jax.random.key(0))


def memory(program: jax.stages.Compiled) -> dict[str, float]:
    """Gigabytes (10^9 bytes) that a compiled program needs on a device."""
    analysis = program.memory_analysis()
    held, temporary = analysis.argument_size_in_bytes / 1e9, analysis.temp_size_in_bytes / 1e9
    return {"arguments": held, "temporaries": temporary, "GB": held + temporary}
