"""The network and its training against the authors' PyTorch code (see golden/README.md)."""

import functools
import json
import pathlib
import zlib

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from iicnet_jax.models import IICNet
from iicnet_jax.models.layers import parameter_arrays
from iicnet_jax.models.quantisation import add_noise, round_to_levels
from iicnet_jax.training.losses import IICNetLoss
from iicnet_jax.training.optimizer import adam, learning_rate
from iicnet_jax.training.step import create_state, make_train_step
from iicnet_jax.weights.official import load_official, parameter_name

FILES = sorted((pathlib.Path(__file__).parent / "golden").glob("n*.npz"))
STEPS = 3

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


class Golden:
    """One golden file, turned to our layout."""

    def __init__(self, path):
        self.arrays = dict(np.load(path))
        self.options = json.loads(str(self.arrays["options"]))
        self.num_images = self.options["input"]["num_of_frames"]
        shapes = json.loads(str(self.arrays["param_shapes"]))
        self.parameters = {name: self._parameter(name, shape) for name, shape in shapes.items()}

    def _parameter(self, name, shape):
        if f"params/{name}" in self.arrays:
            return self.arrays[f"params/{name}"]
        random = np.random.RandomState(zlib.crc32(name.encode()))
        return random.normal(0, 0.03, shape).astype(np.float32)

    def stage(self, name):
        """A recorded feature map, NHWC."""
        recorded = self.arrays["input_frames" if name == "frames" else f"stage/{name}"]
        return jnp.asarray(nhwc(recorded))

    def group(self, name):
        """A recorded feature map as a group of images, (b, n, h, w, 3)."""
        return jnp.stack(jnp.split(self.stage(name), self.num_images, axis=-1), axis=1)

    def network(self, random_network):
        """Our network with the recorded options and parameters."""
        down = self.options["down"]
        make = functools.partial(
            IICNet,
            self.num_images,
            embedding_channels=self.options["cs"]["out_nc"],
            relation=self.options["rel"]["use_rel"],
            relation_features=self.options["rel"]["nf"],
            downscaling=down["type"] if down["use_down"] else "none",
            split={"ref": "ref", "hl": "prop"}[down["order"]],
            num_blocks=self.options["block"]["block_num"],
        )
        network = random_network(lambda: make(rngs=nnx.Rngs(0)))
        load_official(network, self.parameters)
        return network

    def entries(self, prefix):
        """Recorded values by the parameter's official name."""
        return {k.removeprefix(prefix): v for k, v in self.arrays.items() if k.startswith(prefix)}


def nhwc(x):
    return np.moveaxis(x, 1, -1)


def by_official_name(golden, state):
    """The arrays of a parameter state by official name, in our layout."""
    arrays = parameter_arrays(state)
    names = {name: parameter_name(name) for name in golden.parameters}
    return {name: arrays[ours] for name, ours in names.items() if ours is not None}


def keep_gradient():
    """Passes the gradient on, and keeps it as the optimiser state."""
    return optax.GradientTransformation(
        lambda params: jax.tree.map(jnp.zeros_like, params), lambda grads, _, __: (grads, grads)
    )


@functools.cache
def golden_of(path):
    return Golden(path)


@functools.cache
def training_run(path, random_network):
    """Three training steps with the recorded noise: metrics, first gradient, parameters."""
    golden = golden_of(path)
    lambdas = golden.options["lambdas"]
    loss = IICNetLoss(
        embedding=float(lambdas["lambda_embedding_frame_basic"]),
        frequency=float(lambdas["lambda_embedding_frame_freq"]),
        restoration=float(lambdas["lambda_fake_frames_basic"]),
    )
    optimizer = optax.chain(keep_gradient(), adam(learning_rate("constant", 2e-4, steps=STEPS)))
    graph, first = create_state(golden.network(random_network), optimizer)
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
        gradients.append(by_official_name(golden, state.opt_state[0]))
    before, after = (by_official_name(golden, s.params) for s in (first, state))
    change = {name: after[name] - before[name] for name in before}
    return reports, gradients[0], change


# Trained with every change: with and without relation module, frequency loss and down-scaling,
# each kind of that, and both splits.
TRAINED = ("n2_no_frequency", "n3_haar_prop", "n3_relation", "n3_squeeze_ref")
every_network = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
every_training = pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=() if path.stem in TRAINED else pytest.mark.nightly)
        for path in FILES
    ],
)


@pytest.fixture
def golden(path):
    return golden_of(path)


@functools.cache
def stage_outputs(path, random_network):
    """Every stage, computed from the recorded stage before it."""
    golden = golden_of(path)
    graph, params = nnx.split(golden.network(random_network), nnx.Param)

    @jax.jit
    def compute(params, inputs):
        network = nnx.merge(graph, params)
        return {name: STAGES[name][1](network, x) for name, x in inputs.items()}

    inputs = {name: golden.stage(before) for name, (before, _) in STAGES.items()}
    return compute(params, inputs)


@every_network
@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_is_the_authors(random_network, path, golden, stage):
    np.testing.assert_allclose(
        stage_outputs(path, random_network)[stage], golden.stage(stage), rtol=0, atol=2e-5
    )


@every_training
@pytest.mark.parametrize("step", range(STEPS))
def test_every_loss_term_is_the_authors_at_every_step(random_network, path, golden, step):
    reports, _, _ = training_run(path, random_network)
    ours = [reports[step][f"loss_{term}"] for term in ("embedding", "frequency", "restoration")]
    np.testing.assert_allclose(ours, golden.arrays["losses"][step], rtol=1e-4)


@every_training
def test_every_gradient_norm_is_the_authors(random_network, path, golden):
    _, gradient, _ = training_run(path, random_network)
    recorded = golden.entries("grad_norm/")
    assert gradient.keys() == recorded.keys()
    ours = [np.linalg.norm(gradient[name]) for name in recorded]
    # The smallest norms are what remains of large terms that cancel; how these are rounded depends
    # on the processor.
    rounding = 3e-8 * golden.arrays["grad_norm_total"]
    np.testing.assert_allclose(ours, list(recorded.values()), rtol=1e-3, atol=rounding)


@every_training
def test_reported_gradient_norm_is_the_authors(random_network, path, golden):
    reports, _, _ = training_run(path, random_network)
    total = golden.arrays["grad_norm_total"]
    np.testing.assert_allclose(reports[0]["gradient_norm"], total, rtol=1e-3)


@every_training
def test_three_optimiser_steps_change_the_parameters_by_as_much(random_network, path, golden):
    _, _, change = training_run(path, random_network)
    ours = np.sqrt(sum(np.sum(c.astype(np.float64) ** 2) for c in change.values()))
    np.testing.assert_allclose(ours, golden.arrays["param_delta_norm"], rtol=1e-3)


@every_training
def test_three_optimiser_steps_change_single_parameters_alike(random_network, path, golden):
    _, _, change = training_run(path, random_network)
    for name, after in golden.entries("params_after/").items():
        expected = after - golden.parameters[name]
        error = np.linalg.norm(change[name] - expected) / np.linalg.norm(expected)
        assert error < 1e-3, name


def test_there_are_golden_files():
    assert len(FILES) == 8
