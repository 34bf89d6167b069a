"""Work on several devices at once."""

import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from iicnet_jax.inference.devices import map_over_devices
from iicnet_jax.inference.tiling import WHOLE, Tiled
from iicnet_jax.models import IICNet


def test_results_come_in_order_from_all_devices():
    both_busy = threading.Barrier(2, timeout=60)

    def work(item):
        both_busy.wait()  # ends only when two items are worked on at once
        return item, jnp.zeros(()).devices().pop()

    results = list(map_over_devices(work, range(6)))
    assert [item for item, _ in results] == list(range(6))
    assert {device for _, device in results} == set(jax.local_devices())


def test_an_error_ends_the_work():
    begun = []

    def work(item):
        begun.append(item)
        if item == 1:
            raise ValueError("no")
        return item

    results = map_over_devices(work, range(100))
    with pytest.raises(ValueError, match="no"):
        list(results)
    assert len(begun) < 10, "what comes after is left"


def test_items_are_taken_as_they_are_needed():
    """Pictures of a large folder are not all in memory."""
    taken = []

    def items():
        for item in range(100):
            taken.append(item)
            yield item

    results = map_over_devices(lambda item: item, items())
    assert next(results) == 0
    assert len(taken) <= 2 * len(jax.local_devices())
    results.close()


def test_every_device_computes_the_same(random_network):
    model = random_network(
        lambda: IICNet(2, relation=False, downscaling="haar", num_blocks=1, rngs=nnx.Rngs(0))
    )
    convert = Tiled(model, tile=WHOLE)
    frames = np.random.default_rng(0).integers(0, 256, (2, 8, 12, 3), np.uint8)
    alone = convert.embed(frames)
    both_busy = threading.Barrier(2, timeout=300)

    def embed(_):
        both_busy.wait()
        return convert.embed(frames)

    for embedding in map_over_devices(embed, range(2)):
        np.testing.assert_array_equal(embedding, alone)
