"""Every bijection against the contract of `Bijection`, and the small ones against examples."""

import functools
import importlib
import pkgutil

import einops
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import iicnet_jax.models
from iicnet_jax.models import IICNet
from iicnet_jax.models.bijection import Bijection, Chain
from iicnet_jax.models.coupling import AffineCoupling
from iicnet_jax.models.downscaling import FirstLevelFirst, GroupByImage, Haar, Squeeze
from iicnet_jax.models.invertible_conv import InvertibleConv1x1
from iicnet_jax.models.stack import Stack


def network_chain(**options):
    """The bijections of a whole IICNet."""
    network = IICNet(2, relation=False, growth=4, rngs=nnx.Rngs(0), **options)
    return Chain([network.down, network.blocks])


# Name -> how it is made, shape of x, shape of y.
REGISTRY = {
    "chain": (
        lambda: Chain([Squeeze(), GroupByImage(3), InvertibleConv1x1(24, rngs=nnx.Rngs(0))]),
        (2, 4, 6, 6),
        (2, 2, 3, 24),
    ),
    "squeeze": (Squeeze, (2, 4, 6, 6), (2, 2, 3, 24)),
    "haar": (Haar, (2, 4, 6, 6), (2, 2, 3, 24)),
    "group_by_image": (lambda: GroupByImage(3), (2, 4, 6, 24), (2, 4, 6, 24)),
    "first_level_first": (lambda: FirstLevelFirst(3, 2), (2, 4, 6, 48), (2, 4, 6, 48)),
    "invertible_conv": (
        lambda: InvertibleConv1x1(12, rngs=nnx.Rngs(0)),
        (2, 4, 6, 12),
        (2, 4, 6, 12),
    ),
    "coupling": (
        lambda: AffineCoupling(9, 3, growth=4, rngs=nnx.Rngs(0)),
        (2, 4, 6, 9),
        (2, 4, 6, 9),
    ),
    "stack": (
        lambda: Stack([AffineCoupling(6, 3, growth=4, rngs=nnx.Rngs(0)) for _ in range(2)]),
        (2, 4, 6, 6),
        (2, 4, 6, 6),
    ),
    "iicnet": (functools.partial(network_chain, num_blocks=2), (2, 4, 6, 6), (2, 4, 6, 6)),
    "iicnet_haar_ref": (
        functools.partial(network_chain, downscaling="haar", split="ref", num_blocks=1),
        (2, 4, 6, 6),
        (2, 2, 3, 24),
    ),
    "iicnet_squeeze_prop": (
        functools.partial(network_chain, downscaling="squeeze", split="prop", num_blocks=1),
        (2, 4, 6, 6),
        (2, 2, 3, 24),
    ),
}


def normal(shape, seed=0):
    return jnp.asarray(np.random.RandomState(seed).normal(size=shape), jnp.float32)


# Whole networks are made of the layers above, and the golden networks are of every kind.
NIGHTLY = ("iicnet", "iicnet_squeeze_prop")


class Case:
    """A bijection with random parameters, an x and a y; either direction is compiled once."""

    def __init__(self, bijection, x, y):
        self.graph, self.params = nnx.split(bijection, nnx.Param)
        self.x, self.y = x, y

    @functools.partial(jax.jit, static_argnums=(0, 1))
    def value_and_gradients(self, direction, params, argument, weights):
        """The result, and the gradients of its weighted sum by parameters and argument."""

        def apply(params, argument):
            return getattr(nnx.merge(self.graph, params), direction)(argument)

        result, pull = jax.vjp(apply, params, argument)
        return result, *pull(weights)

    def forward(self, x):
        return self.value_and_gradients("forward", self.params, x, jnp.ones_like(self.y))[0]

    def inverse(self, y):
        return self.value_and_gradients("inverse", self.params, y, jnp.ones_like(self.x))[0]


@functools.cache
def case_of(name, random_network):
    make, x_shape, y_shape = REGISTRY[name]
    return Case(random_network(make), normal(x_shape, seed=1), normal(y_shape, seed=2))


@pytest.fixture(
    params=[
        pytest.param(name, marks=pytest.mark.nightly if name in NIGHTLY else ())
        for name in REGISTRY
    ]
)
def case(request, random_network):
    return case_of(request.param, random_network)


def test_the_registry_has_every_bijection():
    for module in pkgutil.iter_modules(iicnet_jax.models.__path__, "iicnet_jax.models."):
        importlib.import_module(module.name)
    tested = {type(nnx.eval_shape(make)) for make, _, _ in REGISTRY.values()}
    assert tested == set(Bijection.__subclasses__())


def test_forward_is_not_the_identity(case):
    y = case.forward(case.x)
    assert y.shape != case.x.shape or float(jnp.abs(y - case.x).max()) > 0.01


def test_both_directions_have_the_registered_shapes_and_keep_the_dtype(case):
    for result, expected in ((case.forward(case.x), case.y), (case.inverse(case.y), case.x)):
        assert (result.shape, result.dtype) == (expected.shape, expected.dtype)


def test_inverse_undoes_forward(case):
    np.testing.assert_allclose(case.inverse(case.forward(case.x)), case.x, atol=2e-5)


def test_forward_undoes_inverse(case):
    np.testing.assert_allclose(case.forward(case.inverse(case.y)), case.y, atol=2e-5)


@pytest.mark.parametrize("direction", ["forward", "inverse"])
def test_input_and_every_parameter_get_a_finite_gradient_that_is_not_zero(case, direction):
    argument, result = (case.x, case.y) if direction == "forward" else (case.y, case.x)
    weights = normal(result.shape, seed=3)
    _, *gradients = case.value_and_gradients(direction, case.params, argument, weights)
    for leaf in jax.tree.leaves(gradients):
        assert bool(jnp.isfinite(leaf).all())
        assert float(jnp.abs(leaf).max()) > 0


def test_the_derivative_of_the_round_trip_is_the_identity(case):
    weights = normal(case.x.shape, seed=3)
    y = case.forward(case.x)
    _, _, by_y = case.value_and_gradients("inverse", case.params, y, weights)
    _, _, by_x = case.value_and_gradients("forward", case.params, case.x, by_y)
    np.testing.assert_allclose(by_x, weights, atol=5e-5)


def test_chain_applies_its_layers_first_to_last():
    squeeze, group, x = Squeeze(), GroupByImage(3), normal((1, 4, 4, 6))
    expected = group.forward(squeeze.forward(x))
    np.testing.assert_array_equal(Chain([squeeze, group]).forward(x), expected)


def test_squeeze_takes_the_pixels_of_a_square_row_by_row():
    x = jnp.asarray([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1)
    np.testing.assert_array_equal(Squeeze().forward(x)[0, 0, 0], [1, 2, 3, 4])


def test_haar_computes_average_horizontal_vertical_and_diagonal():
    x = jnp.asarray([[1.0, 2.0], [3.0, 8.0]]).reshape(1, 2, 2, 1)
    # (1+2+3+8)/4, (1-2+3-8)/4, (1+2-3-8)/4, (1-2-3+8)/4
    np.testing.assert_array_equal(Haar().forward(x)[0, 0, 0], [3.5, -1.5, -2, 1])


@pytest.mark.parametrize("layer", [Squeeze(), Haar()])
def test_downscaling_is_sub_image_major(layer):
    first, second = normal((1, 2, 2, 1), seed=1), normal((1, 2, 2, 1), seed=2)
    both = layer.forward(jnp.concatenate([first, second], axis=-1))
    np.testing.assert_allclose(both[..., 0::2], layer.forward(first), rtol=1e-6)
    np.testing.assert_allclose(both[..., 1::2], layer.forward(second), rtol=1e-6)


@pytest.mark.parametrize("layer", [Squeeze(), Haar()])
@pytest.mark.parametrize("shape", [(1, 3, 4, 2), (1, 4, 3, 2)])
def test_downscaling_names_the_odd_size(layer, shape):
    with pytest.raises(ValueError, match=f"even .* got {shape[1]}x{shape[2]}"):
        layer.forward(jnp.zeros(shape))


def test_group_by_image_puts_all_sub_images_of_the_reference_first():
    sub_image, image, colour = np.meshgrid(range(4), range(2), range(3), indexing="ij")
    label = 100 * sub_image + 10 * image + colour
    y = GroupByImage(3).forward(jnp.asarray(label, jnp.float32).reshape(1, 1, 1, 24))
    expected = einops.rearrange(label, "s n c -> n s c")
    np.testing.assert_array_equal(y.reshape(2, 4, 3), expected)
    assert set(np.unique(expected[0] // 10 % 10)) == {0}


def test_invertible_conv_multiplies_every_pixel_by_its_matrix(random_network):
    layer, x = random_network(REGISTRY["invertible_conv"][0]), normal((2, 3, 4, 12))
    matrix = np.asarray(layer.weight[...])
    np.testing.assert_allclose(layer.forward(x)[1, 2, 3], matrix @ x[1, 2, 3], atol=1e-5)


def test_fresh_invertible_conv_is_orthogonal():
    matrix = np.asarray(InvertibleConv1x1(12, rngs=nnx.Rngs(0)).weight[...])
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(12), atol=1e-5)
    assert np.abs(matrix - np.eye(12)).max() > 0.1


def test_invertible_conv_inverts_nearly_as_well_as_float64(random_network):
    layer = random_network(lambda: InvertibleConv1x1(36, rngs=nnx.Rngs(0)))
    random = np.random.RandomState(0)
    layer.weight[...] = jnp.asarray(random.normal(size=(36, 36)), jnp.float32)
    exact = np.linalg.inv(np.asarray(layer.weight[...], np.float64))
    ours = layer.inverse(jnp.eye(36).reshape(1, 1, 36, 36))[0, 0].T
    error = np.linalg.norm(ours - exact) / np.linalg.norm(exact)
    assert error < 1e-5, error


def test_the_newton_step_removes_rounding_error_of_the_inverse(random_network):
    layer = random_network(lambda: InvertibleConv1x1(60, rngs=nnx.Rngs(0)))
    ratios = []
    for seed in range(8):
        matrix = normal((60, 60), seed)
        layer.weight[...] = matrix
        exact = np.linalg.inv(np.asarray(matrix, np.float64))
        ours = layer.inverse(jnp.eye(60).reshape(1, 1, 60, 60))[0, 0].T
        ratios.append(np.linalg.norm(ours - exact) / np.linalg.norm(jnp.linalg.inv(matrix) - exact))
    assert np.mean(ratios) < 0.7, ratios


def test_fresh_coupling_is_the_identity():
    x = normal((1, 3, 4, 5))
    np.testing.assert_array_equal(AffineCoupling(5, 2, growth=4, rngs=nnx.Rngs(0)).forward(x), x)


def test_coupling_computes_the_equations_of_the_paper(random_network):
    layer, x = (
        random_network(lambda: AffineCoupling(5, 2, growth=4, rngs=nnx.Rngs(0))),
        normal((1, 3, 4, 5)),
    )
    x1, x2 = x[..., :2], x[..., 2:]
    y1 = x1 + layer.F(x2)
    scale = np.exp(2 / (1 + np.exp(-np.asarray(layer.H(y1)))) - 1)
    y2 = x2 * scale + layer.G(y1)
    np.testing.assert_allclose(layer.forward(x), np.concatenate([y1, y2], axis=-1), atol=1e-5)


def test_coupling_scales_by_less_than_e(random_network):
    layer = random_network(lambda: AffineCoupling(5, 2, growth=4, rngs=nnx.Rngs(0)), scale=1.0)
    assert float(jnp.abs(layer.H(normal((1, 3, 4, 2)))).max()) > 100
    assert float(jnp.abs(layer.affine(normal((1, 3, 4, 2)))[0]).max()) <= 1


@pytest.mark.parametrize("split", [0, 6, 7])
def test_coupling_names_the_split_that_leaves_a_part_empty(split):
    with pytest.raises(ValueError, match=f"6 channels cannot be split after {split}"):
        AffineCoupling(6, split, rngs=nnx.Rngs(0))
