"""Prints, as JSON, how much gradients on eight devices differ from those on one, and what is sent.

A program of its own, since the number of devices is fixed when JAX starts; test_sharding.py
starts it.
"""

import json
import re

import jax
import numpy as np
import optax
from flax import nnx

from iicnet_jax.models import IICNet, quantisation
from iicnet_jax.models.abstract import abstract_network
from iicnet_jax.training import sharding
from iicnet_jax.training.losses import IICNetLoss
from iicnet_jax.training.step import create_state, make_train_step

BATCH, IMAGES, SIZE = 8, 2, 16
KEY = jax.random.key(0)
COLLECTIVE = r"(all-\w+|reduce-scatter|collective-\w+)(?:-start)?\("


def main():
    random = np.random.default_rng(0)
    batch = {
        "frames": random.integers(0, 256, (BATCH, IMAGES, SIZE, SIZE, 3), np.uint8),
        "reference": random.integers(0, 256, (BATCH, SIZE // 2, SIZE // 2, 3), np.uint8),
    }
    one, eight = (sharding.data_mesh(size) for size in (1, BATCH))
    results, programs = zip(*(gradients(mesh, batch) for mesh in (one, eight)), strict=True)
    differences = jax.tree.map(
        lambda a, b: float(np.linalg.norm(a - b) / np.linalg.norm(a)), *results
    )
    same_noise = {
        generator: bool(np.array_equal(*(draw_noise(mesh, generator) for mesh in (one, eight))))
        for generator in ("threefry2x32", "rbg")
    }
    found = {
        "devices": [one.size, eight.size],
        "gradients": jax.tree.leaves(differences),
        "collectives": [sorted(set(re.findall(COLLECTIVE, program))) for program in programs],
        "same_noise": same_noise,
    }
    print(json.dumps(found))


def gradients(mesh, batch):
    """Of the network's parameters, from the train step itself; the optimiser only keeps them.

    Returns them, and the text of the compiled program.
    """
    optimizer = optax.trace(decay=0.0)
    graph, state = create_state(random_network(), optimizer)
    train_step = jax.jit(make_train_step(graph, optimizer, IICNetLoss()))
    state = jax.device_put(state, sharding.replicated(mesh))
    arguments = state, sharding.put_batch(mesh, batch), KEY
    program = train_step.lower(*arguments).compile()
    after, _ = program(*arguments)
    return jax.device_get(after.opt_state.trace), program.as_text()


def random_network():
    """No parameter is zero."""
    small = {"relation": False, "downscaling": "haar", "split": "prop", "num_blocks": 1}
    graph, params = nnx.split(abstract_network(IICNet, IMAGES, **small), nnx.Param)
    random = np.random.default_rng(0)
    draw = lambda leaf: np.float32(0.04 * random.normal(size=leaf.shape))  # noqa: E731
    return nnx.merge(graph, jax.tree.map(draw, params))


def draw_noise(mesh, generator):
    """The noise that a batch gets in training, drawn where the batch lies."""
    batch = sharding.put_batch(mesh, np.zeros((BATCH, SIZE, SIZE, 3), np.float32))
    key = jax.random.key(0, impl=generator)
    add_noise = jax.jit(lambda y: y + quantisation.uniform_noise(key, y.shape))
    return jax.device_get(add_noise(batch))


if __name__ == "__main__":
    main()
