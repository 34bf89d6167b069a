"""What is measured of a sample, and how samples are averaged."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from iicnet_jax.evaluation import metrics, protocol, tables
from iicnet_jax.imaging import carrier
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


def test_what_fills_the_last_squares_of_an_embedding_is_not_compared(group):
    coarse = IICNet(
        3, relation=False, downscaling="haar", full_size=True, levels=2, rngs=nnx.Rngs(0)
    )
    tiled = Tiled(coarse, tile=WHOLE)
    cut = {name: image[..., :22, :17, :] for name, image in group.items()}
    result = protocol.evaluate_sample(tiled, cut, y_border=0, carriers=[carrier.parse("png")])
    embedding = tiled.embed(cut["frames"], np.uint8)
    assert embedding.shape == (24, 20, 3) and result.embedding.shape == (22, 17, 3)
    expected = metrics.psnr(embedding[:22, :17], cut["reference"])
    for way in ("rounded", "png"):
        assert result.measures[way]["embedding"]["psnr"] == expected


def test_a_carrier_changes_the_embedding_before_it_is_measured_and_restored(group, converter):
    jpeg = carrier.parse("jpeg40")
    result = protocol.evaluate_sample(
        converter, group, y_border=0, carriers=[jpeg, carrier.parse("png")]
    )
    measures = result.measures["jpeg40"]
    carried = jpeg(result.embedding)
    restored = converter.restore(carried, (24, 20))
    assert not np.array_equal(carried, result.embedding)
    assert measures["embedding"]["psnr"] == metrics.psnr(carried, group["reference"])
    expected = [metrics.psnr(a, b) for a, b in zip(restored, group["frames"], strict=True)]
    assert [frame["psnr"] for frame in measures["frames"]] == expected
    # The reference stands for each image, through the same file.
    plain = measures["without_network"]["frames"]
    reference = jpeg(group["reference"])
    assert [frame["psnr"] for frame in plain] == [
        metrics.psnr(reference, frame) for frame in group["frames"]
    ]
    png = dict(result.measures["png"])
    assert png.pop("without_network")["frames"][0]["psnr"] == np.inf
    assert png.pop("lost") == 0
    assert png == result.measures["rounded"]


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


def test_the_table_of_carriers_has_a_column_for_each(group, converter):
    carriers = [carrier.parse("jpeg40"), carrier.parse("png")]
    measures = protocol.evaluate_sample(converter, group, y_border=0, carriers=carriers).measures
    table = tables.carrier_table({"trained": measures}, ["jpeg40", "png"])
    head, _, *rows = ([cell.strip() for cell in x.split("|")[1:-1]] for x in table.splitlines())
    assert head == ["PSNR after a file", "8 bits", "jpeg40", "png"]
    values = {row[0]: row[1:] for row in rows}
    hidden = "restored_without_reference"
    assert values["trained: restored, no reference"] == [
        f"{measures[name][hidden]['psnr']:.2f}" for name in ("rounded", "jpeg40", "png")
    ]
    alone = [f"{measures[x]['without_network'][hidden]['psnr']:.2f}" for x in ("jpeg40", "png")]
    assert values["the reference alone, no reference"] == ["", *alone]


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
