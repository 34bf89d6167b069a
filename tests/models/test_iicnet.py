"""The whole network: sizes, padding, the fresh network, errors."""

import functools
import inspect
import itertools

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest
from flax import nnx

from iicnet_jax.models import IICNet
from iicnet_jax.models.abstract import ConstantRngs
from iicnet_jax.models.downscaling import Haar

OPTIONS = [
    pytest.param(
        {"downscaling": down, "split": split, "embedding_channels": channels, "relation": relation},
        # The relation module changes no size: it is there for one of each other option.
        marks=pytest.mark.nightly if relation and (split == "ref") == (channels == 1) else (),
    )
    for down, split, channels, relation in itertools.product(
        ["none", "haar", "squeeze"], ["ref", "prop"], [1, 3], [False, True]
    )
]


def network(num_images=2, **options):
    small = {"num_blocks": 1, "relation_features": 4, "growth": 2, "rngs": ConstantRngs()}
    return IICNet(num_images, **(small | options))


def random_images(num_images=2, height=4, width=6, batch=2):
    random = np.random.RandomState(0)
    return jnp.asarray(random.uniform(size=(batch, num_images, height, width, 3)), jnp.float32)


def output_shapes(network, method, *shapes, **arguments):
    """The output shapes of a method for inputs of these shapes, without computing anything."""
    graph, params = nnx.split(network, nnx.Param)

    def call(params, *inputs):
        return getattr(nnx.merge(graph, params), method)(*inputs, **arguments)

    inputs = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    return jax.eval_shape(call, params, *inputs).shape


def compiled(network, method):
    """A method of a network, compiled as a whole."""
    graph, params = nnx.split(network, nnx.Param)
    function = jax.jit(lambda params, x: getattr(nnx.merge(graph, params), method)(x))
    return functools.partial(function, params)


@pytest.fixture
def unchecked_shapes():
    """Lets inputs of wrong shape through to the network's own checks, as outside of tests."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(map(str, o.values())))
def test_embedding_has_the_size_of_the_reference_and_restores_to_the_size_of_the_images(options):
    net = nnx.eval_shape(functools.partial(network, num_blocks=1, **options))
    scale = 1 if options["downscaling"] == "none" else 2
    # What is even is not padded, and another test compares odd sizes with padded ones.
    size = (7, 10)
    embedding = (2, -(-size[0] // scale), -(-size[1] // scale), options["embedding_channels"])
    assert net.embedding_size(*size) == embedding[1:3]
    assert output_shapes(net, "embed", (2, 2, *size, 3)) == embedding
    assert output_shapes(net, "restore", embedding, size=size) == (2, 2, *size, 3)


@pytest.mark.parametrize("num_images", [1, 2, 5])
def test_prop_split_takes_a_quarter_of_the_channels(num_images):
    net = nnx.eval_shape(lambda: network(num_images, downscaling="haar", split="prop"))
    assert net.blocks.layers.each.split == 3 * num_images


@pytest.mark.parametrize("channels", [1, 3])
def test_ref_split_takes_the_sub_images_of_the_reference(channels):
    net = nnx.eval_shape(lambda: network(downscaling="haar", embedding_channels=channels))
    assert net.blocks.layers.each.split == 4 * channels


@pytest.mark.parametrize("channels", [1, 3])
def test_without_downscaling_the_split_takes_the_channels_of_the_embedding(channels):
    net = nnx.eval_shape(lambda: network(embedding_channels=channels))
    assert net.blocks.layers.each.split == channels


def test_number_of_blocks_is_as_asked_and_ten_by_default():
    assert len(nnx.eval_shape(lambda: network(num_blocks=3)).blocks.layers) == 3
    assert inspect.signature(IICNet.__init__).parameters["num_blocks"].default == 10


# Sizes of which one alone is odd are among the tiles' and above.
@pytest.mark.parametrize(
    "size", [(5, 7), *(pytest.param(size, marks=pytest.mark.nightly) for size in [(5, 6), (4, 7)])]
)
def test_odd_images_embed_like_images_whose_last_row_and_column_are_repeated(random_network, size):
    net = random_network(lambda: network(downscaling="squeeze", relation=False))
    images = random_images(height=size[0], width=size[1])
    odd = [(0, side % 2) for side in size]
    padded = np.pad(images, [(0, 0), (0, 0), *odd, (0, 0)], mode="edge")
    embedding = net.embed(images)
    np.testing.assert_allclose(embedding, net.embed(jnp.asarray(padded)), atol=1e-6)
    cut = net.restore(embedding)[:, :, : size[0], : size[1]]
    np.testing.assert_array_equal(net.restore(embedding, size=size), cut)


@pytest.mark.parametrize(
    ("down", "channels"),
    [
        ("haar", 1),
        ("squeeze", 3),
        *(pytest.param(*case, marks=pytest.mark.nightly) for case in [("haar", 3), ("squeeze", 1)]),
    ],
)
def test_an_embedding_of_full_size_is_restored_and_embedded_to_itself(
    random_network, down, channels
):
    options = {"downscaling": down, "full_size": True, "embedding_channels": channels}
    net = random_network(lambda: network(**options, relation=False))
    image = random_images(height=6, width=8)[:, 0, ..., :channels]
    restored = compiled(net, "restore")(image)
    assert restored.shape == (2, 2, 6, 8, 3)
    np.testing.assert_allclose(compiled(net, "embed")(restored), image, atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"full_size": True, "levels": 2, "mixing": False},
        {"full_size": True, "levels": 2, "num_images": 1, "embedding_channels": 1},
        {"split": "prop", "levels": 3, "num_images": 1, "mixing": False},
    ],
)
def test_several_levels_of_down_scaling_are_undone(random_network, options):
    options = {"num_images": 2, "growth": 4} | options
    net = random_network(
        lambda: network(**options, downscaling="haar", relation=False, num_blocks=1)
    )
    channels, sides = options.get("embedding_channels", 3), (16, 8)
    image = np.random.default_rng(0).random((2, *sides, channels), np.float32)
    restored = compiled(net, "restore")(image)
    scale = 1 if options.get("full_size") else 2
    assert restored.shape == (2, options["num_images"], 16 * scale, 8 * scale, 3)
    np.testing.assert_allclose(compiled(net, "embed")(restored), image, atol=1e-5)


def test_the_coarse_sub_images_of_a_small_image_are_its_own():
    # A network that starts as the identity embeds what its first channels hold.
    net = network(
        num_images=1, downscaling="haar", split="prop", levels=3, mixing=False, relation=False
    )
    frames = random_images(height=16, width=24)[:, :1]
    channels = net.down.forward(frames[:, 0])
    small = net.sub_images.inverse(channels[..., : channels.shape[-1] // 4])
    np.testing.assert_allclose(small, Haar().forward(frames[:, 0])[..., :3], atol=1e-6)


def test_an_embedding_of_full_size_has_odd_sizes_too():
    net = nnx.eval_shape(lambda: network(downscaling="haar", full_size=True, relation=False))
    assert output_shapes(net, "embed", (2, 2, 5, 7, 3)) == (2, 5, 7, 3)
    assert output_shapes(net, "restore", (2, 5, 7, 3), size=(5, 7)) == (2, 2, 5, 7, 3)


@pytest.mark.parametrize("options", [{}, {"downscaling": "haar", "split": "prop"}])
def test_full_size_needs_down_scaling_by_image(options):
    with pytest.raises(ValueError, match="full_size needs down-scaling and split='ref'"):
        network(full_size=True, **options)


@pytest.mark.parametrize("channels", [1, 3])
def test_weights_that_expect_blue_first_take_rgb_images(random_network, channels):
    options = {"downscaling": "squeeze", "relation": False, "embedding_channels": channels}
    net = random_network(lambda: network(**options, colour_order="bgr"))
    plain = random_network(lambda: network(**options))
    images, image = random_images(), random_images(height=2, width=3)[:, 0, ..., :channels]
    embedding = plain.embed(images[..., ::-1])
    np.testing.assert_array_equal(net.embed(images), embedding[..., ::-1])
    restored = plain.restore(image[..., ::-1])
    np.testing.assert_array_equal(net.restore(image), restored[..., ::-1])
    assert np.abs(plain.embed(images) - embedding).max() > 1e-3


@pytest.fixture(scope="module")
def fresh_network():
    return network(3)


def test_fresh_network_embeds_to_the_mean_of_the_images(fresh_network):
    images = random_images(num_images=3)
    embedding = compiled(fresh_network, "embed")(images)
    np.testing.assert_allclose(embedding, images.mean(axis=1), atol=1e-6)


def test_fresh_network_restores_the_embedding_for_every_image(fresh_network):
    image = random_images(num_images=3)[:, 0]
    restored = compiled(fresh_network, "restore")(image)
    np.testing.assert_array_equal(restored, jnp.stack([image] * 3, axis=1))


def test_fresh_grey_network_embeds_to_the_mean_of_the_colours():
    images = random_images(num_images=1)
    embedding = network(1, embedding_channels=1, relation=False).embed(images)
    np.testing.assert_allclose(embedding, images.mean(axis=(1, 4))[..., None], atol=1e-6)


@pytest.mark.parametrize("split", ["ref", "prop"])
def test_fresh_squeezing_network_without_mixing_embeds_to_the_mean_of_all_pixels(split):
    net, images = network(downscaling="squeeze", split=split, relation=False), random_images()
    net.down.layers[1].weight[...] = jnp.eye(24)
    expected = images.reshape(2, 2, 2, 2, 3, 2, 3).mean(axis=(1, 3, 5))
    np.testing.assert_allclose(net.embed(images), expected, atol=1e-6)


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    "shape", [(2, 3, 4, 6, 3), (2, 2, 4, 6, 1), (2, 4, 6, 6)], ids=["N", "channels", "axes"]
)
def test_images_of_wrong_shape_are_named(shape):
    with pytest.raises(ValueError) as error:
        nnx.eval_shape(network).embed(jnp.zeros(shape))
    assert "(batch, 2, height, width, 3)" in str(error.value) and str(shape) in str(error.value)


@pytest.mark.parametrize("size", [(1, 6), (6, 1), (0, 6)])
def test_images_too_small_for_downscaling_are_named(size):
    net = nnx.eval_shape(lambda: network(downscaling="haar"))
    with pytest.raises(ValueError, match=f"{size[0]}x{size[1]} are too small.* at least 2x2"):
        net.embed(jnp.zeros((1, 2, *size, 3)))


@pytest.mark.parametrize("shape", [(2, 4, 6, 1), (2, 0, 6, 3), (4, 6, 3)])
@pytest.mark.usefixtures("unchecked_shapes")
def test_embeddings_of_wrong_shape_are_named(shape):
    with pytest.raises(ValueError) as error:
        nnx.eval_shape(network).restore(jnp.zeros(shape))
    assert "(batch, height, width, 3)" in str(error.value) and str(shape) in str(error.value)


@pytest.mark.parametrize("size", [(9, 12), (8, 13), (6, 12), (8, 10)])
def test_sizes_that_do_not_embed_to_that_image_are_named(size):
    net = nnx.eval_shape(lambda: network(downscaling="haar"))
    embedded = f"{-(-size[0] // 2)}x{-(-size[1] // 2)}"
    with pytest.raises(ValueError, match=f"{size[0]}x{size[1]} embed to {embedded}, .*2, 4, 6, 3"):
        net.restore(jnp.zeros((2, 4, 6, 3)), size=size)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"downscaling": "wavelet"}, "downscaling must be .*'haar'.*, not 'wavelet'"),
        ({"split": "half"}, "split must be .*'prop', not 'half'"),
        ({"embedding_channels": 2}, "embedding_channels must be one of 1, 3, not 2"),
        ({"colour_order": "gbr"}, "colour_order must be one of 'rgb', 'bgr', not 'gbr'"),
        ({"num_images": 0}, r"num_images \(0\)"),
        ({"num_blocks": 0}, r"num_blocks \(0\)"),
    ],
)
def test_unknown_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        network(**options)


@pytest.mark.parametrize("options", [{}, {"downscaling": "haar"}, {"downscaling": "squeeze"}])
def test_one_image_leaves_nothing_for_the_second_part_of_the_ref_split(options):
    with pytest.raises(ValueError, match="both parts need at least one channel"):
        network(1, **options)
