"""Initialisation, relation module, channel squeeze and quantisation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from iicnet_jax.models import quantisation
from iicnet_jax.models.channel_squeeze import ChannelSqueeze
from iicnet_jax.models.dense_block import DenseBlock, convolution
from iicnet_jax.models.relation import RelationModule


def normal(shape, seed=0):
    return jnp.asarray(np.random.RandomState(seed).normal(size=shape), jnp.float32)


@pytest.fixture(scope="module")
def dense_block():
    return DenseBlock(8, 5, growth=24, rngs=nnx.Rngs(0))


@pytest.mark.parametrize("index", range(4))
def test_growing_convolutions_start_from_a_tenth_of_xavier_normal(dense_block, index):
    weights = np.asarray(dense_block.growing[index].kernel[...])
    fan_in, fan_out = 9 * (8 + index * 24), 9 * 24
    expected = 0.1 * np.sqrt(2 / (fan_in + fan_out))
    assert weights.shape == (3, 3, 8 + index * 24, 24)
    np.testing.assert_allclose(weights.std(), expected, rtol=0.03)
    assert abs(weights.mean()) < 0.1 * expected
    assert np.abs(weights).max() > 3 * expected  # a truncated or uniform draw stays below


def test_last_convolution_and_all_biases_of_a_dense_block_start_at_zero(dense_block):
    zeros = [dense_block.last.kernel, *(conv.bias for conv in dense_block.growing)]
    assert not any(np.any(array[...]) for array in [*zeros, dense_block.last.bias])


@pytest.mark.parametrize("size", [1, 3])
def test_other_convolutions_start_uniform_within_the_root_of_the_fan_in(size):
    conv = convolution(16, 400, size, rngs=nnx.Rngs(0))
    bound = 1 / np.sqrt(16 * size**2)
    for array in (conv.kernel[...], conv.bias[...]):
        assert np.abs(array).max() <= bound
        np.testing.assert_allclose(np.std(array), bound / np.sqrt(3), rtol=0.06)
        assert abs(np.mean(array)) < 0.1 * bound


def test_weights_and_biases_of_a_convolution_are_drawn_independently():
    conv = convolution(4, 4, 1, rngs=nnx.Rngs(0))
    assert not np.intersect1d(conv.kernel[...], conv.bias[...]).size


def test_every_convolution_of_a_dense_block_sees_all_outputs_before_it(random_network):
    block = random_network(lambda: DenseBlock(2, 3, growth=4, rngs=nnx.Rngs(0)), scale=0.2)
    x = normal((1, 4, 5, 2))
    features = [x]
    for conv in block.growing:
        y = conv(jnp.concatenate(features, axis=-1))
        features.append(jnp.where(y > 0, y, 0.2 * y))
    expected = block.last(jnp.concatenate(features, axis=-1))
    np.testing.assert_allclose(block(x), expected, atol=1e-5)


def relation_module(features=4):
    return RelationModule(2, 3, features, growth=4, rngs=nnx.Rngs(0))


def test_fresh_relation_module_is_the_identity():
    module, x = relation_module(), normal((1, 3, 4, 6))
    np.testing.assert_array_equal(nnx.jit(RelationModule.embed)(module, x), x)
    np.testing.assert_array_equal(nnx.jit(RelationModule.restore)(module, x), x)


@pytest.mark.parametrize("direction", ["embed", "restore"])
def test_relation_module_adds_a_fifth_of_the_network_of_that_direction(random_network, direction):
    module, x = random_network(relation_module, scale=0.1), normal((1, 3, 4, 6))
    change = getattr(module, f"{direction}_network")(x)
    assert float(jnp.abs(change).max()) > 0.1
    np.testing.assert_allclose(getattr(module, direction)(x), x + 0.2 * change, rtol=1e-5)


def test_the_two_directions_of_a_relation_module_share_no_parameter(random_network):
    module, x = random_network(relation_module, scale=0.1), normal((1, 3, 4, 6))
    assert float(jnp.abs(module.embed(x) - module.restore(x)).max()) > 1e-3


def test_every_image_of_the_relation_network_depends_on_every_image(random_network):
    network, x = random_network(relation_module, scale=0.1).embed_network, normal((1, 3, 4, 6))
    gradient = jax.jit(jax.grad(lambda x, weights: (network(x) * weights).sum()))
    for output in range(2):
        of_output = gradient(x, jnp.zeros_like(x).at[..., 3 * output : 3 * output + 3].set(1))
        assert float(jnp.abs(of_output[..., :3]).max()) > 0
        assert float(jnp.abs(of_output[..., 3:]).max()) > 0


def test_channel_squeeze_averages_the_groups():
    squeeze, x = ChannelSqueeze(6, 3), jnp.asarray([1.0, 2.0, 3.0, 5.0, 8.0, 13.0])
    np.testing.assert_array_equal(squeeze.embed(x.reshape(1, 1, 1, 6))[0, 0, 0], [3, 5, 8])


def test_channel_squeeze_tiles_the_embedding_over_the_groups():
    restored = ChannelSqueeze(6, 3).restore(jnp.asarray([1.0, 2.0, 3.0]).reshape(1, 1, 1, 3))
    np.testing.assert_array_equal(restored[0, 0, 0], [1, 2, 3, 1, 2, 3])


@pytest.mark.parametrize("channels", [1, 3])
def test_channel_squeeze_embeds_what_it_restored_to_the_same(channels):
    squeeze, y = ChannelSqueeze(12, channels), normal((2, 3, 4, channels))
    np.testing.assert_allclose(squeeze.embed(squeeze.restore(y)), y, rtol=1e-6)


def test_channel_squeeze_names_channels_that_do_not_divide():
    with pytest.raises(ValueError, match="7 channels cannot be squeezed into 3"):
        ChannelSqueeze(7, 3)


def test_rounding_gives_the_nearest_of_256_levels():
    y = jnp.asarray([-0.5, 0.4 / 255, 0.6 / 255, 200.4 / 255, 254.7 / 255, 1.5])
    expected = np.asarray([0, 0, 1, 200, 255, 255]) / 255
    np.testing.assert_allclose(quantisation.round_to_levels(y), expected, rtol=1e-6)


def test_rounding_twice_is_rounding_once():
    once = quantisation.round_to_levels(normal((1000,)))
    np.testing.assert_array_equal(quantisation.round_to_levels(once), once)


def test_noise_is_added_in_grey_levels_and_clipped():
    y = jnp.asarray([0.5, 0.5, -0.1, 0.001, 1.0])
    noise = jnp.asarray([0.5, -0.25, 0.5, -0.5, 0.5])
    expected = [(127.5 + 0.5) / 255, (127.5 - 0.25) / 255, 0, 0, 1]
    np.testing.assert_allclose(quantisation.add_noise(y, noise), expected, rtol=1e-6)


def test_noise_passes_the_gradient_on_but_where_it_is_clipped():
    y, noise = jnp.asarray([0.5, -0.1, 0.001, 1.1]), jnp.asarray([0.5, 0.5, -0.5, -0.5])
    gradient = jax.grad(lambda y: quantisation.add_noise(y, noise).sum())(y)
    np.testing.assert_allclose(gradient, [1, 0, 0, 0], rtol=1e-6)


def test_noise_is_uniform_within_half_a_grey_level():
    noise = np.asarray(quantisation.uniform_noise(jax.random.key(0), (100, 100)))
    assert -0.5 <= noise.min() < -0.499 and 0.499 < noise.max() <= 0.5
    np.testing.assert_allclose(noise.std(), 1 / np.sqrt(12), rtol=0.02)


def test_straight_through_rounds():
    y = normal((100,))
    rounded = quantisation.round_to_levels(y)
    np.testing.assert_allclose(quantisation.straight_through(y), rounded, atol=1e-6)


def test_straight_through_passes_every_gradient_on():
    gradient = jax.grad(lambda y: quantisation.straight_through(y).sum())(normal((100,)))
    np.testing.assert_array_equal(gradient, np.ones(100))
