"""Networks of the authors' code with what was recorded of them (see golden/README.md)."""

import functools
import json
import pathlib
import zlib

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from iicnet_jax.models import IICNet
from iicnet_jax.models.abstract import abstract_network
from iicnet_jax.models.layers import parameter_arrays
from iicnet_jax.models.quantisation import add_noise, round_to_levels
from iicnet_jax.training.losses import IICNetLoss
from iicnet_jax.training.optimizer import adam, learning_rate
from iicnet_jax.training.step import create_state, make_train_step
from iicnet_jax.weights.official import load_official, parameter_name

FILES = sorted((pathlib.Path(__file__).parent / "golden").glob("n*.npz"))
STEPS = 3
TERMS = ("embedding", "frequency", "restoration")

# What is recorded -> what it is computed from, and how. The maps are NHWC.
STAGES = {
    "rel": ("frames", lambda net, x: net.relation.embed(x) if net.relation else x),
    "down": ("rel", lambda net, x: net.down.forward(x)),
    "block": ("down", lambda net, x: net.blocks.forward(x)),
    "embedding": ("block", lambda net, x: net.squeeze.embed(x)),
    "embedding_quantised": ("embedding", lambda net, x: round_to_levels(x)),
    "rev_cs": ("embedding_quantised", lambda net, y: net.squeeze.restore(y)),
    "rev_block": ("rev_cs", lambda net, y: net.blocks.inverse(y)),
    "rev_down": ("rev_block", lambda net, y: net.down.inverse(y)),
    "restored": ("rev_down", lambda net, y: net.relation.restore(y) if net.relation else y),
    "block_down_roundtrip": ("block", lambda net, y: net.down.inverse(net.blocks.inverse(y))),
}


def recorded_parameters(arrays):
    """The parameters of a golden file by their names: stored, or drawn by name."""

    def parameter(name, shape):
        if f"params/{name}" in arrays:
            return arrays[f"params/{name}"]
        random = np.random.RandomState(zlib.crc32(name.encode()))
        return random.normal(0, 0.03, shape).astype(np.float32)

    shapes = json.loads(str(arrays["param_shapes"]))
    return {name: parameter(name, shape) for name, shape in shapes.items()}


class Golden:
    """One golden file, turned to our layout."""

    def __init__(self, path):
        self.arrays = dict(np.load(path))
        self.options = json.loads(str(self.arrays["options"]))
        self.num_images = self.options["input"]["num_of_frames"]
        self.parameters = recorded_parameters(self.arrays)

    def stage(self, name):
        """A recorded feature map, NHWC."""
        recorded = self.arrays["input_frames" if name == "frames" else f"stage/{name}"]
        return jnp.asarray(nhwc(recorded))

    def group(self, name):
        """A recorded feature map as a group of images, (b, n, h, w, 3)."""
        return jnp.stack(jnp.split(self.stage(name), self.num_images, axis=-1), axis=1)

    def network(self):
        """Our network with the recorded options and parameters."""
        down = self.options["down"]
        network = abstract_network(
            IICNet,
            self.num_images,
            embedding_channels=self.options["cs"]["out_nc"],
            relation=self.options["rel"]["use_rel"],
            relation_features=self.options["rel"]["nf"],
            downscaling=down["type"] if down["use_down"] else "none",
            split={"ref": "ref", "hl": "prop"}[down["order"]],
            num_blocks=self.options["block"]["block_num"],
        )
        load_official(network, self.parameters)
        return network

    def entries(self, prefix):
        """Recorded values by the parameter's official name."""
        return {k.removeprefix(prefix): v for k, v in self.arrays.items() if k.startswith(prefix)}

    def by_official_name(self, state):
        """The arrays of a parameter state by official name, in our layout."""
        arrays = parameter_arrays(state)
        names = {name: parameter_name(name) for name in self.parameters}
        return {name: arrays[ours] for name, ours in names.items() if ours is not None}


def nhwc(x):
    return np.moveaxis(x, 1, -1)


def stage_outputs(golden, network):
    """Every stage, computed from the recorded stage before it."""
    graph, params = nnx.split(network, nnx.Param)

    @jax.jit
    def compute(params, inputs):
        network = nnx.merge(graph, params)
        return {name: STAGES[name][1](network, x) for name, x in inputs.items()}

    inputs = {name: golden.stage(before) for name, (before, _) in STAGES.items()}
    return compute(params, inputs)


def training_run(golden, network):
    """Three steps with the recorded noise: metrics, first gradient, change of the parameters."""
    lambdas = golden.options["lambdas"]
    loss = IICNetLoss(
        embedding=float(lambdas["lambda_embedding_frame_basic"]),
        frequency=float(lambdas["lambda_embedding_frame_freq"]),
        restoration=float(lambdas["lambda_fake_frames_basic"]),
    )
    optimizer = optax.chain(_keep_gradient(), adam(learning_rate("constant", 2e-4, steps=STEPS)))
    graph, first = create_state(network, optimizer)
    batch = {
        "frames": golden.group("frames"),
        "reference": jnp.asarray(nhwc(golden.arrays["ref_frame"])),
    }

    @jax.jit
    def step(state, noise):
        train_step = make_train_step(graph, optimizer, loss, lambda y, key: add_noise(y, noise))
        return train_step(state, batch, jax.random.key(0))

    state, reports, gradients = first, [], []
    for noise in golden.arrays["noise"]:
        state, report = step(state, nhwc(noise))
        reports.append({name: float(value) for name, value in report.compute().items()})
        gradients.append(golden.by_official_name(state.opt_state[0]))
    before, after = (golden.by_official_name(s.params) for s in (first, state))
    change = {name: after[name] - before[name] for name in before}
    return reports, gradients[0], change


def _keep_gradient():
    """Passes the gradient on, and keeps it as the optimiser state."""
    return optax.GradientTransformation(
        lambda params: jax.tree.map(jnp.zeros_like, params), lambda grads, _, __: (grads, grads)
    )


@functools.cache
def golden_of(path):
    return Golden(path)
