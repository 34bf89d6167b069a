"""Tiled conversion gives what the network gives for the whole image."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings
from hypothesis import strategies as st

from iicnet_jax.core.errors import UserError
from iicnet_jax.inference.tiling import WHOLE, Tiled, spans, to_uint8
from iicnet_jax.models import IICNet

OPTIONS = {
    "none": {"num_images": 2},
    "haar": {"num_images": 2, "downscaling": "haar"},
    "squeeze": {
        "num_images": 2,
        "downscaling": "squeeze",
        "split": "prop",
        "relation": False,
        "num_blocks": 2,
    },
    "grey": {"num_images": 1, "embedding_channels": 1, "relation": False, "num_blocks": 2},
    # All that is special here is in one of the others.
    "one image": {"num_images": 1, "downscaling": "haar", "split": "prop"},
}
MODELS = [
    pytest.param(options, id=name, marks=pytest.mark.nightly if name == "one image" else ())
    for name, options in OPTIONS.items()
]


@pytest.fixture(scope="module", params=MODELS)
def model(request, random_network):
    options = {"num_blocks": 1, "relation_features": 4, "growth": 4} | request.param
    # Large parameters, so that the far ends of a square of influence are felt.
    return random_network(lambda: IICNet(**options, rngs=nnx.Rngs(0)), scale=0.2)


def random_frames(model, height, width):
    shape = (model.num_images, height, width, 3)
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(1, 3000), st.integers(0, 150), st.integers(1, 500))
def test_kept_parts_make_up_the_length_far_from_the_ends_of_tiles(length, halo, kept):
    tile = 2 * halo + kept
    parts = spans(length, tile, halo)
    assert [part.first for part in parts] == [0, *(part.last for part in parts[:-1])]
    assert parts[-1].last == length
    assert len({part.stop - part.start for part in parts}) == 1
    for part in parts:
        assert 0 <= part.start <= part.first < part.last <= part.stop <= length
        assert part.stop - part.start <= tile
        assert part.start == 0 or part.first - part.start >= halo
        assert part.stop == length or part.stop - part.last >= halo


def test_tiles_are_no_larger_than_need_be():
    # Two tiles must cover 1100 - 2 * 111 pixels with their inner parts: 439 each.
    assert [(p.start, p.stop) for p in spans(1100, 1024, 111)] == [(0, 704), (396, 1100)]


@pytest.mark.parametrize("direction", ["embed", "restore"])
def test_the_halo_is_exactly_how_far_a_pixel_reaches(model, direction):
    receptive_field_radius = model.receptive_field_radius
    side = 2 * receptive_field_radius + 5
    middle = side // 2
    scale = model.scale
    graph, params = nnx.split(model, nnx.Param)
    if direction == "embed":
        inputs = jnp.full((1, model.num_images, side * scale, side * scale, 3), 0.5)
        kept = (0, slice(middle, middle + 1), slice(middle, middle + 1))
    else:
        inputs = jnp.full((1, side, side, model.embedding_channels), 0.5)
        pixels = slice(middle * scale, (middle + 1) * scale)
        kept = (0, slice(None), pixels, pixels)

    @jax.jit
    def influence(inputs):
        def kept_values(x):
            return jnp.sum(getattr(nnx.merge(graph, params), direction)(x)[kept])

        return jax.grad(kept_values)(inputs)

    felt = np.asarray(influence(inputs))[0] != 0
    if direction == "embed":
        felt = felt.any(axis=(0, 3)).reshape(side, scale, side, scale).any(axis=(1, 3))
    else:
        felt = felt.any(axis=2)
    for axis in (0, 1):
        positions = np.flatnonzero(felt.any(axis=axis))
        assert (positions[0], positions[-1]) == (
            middle - receptive_field_radius,
            middle + receptive_field_radius,
        )


# The second is no higher than a tile; of the first, one side is no longer than one with squeeze.
@pytest.mark.parametrize("size", [(101, 90), pytest.param((40, 131), marks=pytest.mark.nightly)])
def test_tiles_give_what_the_whole_image_gives(model, size):
    scale = model.scale
    whole = Tiled(model, tile=WHOLE)
    tile = (2 * model.receptive_field_radius + 9) * scale
    seen = []
    tiled = Tiled(model, tile=tile, progress=lambda tiles: seen.append(len(tiles)) or iter(tiles))
    frames = random_frames(model, *size)

    embedding = whole.embed(frames)
    assert np.ptp(embedding) > 100
    np.testing.assert_allclose(tiled.embed(frames), embedding, atol=0.01)
    rounded = to_uint8(embedding)
    assert largest_difference(tiled.embed(frames, np.uint8), rounded) <= 1
    restored = whole.restore(rounded, size)
    assert np.ptp(restored) > 100
    assert largest_difference(tiled.restore(rounded, size), restored) <= 1
    assert seen[0] > 1
    assert seen == [seen[0]] * 3


def largest_difference(a, b):
    assert a.shape == b.shape and a.dtype == b.dtype
    return np.abs(a.astype(int) - b.astype(int)).max()


def test_no_tile_is_larger_than_asked_for(model, monkeypatch):
    tile = (2 * model.receptive_field_radius + 9) * model.scale
    shapes = set()
    monkeypatch.setattr(
        Tiled,
        "_embed_tile",
        lambda self, frames: (
            shapes.add(frames.shape)
            or np.zeros((*model.embedding_size(*frames.shape[1:3]), model.embedding_channels), "f4")
        ),
    )
    assert not Tiled(model, tile=tile).embed(random_frames(model, 301, 299), np.uint8).any()
    assert shapes == {(model.num_images, tile, tile, 3)}


@pytest.mark.parametrize(
    "size", [(1, 6), *(pytest.param(size, marks=pytest.mark.nightly) for size in [(1, 1), (3, 2)])]
)
def test_tiny_images_come_back_in_their_size(model, size):
    tiled = Tiled(model)
    embedding = tiled.embed(random_frames(model, *size), np.uint8)
    assert embedding.shape == (*model.embedding_size(*size), model.embedding_channels)
    assert tiled.restore(embedding, size).shape == (model.num_images, *size, 3)


@pytest.fixture(scope="module", params=[True, False], ids=["full size", "half size"])
def coarse(request, random_network):
    """Works on squares of 4x4 pixels of the images."""
    options = {"split": "ref" if request.param else "prop", "full_size": request.param}
    return random_network(
        lambda: IICNet(
            num_images=2,
            relation=False,
            downscaling="haar",
            levels=2,
            num_blocks=1,
            growth=4,
            **options,
            rngs=nnx.Rngs(0),
        )
    )


@pytest.mark.parametrize("size", [(141, 46), (142, 47), (143, 149), (144, 52)])
@pytest.mark.parametrize("tile", [WHOLE, 128])
def test_images_of_any_size_are_embedded_in_whole_squares(coarse, size, tile):
    frames = random_frames(coarse, *size)
    missing = [(0, -side % 4) for side in size]
    padded = np.pad(frames, [(0, 0), *missing, (0, 0)], mode="edge")
    tiled, whole = Tiled(coarse, tile=tile), Tiled(coarse, tile=WHOLE)
    embedding = tiled.embed(frames)
    assert embedding.shape[:2] == tiled.embedding_size(*size)
    assert coarse.scale * embedding.shape[0] == padded.shape[1]
    np.testing.assert_allclose(embedding, whole.embed(padded), atol=0.01)
    restored, expected = tiled.restore(embedding, size), whole.restore(embedding, padded.shape[1:3])
    assert largest_difference(restored, expected[:, : size[0], : size[1]]) <= 1


@pytest.mark.parametrize("tile", [WHOLE, 128])
def test_embeddings_that_earlier_versions_cut_are_restored_as_before(coarse, tile):
    size = (141, 49)
    height, width = coarse.embedding_size(*size)
    cut = Tiled(coarse).embed(random_frames(coarse, *size), np.uint8)[:height, :width]
    tiled = Tiled(coarse, tile=tile)
    assert cut.shape[:2] != tiled.embedding_size(*size) and tiled.fits(cut.shape[:2], size)
    before = coarse.restore(jnp.asarray(cut[None], jnp.float32) / 255, size)[0]
    assert largest_difference(tiled.restore(cut, size), to_uint8(255 * np.asarray(before))) <= 1


def test_a_tile_that_is_all_halo_is_refused(model):
    least = (2 * model.receptive_field_radius + 1) * model.scale
    Tiled(model, tile=least)
    with pytest.raises(UserError, match=f"too small: this network needs at least {least}"):
        Tiled(model, tile=least - 1)


def test_a_size_that_does_not_fit_the_embedding_is_refused(model):
    embedding = np.zeros((5, 5, model.embedding_channels), np.uint8)
    with pytest.raises(ValueError, match="do not embed to the shape"):
        Tiled(model).restore(embedding, (5 * model.scale, 4))


def test_the_default_tile_is_large_enough_for_any_halo(model, monkeypatch):
    monkeypatch.setattr(model, "tile", 8)
    Tiled(model)  # would raise UserError
