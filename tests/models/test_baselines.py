"""The methods that IICNet is compared with, layer by layer where they are not IICNet's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from iicnet_jax.models.baselines import (
    IRN,
    WIN,
    InvertibleGrayscale,
    VideoSnapshot,
    WINNaive,
    well_posed_conv,
)
from iicnet_jax.models.baselines.encoder_decoder import Encoder
from iicnet_jax.models.baselines.irn import fixed_noise
from iicnet_jax.models.baselines.video_snapshot import MotionAttention
from iicnet_jax.models.baselines.well_posed_conv import WellPosedConv1x1, moved_copies, moves
from iicnet_jax.models.execution import Execution, set_execution


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


def test_moves_go_row_by_row_over_the_smallest_square_that_may_do():
    assert moves(1) == [(0, 0)]
    assert moves(5) == [(0, 0), (-2, -2), (-2, -1), (-2, 0), (-2, 1)]
    assert moves(4) == [(0, 0), (-1, -1), (-1, 0), (-1, 1)]
    assert moves(9)[-1] == (-1, 0) and len(set(moves(21))) == 21


def test_moved_copies_are_reflected_at_the_border():
    image = images(1, 3, 4, 2)
    copies = np.asarray(moved_copies(image, 4)).reshape(3, 4, 4, 2)
    np.testing.assert_array_equal(copies[..., 0, :], image[0])
    up_and_right = copies[..., 3, :]  # (-1, 1)
    np.testing.assert_array_equal(up_and_right[:2, 1:], image[0, 1:, :3])
    np.testing.assert_array_equal(up_and_right[2, 1:], image[0, 1, :3])
    np.testing.assert_array_equal(up_and_right[:2, 0], image[0, 1:, 1])
    # As far as there is something to reflect; also by more than the image is long.
    pixel = image[:, :1, :1]
    np.testing.assert_array_equal(moved_copies(pixel, 21), jnp.tile(pixel, (1, 1, 1, 21)))


def test_a_well_posed_convolution_to_more_channels_comes_back():
    conv = WellPosedConv1x1(4, 6, rngs=nnx.Rngs(0))
    np.testing.assert_allclose(conv.penalty(), 0, atol=1e-5)  # it starts orthonormal
    conv.weight[...] = images(6, 4)
    x = images(2, 3, 5, 4)
    y = conv.forward(x)
    np.testing.assert_allclose(y[1, 2, 3], conv.weight[...] @ x[1, 2, 3], rtol=1e-5)
    np.testing.assert_allclose(conv.inverse(y), x, atol=1e-4)
    matrix = np.asarray(conv.weight[...], np.float64)
    expected = abs(np.log(np.linalg.det(matrix.T @ matrix) + 1e-6))
    np.testing.assert_allclose(conv.penalty(), expected, rtol=1e-4)


def test_a_well_posed_convolution_to_fewer_channels_takes_moved_copies_for_the_rest():
    conv = WellPosedConv1x1(7, 3, rngs=nnx.Rngs(0))
    assert (conv.groups, conv.reach) == (3, 1)
    y = images(1, 4, 5, 3)
    left_inverse = np.linalg.pinv(np.asarray(conv.weight[...], np.float64))
    expected = np.asarray(moved_copies(y, 3)) @ left_inverse.T
    np.testing.assert_allclose(conv.inverse(y), expected, atol=1e-5)


WIN_NETWORKS = {
    "naive": lambda: WINNaive(2, num_blocks=1, growth=2, rngs=nnx.Rngs(0)),
    "half size": lambda: WIN(
        1,
        full_size=False,
        channels=12,
        memory=2,
        num_modules=2,
        num_blocks=1,
        growth=2,
        rngs=nnx.Rngs(0),
    ),
}


@pytest.mark.parametrize("name", WIN_NETWORKS)
def test_win_restores_exactly_where_the_other_groups_are_moved_copies(
    random_network, monkeypatch, name
):
    network = random_network(WIN_NETWORKS[name])
    frames = images(1, network.num_images, 6, 8, 3)
    groups = network.forward(frames)
    height, width = network.embedding_size(6, 8)
    assert groups.shape == (1, height, width, 3 * network.fusion.groups)
    embedding = network.embed(frames)
    np.testing.assert_array_equal(embedding, groups[..., :3])
    assert float(jnp.abs(network.restore(embedding) - frames).max()) > 0.1
    monkeypatch.setattr(well_posed_conv, "moved_copies", lambda y, n: y if n == 1 else groups)
    np.testing.assert_allclose(network.restore(embedding), frames, atol=1e-4)


@pytest.mark.parametrize("name", WIN_NETWORKS)
def test_win_takes_images_of_any_size(random_network, name):
    network = random_network(WIN_NETWORKS[name])
    for size in ((5, 7), (2, 2)):
        frames = images(1, network.num_images, *size, 3)
        embedding = network.embed(frames)
        assert embedding.shape == (1, *network.embedding_size(*size), 3)
        assert network.restore(embedding, size).shape == frames.shape


def test_win_has_the_same_gradients_where_memory_is_saved(random_network):
    network = random_network(WIN_NETWORKS["half size"])
    frames = images(1, 1, 4, 6, 3)

    def gradients(memory_saving):
        set_execution(network, Execution(memory_saving, loop="scan"))
        graph, params = nnx.split(network, nnx.Param)

        def loss(params):
            model = nnx.merge(graph, params)
            return jnp.sum(model.restore(model.embed(frames)) ** 2)

        return jax.tree.leaves(jax.jit(jax.grad(loss))(params))

    plain, reversible = gradients("none"), gradients("reversible")
    for ours, expected in zip(reversible, plain, strict=True):
        largest = float(jnp.abs(expected).max())
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-4 * largest)
    assert any(float(jnp.abs(a - b).max()) for a, b in zip(plain, reversible, strict=True))


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
        (lambda rngs: WINNaive(num_blocks=0, rngs=rngs), "num_blocks must be at least 1, not 0"),
        (lambda rngs: WINNaive(embedding_channels=2, rngs=rngs), "embedding_channels must be one"),
        (lambda rngs: WIN(memory=0, rngs=rngs), "memory must be at least 1, not 0"),
        (lambda rngs: WIN(3, rngs=rngs), "even and at least 36 for 3 images, not 24"),
        (
            lambda rngs: WIN(memory=3, num_modules=1, rngs=rngs),
            "is 27, but must be a multiple of 4",
        ),
    ],
)
def test_a_network_that_cannot_be_says_why(make, message):
    with pytest.raises(ValueError, match=message):
        make(nnx.Rngs(0))
