"""However a network is computed, it computes the same, and so are its gradients."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from iicnet_jax.models import IICNet, dense_block
from iicnet_jax.models.abstract import ConstantRngs
from iicnet_jax.models.coupling import AffineCoupling
from iicnet_jax.models.dense_block import DenseBlock
from iicnet_jax.models.execution import MEMORY_SAVING, Execution, scan, set_execution
from iicnet_jax.models.quantisation import round_to_levels
from iicnet_jax.models.relation import RelationModule
from iicnet_jax.models.stack import Stack

PLAIN = Execution("none", "unroll")
WAYS = [
    Execution("none", "scan"),
    Execution("remat", "unroll"),
    Execution("remat", "scan"),
    Execution("reversible", "unroll"),
    # Relation modules are computed as with "remat"; couplings in a loop have a test of their own.
    pytest.param(Execution("reversible", "scan"), marks=pytest.mark.nightly),
]


def normal(shape, seed):
    return jnp.asarray(np.random.RandomState(seed).normal(size=shape), jnp.float32)


def assert_close(result, expected, tolerance):
    """Every array differs by less than `tolerance` of its norm."""
    pairs = zip(*(jax.tree.leaves(jax.device_get(x)) for x in (result, expected)), strict=True)
    errors = [np.linalg.norm(a - b) / np.linalg.norm(b) for a, b in pairs]
    assert max(errors) < tolerance, max(errors)


def values_and_gradients(model, execution, function, x):
    """`function(model, x)`, and the gradients of a weighted sum of all its results."""
    set_execution(model, execution)
    graph, params = nnx.split(model, nnx.Param)

    def weighted_sum(params, x):
        values = function(nnx.merge(graph, params), x)
        return sum((normal(y.shape, seed=1) * y).sum() for y in values), values

    gradients, values = jax.jit(jax.grad(weighted_sum, (0, 1), has_aux=True))(params, x)
    return values, gradients


def couplings(num_blocks):
    return Stack([AffineCoupling(6, 3, rngs=nnx.Rngs(0))] * num_blocks)


def both_ways(model, frames):
    """The embedding of images, and the images restored from one of them."""
    reference = frames[:, 0, :: model.scale, :: model.scale]
    return model.embed(frames), model.restore(reference)


@functools.cache
def network_and_frames(random_network):
    """A network of layers of every kind, with few features, and images.

    Its convolutions are the library's, whose gradients compile in half the time; other tests
    compare ours with these.
    """
    few = {"num_blocks": 2, "relation_features": 4, "growth": 4}
    make = lambda: IICNet(2, downscaling="haar", split="prop", **few, rngs=nnx.Rngs(0))  # noqa: E731
    frames = jnp.clip(0.5 + 0.2 * normal((1, 2, 8, 6, 3), seed=2), 0, 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dense_block, "convolve", jax.lax.conv_general_dilated)
        return random_network(make, scale=0.1), frames


@functools.cache
def plain(random_network):
    """Values and gradients of plain differentiation."""
    model, frames = network_and_frames(random_network)
    return values_and_gradients(model, PLAIN, both_ways, frames)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_values_and_gradients_do_not_depend_on_execution(way, random_network):
    model, frames = network_and_frames(random_network)
    values, gradients = plain(random_network)
    other, other_gradients = values_and_gradients(model, way, both_ways, frames)
    assert_close(other, values, 1e-5)
    assert_close(other_gradients, gradients, 1e-4)


def test_thirty_reversible_blocks_have_the_gradients_of_plain_differentiation(random_network):
    coupling = lambda: AffineCoupling(6, 3, growth=4, rngs=nnx.Rngs(0))  # noqa: E731
    # With larger parameters the values grow from block to block, as in no trained network.
    blocks = random_network(lambda: Stack([coupling()] * 30), scale=0.03)

    def both_directions(blocks, x):
        return blocks.forward(x), blocks.inverse(x)

    x = normal((2, 8, 6, 6), seed=2)
    ways = [Execution(memory, "scan") for memory in ("none", "reversible")]
    (values, gradients), (other, other_gradients) = (
        values_and_gradients(blocks, way, both_directions, x) for way in ways
    )
    assert_close(other, values, 1e-5)
    assert_close(other_gradients, gradients, 1e-4)


@pytest.mark.parametrize("memory", MEMORY_SAVING)
def test_only_plain_differentiation_needs_memory_for_every_block(memory):
    def temporaries(num_blocks):
        blocks = nnx.eval_shape(lambda: couplings(num_blocks))
        set_execution(blocks, Execution(memory, "scan"))
        graph, params = nnx.split(blocks, nnx.Param)
        gradient = jax.grad(lambda params, x: nnx.merge(graph, params).forward(x).sum())
        x = jax.ShapeDtypeStruct((2, 96, 96, 6), jnp.float32)
        return jax.jit(gradient).lower(params, x).compile().memory_analysis().temp_size_in_bytes

    few, many = temporaries(2), temporaries(6)
    assert (many > 1.15 * few) == (memory == "none"), (few, many)


def test_a_loop_holds_every_layer_once():
    def convolutions(loop, num_images, num_blocks):
        network = nnx.eval_shape(
            lambda: IICNet(num_images, num_blocks=num_blocks, relation_features=2, rngs=nnx.Rngs(0))
        )
        set_execution(network, Execution(loop=loop))
        graph, params = nnx.split(network, nnx.Param)
        frames = jax.ShapeDtypeStruct((1, num_images, 8, 8, 3), jnp.float32)
        embed = jax.jit(lambda params, x: nnx.merge(graph, params).embed(x))
        return embed.lower(params, frames).as_text().count("stablehlo.convolution")

    # Five in a dense block: three of these make a coupling, one a head or a tail.
    coupling, head_and_tail = 3 * 5, 5 + 1 + 1 + 1 + 5
    assert convolutions("unroll", 2, 2) == 2 * (coupling + head_and_tail)
    assert convolutions("scan", 3, 4) == coupling + head_and_tail


@pytest.mark.parametrize("loop", ["unroll", "scan"])
@pytest.mark.parametrize("relation", [False, True])
def test_written_out_a_barrier_keeps_apart_what_is_computed_twice(loop, relation):
    """The compiler would merge both, and keep what was to be computed again."""
    network = nnx.eval_shape(
        lambda: (
            RelationModule(2, 3, 2, rngs=nnx.Rngs(0)).embed_network if relation else couplings(1)
        )
    )
    set_execution(network, Execution("remat", loop))
    graph, params = nnx.split(network, nnx.Param)

    def loss(params, x):
        network = nnx.merge(graph, params)
        return (network(x) if relation else network.forward(x)).sum()

    x = jax.ShapeDtypeStruct((1, 4, 4, 6), jnp.float32)
    program = jax.jit(jax.grad(loss)).lower(params, x).as_text()
    assert ("optimization_barrier" in program) == (loop == "unroll")


def test_the_gradient_of_unrolled_items_is_one_concatenation():
    def function(items):
        return scan(lambda carry, item: (carry * item.sum(), None), 1.0, items, loops=False)[0]

    program = str(jax.make_jaxpr(jax.grad(function))(jnp.ones((4, 3))))
    assert program.count("concatenate[") == 1
    assert "add_any" not in program and "pad[" not in program


def grey_levels(x):
    return np.clip(np.round(255 * np.asarray(x)), 0, 255)


@functools.cache
def round_trip(random_network, precision):
    network, frames = network_and_frames(random_network)
    set_execution(network, Execution(precision=precision))
    graph, params = nnx.split(network, nnx.Param)

    @jax.jit
    def compute(params, frames):
        network = nnx.merge(graph, params)
        embedding = network.embed(frames)
        return embedding, network.restore(round_to_levels(embedding))

    embedding, restored = compute(params, frames)
    assert embedding.dtype == restored.dtype == jnp.float32
    return embedding, restored


@pytest.mark.parametrize("precision", ["tensorfloat32", "bfloat16"])
def test_other_precisions_stay_within_one_grey_level_on_average(random_network, precision):
    ways = (round_trip(random_network, name) for name in (precision, "float32"))
    for result, exact in zip(*ways, strict=True):
        assert np.abs(grey_levels(result) - grey_levels(exact)).mean() < 1
        # A CPU has no tensorfloat32 and computes in float32.
        assert (np.abs(result - exact).max() > 1e-4) == (precision == "bfloat16")


def test_bfloat16_keeps_parameters_results_and_gradients_in_float32(random_network):
    block = random_network(lambda: DenseBlock(3, 2, growth=4, rngs=nnx.Rngs(0)))
    x = normal((2, 32, 32, 3), seed=1)
    set_execution(block, Execution(precision="bfloat16"))
    graph, params = nnx.split(block, nnx.Param)

    @jax.jit
    def value_and_gradient(params):
        y, pull = jax.vjp(lambda params: nnx.merge(graph, params)(x), params)
        return y, *pull(jnp.ones_like(y))

    y, gradient = value_and_gradient(params)
    for array in jax.tree.leaves((params, y, gradient)):
        assert array.dtype == jnp.float32
    # As many as there are pixels. A bfloat16 has eight bits, and cannot count so far.
    np.testing.assert_array_equal(gradient["last"]["bias"][...], [2 * 32 * 32] * 2)


@pytest.mark.parametrize(
    ("field", "choices"),
    [("memory_saving", "'remat'"), ("loop", "'scan'"), ("precision", "'bfloat16'")],
)
def test_unknown_words_are_named(field, choices):
    with pytest.raises(ValueError, match=f"{field} must be one of .*{choices}.*, not 'fast'"):
        Execution(**{field: "fast"})


def test_layers_of_different_structure_are_no_stack():
    def stack():
        return Stack([AffineCoupling(6, split, rngs=ConstantRngs()) for split in (3, 2)])

    with pytest.raises(ValueError, match="must have the same structure"):
        nnx.eval_shape(stack)
