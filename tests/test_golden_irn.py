"""IRN and its loss against the authors' PyTorch code (see golden/README.md)."""

import functools
import json
import pathlib
import re
import zlib

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from iicnet_jax.models.baselines import IRN
from iicnet_jax.models.quantisation import round_to_levels
from iicnet_jax.training.baseline_losses import IRNLoss
from iicnet_jax.training.step import QUANTISERS
from iicnet_jax.weights.official import load_official

GOLDEN = dict(np.load(pathlib.Path(__file__).parent / "golden" / "irn_x2.npz"))
LOSSES = ("embedding", "latent", "restoration")


def recorded(name):
    """A recorded feature map, NHWC."""
    return jnp.asarray(np.moveaxis(GOLDEN[name], 1, -1))


def parameters():
    """By IICNet's names, as IRN is its couplings alone; without the constant Haar kernels."""
    for name, shape in json.loads(str(GOLDEN["param_shapes"])).items():
        if match := re.fullmatch(r"operations\.(\d+)\.([FGH]\..*)", name):
            random = np.random.RandomState(zlib.crc32(name.encode()))
            value = random.normal(0, 0.03, shape).astype(np.float32)
            yield f"2.operations.{int(match[1]) - 1}.{match[2]}", value


class WithRecordedDraw(IRNLoss):
    """The loss with the random numbers that the authors' code drew."""

    def draw(self, key, shape):
        assert shape == recorded("z").shape
        return recorded("z")


@functools.cache
def outputs(random_network):
    """All that was recorded, computed by our network."""
    network = random_network(lambda: IRN(num_blocks=2, rngs=nnx.Rngs(0)))
    load_official(network, dict(parameters()))
    graph, params = nnx.split(network, nnx.Param)
    batch = {"frames": recorded("hr")[:, None], "reference": recorded("lr_ref")}

    def losses(params):
        terms = WithRecordedDraw()(
            nnx.merge(graph, params),
            batch,
            lambda y: QUANTISERS["straight_through"](y, None),
            key=jax.random.key(0),
            step=jnp.int32(0),
        )
        return sum(terms.values()), terms

    @jax.jit
    def compute(params):
        network = nnx.merge(graph, params)
        rounded = recorded("lr_quantised")
        gradient, terms = jax.grad(losses, has_aux=True)(params)
        return {
            "forward": jnp.concatenate(network.forward(batch["frames"]), axis=-1),
            "lr_quantised": round_to_levels(network.embed(batch["frames"])),
            "restored": network.restore(rounded, (24, 24), latent=recorded("z"))[:, 0],
            "losses": jnp.stack([terms[name] for name in LOSSES]),
            "grad_norm_total": optax.tree.norm(gradient),
        }

    return compute(params)


@pytest.mark.parametrize("name", ["forward", "lr_quantised", "restored"])
def test_every_stage_is_the_authors(random_network, name):
    ours = outputs(random_network)[name]
    np.testing.assert_allclose(ours, recorded(name), rtol=0, atol=2e-5)


def test_every_loss_term_is_the_authors(random_network):
    ours = outputs(random_network)["losses"]
    np.testing.assert_allclose(ours, GOLDEN["losses"], rtol=1e-4)


def test_the_gradients_norm_is_the_authors(random_network):
    ours = outputs(random_network)["grad_norm_total"]
    np.testing.assert_allclose(ours, GOLDEN["grad_norm_total"], rtol=1e-3)
