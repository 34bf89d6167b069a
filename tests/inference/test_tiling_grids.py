"""Tiles of networks that draw at random, or work on a coarser grid than the embedding's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from iicnet_jax.inference.tiling import WHOLE, Tiled, to_uint8
from iicnet_jax.models import IICNet
from iicnet_jax.models.baselines import IRN, WIN, InvertibleGrayscale, VideoSnapshot, WINNaive

FULL_SIZE = {
    "downscaling": "haar",
    "full_size": True,
    "relation": False,
    "num_blocks": 1,
    "growth": 4,
}
NETWORKS = {
    "iicnet_full_size": lambda: IICNet(2, **FULL_SIZE, rngs=nnx.Rngs(0)),
    "irn": lambda: IRN(num_blocks=1, growth=4, rngs=nnx.Rngs(0)),
    "invertible_grayscale": lambda: InvertibleGrayscale(features=4, rngs=nnx.Rngs(0)),
    "video_snapshot": lambda: VideoSnapshot(2, features=4, rngs=nnx.Rngs(0)),
    "win_naive_half_size": lambda: WINNaive(
        1, full_size=False, num_blocks=1, growth=4, rngs=nnx.Rngs(0)
    ),
    "win_grey": lambda: WIN(
        1,
        embedding_channels=1,
        channels=12,
        memory=4,
        num_modules=1,
        num_blocks=1,
        growth=4,
        rngs=nnx.Rngs(0),
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_tiles_give_what_the_whole_image_gives(random_network, name):
    # Large parameters, so that the far ends of a square of influence are felt, but not so large
    # that the encoders' ends saturate.
    model = random_network(NETWORKS[name], scale=0.15)
    halo = -(-model.receptive_field_radius // model.grid_stride) * model.grid_stride
    tile = (2 * halo + 12) * model.scale
    # Neither side is a multiple of 4, nor of 2.
    size = (tile + 37, tile - 5)
    frames = np.random.default_rng(0).integers(0, 256, (model.num_images, *size, 3), np.uint8)
    whole = Tiled(model, tile=WHOLE)
    counts = []
    count = lambda tiles: counts.append(len(tiles)) or iter(tiles)  # noqa: E731
    tiled = Tiled(model, tile=tile, progress=count)

    embedding = whole.embed(frames)
    assert np.ptp(embedding) > 20
    np.testing.assert_allclose(tiled.embed(frames), embedding, atol=0.01)
    rounded = to_uint8(embedding)
    restored = whole.restore(rounded, size)
    assert np.ptp(restored) > 20
    difference = tiled.restore(rounded, size).astype(int) - restored
    assert abs(difference).max() <= 1
    assert counts[0] > 1 and counts == [counts[0]] * 2


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("iicnet_full_size", "embed"),
        ("invertible_grayscale", "embed"),
        ("video_snapshot", "embed"),
        ("win_grey", "restore"),  # looks farther than it does when embedding
    ],
)
def test_the_reach_is_that_of_the_farthest_pixel_felt(random_network, name, direction):
    model = random_network(NETWORKS[name], scale=0.1)
    graph, params = nnx.split(model, nnx.Param)
    middle, side = 68, 140  # of a multiple of 4; far enough from the ends
    shape = (model.num_images, 8, side, 3) if direction == "embed" else (8, side, 1)
    images = np.random.default_rng(0).random((1, *shape))

    @jax.jit
    def influence(images, column):
        def kept(images):
            result = getattr(nnx.merge(graph, params), direction)(images)
            return jax.lax.dynamic_index_in_dim(result, column, axis=result.ndim - 2).sum()

        return jax.grad(kept)(images)

    farthest = 0
    for column in range(middle, middle + 4):  # each place in a square of 4
        felt = np.asarray(influence(jnp.asarray(images, jnp.float32), column)) != 0
        columns = np.flatnonzero(felt.any(axis=(*range(felt.ndim - 2), felt.ndim - 1)))
        farthest = max(farthest, column - columns[0], columns[-1] - column)
    assert farthest == model.receptive_field_radius
