"""Data parallel on eight devices: the same numbers as on one."""

import json

import pytest

from iicnet_jax.training import sharding
from tests import program


@pytest.mark.nightly  # test_step.py has it of two devices
def test_gradients_on_eight_devices_are_those_on_one():
    process = program.start("tests.training.eight_devices", [], devices=8)
    status, stdout, stderr = program.finish(process)
    assert status == 0, stderr
    found = json.loads(stdout)
    assert found["devices"] == [1, 8]
    assert found["same_noise"] == {"threefry2x32": True, "rbg": True}
    assert len(found["gradients"]) > 30
    assert max(found["gradients"]) < 1e-5
    # Gradients are summed; no device computes what belongs to the samples of another.
    assert found["collectives"] == [[], ["all-reduce"]]


def test_devices_are_in_the_processes_order():
    """As the shares of a batch are, so that a batch is the same on any number of processes."""
    mesh = sharding.data_mesh(batch_size=2)
    order = [(device.process_index, device.id) for device in mesh.devices.flat]
    assert len(order) == 2 and order == sorted(order)
