"""The methods that the paper compares with, layer by layer where they are not IICNet's."""

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from iicnet_jax.models.baselines import IRN, InvertibleGrayscale, VideoSnapshot
from iicnet_jax.models.baselines.encoder_decoder import Encoder
from iicnet_jax.models.baselines.irn import fixed_noise
from iicnet_jax.models.baselines.video_snapshot import MotionAttention


def images(*shape):
    return jnp.asarray(np.random.default_rng(0).random(shape), jnp.float32)


def number_of_parameters(make):
    state = nnx.state(nnx.eval_shape(make), nnx.Param)
    return sum(leaf.size for _, leaf in nnx.to_flat_state(state))


def test_irn_is_as_large_as_published():
    """1.66 million (Xiao et al. 2020, Table 1)."""
    assert number_of_parameters(lambda: IRN(rngs=nnx.Rngs(0))) == 1_667_952


def test_irn_restores_exactly_from_what_it_leaves_out(random_network):
    network = random_network(lambda: IRN(num_blocks=1, growth=4, rngs=nnx.Rngs(0)))
    frames = images(2, 1, 5, 7, 3)
    small, latent = network.forward(frames)
    assert small.shape == (2, 3, 4, 3) and latent.shape == (2, 3, 4, 9)
    np.testing.assert_array_equal(network.embed(frames), small)
    np.testing.assert_allclose(network.restore(small, (5, 7), latent=latent), frames, atol=1e-5)
    drawn = network.restore(small, (5, 7))
    assert float(jnp.abs(drawn - frames).max()) > 0.1
    np.testing.assert_array_equal(network.restore(small, (5, 7)), drawn)


def test_the_draw_of_a_pixel_depends_on_its_position_alone():
    whole = np.asarray(fixed_noise((0, 0), (60, 50), 9))
    np.testing.assert_array_equal(fixed_noise((20, 7), (10, 11), 9), whole[20:30, 7:18])
    assert abs(whole.mean()) < 0.02 and abs(whole.std() - 1) < 0.02
    for axis in (0, 1, 2):  # neighbours are independent
        a, b = (np.delete(whole, end, axis).ravel() for end in (0, -1))
        assert abs(np.corrcoef(a, b)[0, 1]) < 0.03


@pytest.mark.parametrize(
    ("make", "channels"),
    [
        (lambda rngs: InvertibleGrayscale(features=2, rngs=rngs), 1),
        (lambda rngs: VideoSnapshot(2, features=2, rngs=rngs), 3),
    ],
    ids=["invertible grayscale", "video snapshot"],
)
def test_encoder_and_decoder_take_any_size_and_stay_in_range(random_network, make, channels):
    network = random_network(lambda: make(nnx.Rngs(0)), scale=1.0)
    frames = images(1, network.num_images, 5, 7, 3)
    embedding = network.embed(frames)
    assert embedding.shape == (1, 5, 7, channels)
    padding = [(0, 0), (0, 0), (0, 3), (0, 1), (0, 0)]
    padded = network.embed(jnp.pad(frames, padding, mode="edge"))
    np.testing.assert_array_equal(padded[:, :5, :7], embedding)
    restored = network.restore(embedding, (5, 7))
    assert restored.shape == frames.shape
    for values in (embedding, restored):
        assert float(values.min()) >= 0 and float(values.max()) <= 1
        assert float(jnp.ptp(values)) > 0.9


def test_the_encoders_skips_and_scales():
    """With all residual blocks and the coarse grids silent, only the skip at full size is left."""
    encoder = Encoder(2, 1, rngs=nnx.Rngs(0))
    state = nnx.state(encoder, nnx.Param)
    for path, leaf in nnx.to_flat_state(state):
        kernel = np.zeros(leaf.shape, np.float32)
        if path[0] == "last":
            kernel[1, 1, 0, 0] = 1.0
        leaf.set_value(jnp.asarray(kernel))
    nnx.update(encoder, state)
    x = images(1, 8, 12, 2)
    np.testing.assert_allclose(encoder(x), jnp.tanh(x[..., :1]), atol=1e-6)


def test_attention_weighs_features_by_a_softmax_of_rectified_maps(random_network):
    attention = random_network(lambda: MotionAttention(3, 2, rngs=nnx.Rngs(0)), scale=1.0)
    x = images(1, 6, 5, 9)
    features = [np.asarray(attention.features[i](x[..., 3 * i : 3 * i + 3])) for i in range(3)]
    maps = [np.maximum(np.asarray(attention.maps[i](f)), 0) for i, f in enumerate(features)]
    exponentials = np.exp(np.stack(maps))
    assert (np.stack(maps) == 0).any()
    expected = (exponentials * np.stack(features)).sum(0) / exponentials.sum(0)
    np.testing.assert_allclose(attention(x), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda rngs: IRN(2, rngs=rngs), "num_images must be one of 1, not 2"),
        (
            lambda rngs: IRN(num_blocks=0, rngs=rngs),
            r"num_blocks \(0\) and growth",
        ),
        (lambda rngs: IRN(downscaling="none", rngs=rngs), "downscaling must be one of 'haar'"),
        (lambda rngs: InvertibleGrayscale(3, rngs=rngs), "num_images must be one of 1, not 3"),
        (lambda rngs: InvertibleGrayscale(features=0, rngs=rngs), "features must be at least 1"),
        (lambda rngs: VideoSnapshot(0, rngs=rngs), r"num_images \(0\) and features \(64\) must be"),
    ],
)
def test_a_network_that_cannot_be_says_why(make, message):
    with pytest.raises(ValueError, match=message):
        make(nnx.Rngs(0))
