"""WIN-Naive, WIN and their loss against the authors' PyTorch code (see golden/README.md)."""

import functools
import json
import pathlib
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from iicnet_jax.models.baselines import WIN, WINNaive
from iicnet_jax.models.layers import parameter_arrays, set_parameters
from iicnet_jax.models.quantisation import round_to_levels
from iicnet_jax.training.baseline_losses import WINLoss
from iicnet_jax.training.step import QUANTISERS
from tests.golden_networks import recorded_parameters

NETWORKS = {
    "win_naive_n2": functools.partial(WINNaive, num_blocks=2),
    "win_naive_n3": functools.partial(WINNaive, 3, num_blocks=1),
    "win_naive_gray": functools.partial(WINNaive, 1, embedding_channels=1, num_blocks=1),
    "win_naive_rescale": functools.partial(WINNaive, 1, full_size=False, num_blocks=1),
    "win_n2": functools.partial(WIN, channels=24, memory=8, num_modules=2, num_blocks=1),
}
GOLDEN = pathlib.Path(__file__).parent / "golden"
STAGES = ("all_channels", "embedding_train", "embedding", "embedding_quantised", "restored")
LOSSES = {"determinant": "det", "shift": "shift", "embedding": "forward", "restoration": "reverse"}


class Recorded:
    """One golden file, turned to our layout."""

    def __init__(self, name):
        self.arrays = dict(np.load(GOLDEN / f"{name}.npz"))
        self.options = json.loads(str(self.arrays["options"]))
        self.parameters = recorded_parameters(self.arrays)
        self.our_names = {official: our_name(official) for official in self.parameters}

    def image(self, name):
        """A recorded feature map, NHWC."""
        return jnp.asarray(np.moveaxis(self.arrays[name], 1, -1))

    def group(self, name):
        """A recorded feature map as a group of images, (b, n, h, w, 3)."""
        image = self.image(name)
        return jnp.stack(jnp.split(image, image.shape[-1] // 3, axis=-1), axis=1)


def our_name(official):
    """Of a parameter, such as operations.2.feature.0_1.F.conv5.bias."""
    layer, _, parameter = official.partition(".iConv2d.")
    if parameter:  # of a well-posed convolution
        if module := re.fullmatch(r"operations\.2\.transform\.(\d+)", layer):
            return f"features/convolutions/{module[1]}/weight"
        return "features/first/weight" if layer == "operations.1" else "fusion/weight"
    *path, dense, conv, kind = official.split(".")
    place = ".".join(path)
    if module := re.fullmatch(r"operations\.2\.feature\.(\d+)_(\d+)", place):
        blocks = f"features/blocks/{module[1]}/layers/{module[2]}"
    elif tail := re.fullmatch(r"operations\.2\.tail\.(\d+)", place):
        blocks = f"features/tail/layers/{tail[1]}"
    else:
        blocks = f"features/layers/{int(path[1]) - 1}"
    number = int(conv.removeprefix("conv"))
    convolution = "last" if number == 5 else f"growing/{number - 1}"
    return f"{blocks}/{dense}/{convolution}/{'kernel' if kind == 'weight' else kind}"


def our_layout(array, name):
    if name.endswith("/kernel"):
        return array.transpose(2, 3, 1, 0)
    return array[:, :, 0, 0] if name.endswith("/weight") else array


@functools.cache
def outputs(name, random_network):
    """All that was recorded, computed by our network; gradient norms by our names."""
    recorded = Recorded(name)
    graph, params = nnx.split(random_network(lambda: NETWORKS[name](rngs=nnx.Rngs(0))), nnx.Param)
    ours = {
        our: our_layout(recorded.parameters[official], our)
        for official, our in recorded.our_names.items()
    }
    assert ours.keys() == parameter_arrays(params).keys()
    set_parameters(params, ours)
    lambdas = recorded.options["lambdas"]
    loss = WINLoss(
        **{ours: lambdas[theirs] for ours, theirs in LOSSES.items()},
        distance={"l1": "charbonnier", "l2": "squared"}[recorded.options["forward_loss"]],
    )
    frames = recorded.group("input")
    batch = {"frames": frames, "reference": recorded.image("reference")}

    def total(params):
        terms = loss(
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
        groups, embedding = network.forward(frames), network.embed(frames)
        restored = network.restore(recorded.image("embedding_quantised"), frames.shape[2:4])
        stages = {
            "all_channels": groups,
            "embedding_train": groups[..., : embedding.shape[-1]],
            "embedding": embedding,
            "embedding_quantised": round_to_levels(embedding),
            "restored": jnp.concatenate(list(jnp.moveaxis(restored, 1, 0)), axis=-1),
        }
        (value, terms), gradient = jax.value_and_grad(total, has_aux=True)(params)
        return stages, value, terms, gradient

    stages, value, terms, gradient = compute(params)
    norms = {path: np.linalg.norm(of) for path, of in parameter_arrays(gradient).items()}
    unweighted = {ours: terms[ours] / lambdas[theirs] for ours, theirs in LOSSES.items()}
    return recorded, stages, [*unweighted.values(), value], norms


every_network = pytest.mark.parametrize("name", NETWORKS)


@every_network
@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_is_the_authors(random_network, name, stage):
    recorded, stages, _, _ = outputs(name, random_network)
    np.testing.assert_allclose(stages[stage], recorded.image(stage), rtol=0, atol=2e-5)


@every_network
def test_every_loss_term_is_the_authors(random_network, name):
    recorded, _, losses, _ = outputs(name, random_network)
    np.testing.assert_allclose(losses, recorded.arrays["losses"], rtol=1e-4)


@every_network
def test_every_gradient_norm_is_the_authors(random_network, name):
    recorded, _, _, norms = outputs(name, random_network)
    theirs = {
        our: float(recorded.arrays[f"grad_norm/{official}"])
        for official, our in recorded.our_names.items()
    }
    np.testing.assert_allclose([norms[our] for our in theirs], list(theirs.values()), rtol=1e-3)


def test_there_are_golden_files():
    assert {path.stem for path in GOLDEN.glob("win_*.npz")} == NETWORKS.keys()
