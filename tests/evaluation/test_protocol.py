"""What is measured of a sample, and how samples are averaged."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from iicnet_jax.evaluation import metrics, protocol, tables
from iicnet_jax.inference.tiling import WHOLE, Tiled
from iicnet_jax.models import IICNet


@pytest.fixture
def group():
    frames = np.random.default_rng(0).integers(0, 256, (3, 24, 20, 3), dtype=np.uint8)
    return {"frames": frames, "reference": frames[0]}


@pytest.fixture
def converter():
    """A fresh network: the embedding is the mean of the images, and so are all restored ones."""
    model = IICNet(3, relation=False, num_blocks=1, rngs=nnx.Rngs(0))
    return Tiled(model, tile=WHOLE)


def test_a_fresh_network_restores_the_mean_of_the_images(group, converter):
    result = protocol.evaluate_sample(converter, group, y_border=0)
    mean = np.round(group["frames"].mean(axis=0)).astype(np.uint8)
    assert np.abs(result.embedding.astype(int) - mean).max() <= 1
    assert all(np.array_equal(image, result.embedding) for image in result.restored)


def test_restored_is_the_mean_over_images_with_and_without_the_reference(group, converter):
    result = protocol.evaluate_sample(converter, group, y_border=0)
    measures = result.measures["rounded"]
    each = [metrics.psnr(a, b) for a, b in zip(result.restored, group["frames"], strict=True)]
    assert [frame["psnr"] for frame in measures["frames"]] == each
    assert measures["restored"]["psnr"] == pytest.approx(np.mean(each))
    assert measures["restored_without_reference"]["psnr"] == pytest.approx(np.mean(each[1:]))
    assert measures["embedding"]["psnr"] == metrics.psnr(result.embedding, group["reference"])


def test_the_float_embedding_is_compared_without_rounding(group, converter):
    result = protocol.evaluate_sample(converter, group, y_border=0)
    embedding = converter.embed(group["frames"])
    assert not np.array_equal(embedding, np.round(embedding))
    assert result.measures["float"]["embedding"]["psnr"] == metrics.psnr(
        embedding, group["reference"]
    )


def test_one_image_has_no_measures_without_the_reference():
    image = np.zeros((1, 12, 12, 3), np.uint8)
    measures = protocol.measure({"frames": image, "reference": image[0]}, image[0], image, 0)
    assert "restored_without_reference" not in measures


def test_means_are_over_samples():
    samples = [{"a": [{"psnr": 1.0}, {"psnr": 2.0}]}, {"a": [{"psnr": 3.0}, {"psnr": 6.0}]}]
    assert protocol.mean(samples) == {"a": [{"psnr": 2.0}, {"psnr": 4.0}]}


def test_other_parameters_share_what_was_compiled(group, converter):
    doubled = converter.with_params(jax.tree.map(lambda x: x + 0.01, nnx.state(converter.model)))
    assert not np.array_equal(doubled.embed(group["frames"]), converter.embed(group["frames"]))
    assert doubled._embed is converter._embed


def test_tables_show_every_network_and_measure(group, converter):
    result = protocol.evaluate_sample(converter, group, y_border=0)
    short = tables.short_table("network", [("trained", result.measures)])
    assert f"{result.measures['rounded']['restored']['psnr']:.2f}" in short
    long = tables.long_table({"trained": result.measures})
    for row in (
        "rounded: embedding",
        "float: restored, no reference",
        "rounded: restored, image 2",
    ):
        assert f"trained, {row}" in long
    assert len({len(line) for line in long.splitlines()}) == 1, "columns are aligned"
    assert "cat" in tables.short_table("trained", [("cat", result.measures)])


def test_images_are_measured_as_the_network_computes_them_whole(random_network):
    model = random_network(
        lambda: IICNet(2, relation=False, downscaling="haar", num_blocks=1, rngs=nnx.Rngs(0))
    )
    tiled = Tiled(model, tile=WHOLE)
    frames = np.random.default_rng(0).integers(0, 256, (2, 901, 7, 3), dtype=np.uint8)
    embedding = 255 * jax.jit(model.embed)(jnp.asarray(frames[None], jnp.float32) / 255)[0]
    np.testing.assert_allclose(tiled.embed(frames), embedding, atol=1e-3)
    images = 255 * jax.jit(model.restore, static_argnums=1)(embedding[None] / 255, (901, 7))[0]
    restored = tiled.restore(np.asarray(embedding), (901, 7))
    np.testing.assert_allclose(restored, images.clip(0, 255), atol=0.501)
