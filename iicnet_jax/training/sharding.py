"""Data parallelism: shardings of state and batches over a mesh with one axis, `data`."""

from collections.abc import Sequence

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from iicnet_jax.core.errors import UserError


def data_mesh(
    batch_size: int, devices: Sequence[jax.Device] | None = None, *, parts: int = 1
) -> Mesh:
    """A mesh over `devices` (all of all processes), or over as many of them as divide the batch.

    A batch may be computed in so many `parts`, one after the other; these are what is divided.

    Raises:
      UserError: with several processes, the batch does not divide over all devices.
    """
    devices = jax.devices() if devices is None else devices
    if batch_size % (parts * len(devices)) and jax.process_count() > 1:
        divided = f" in {parts} parts (config.optimizer.accumulate)" if parts > 1 else ""
        raise UserError(
            f"config.data.batch_size is {batch_size}{divided}, which {len(devices)} devices in "
            f"{jax.process_count()} processes cannot share evenly: choose a multiple of "
            f"{parts * len(devices)}"
        )
    used = np.gcd(batch_size // parts, len(devices))
    # JAX lists devices process by process, and so come the shares of a batch (data/pipeline.py).
    # `jax.make_mesh` may choose another order.
    return Mesh(np.array(devices[:used]), ("data",), axis_types=(AxisType.Auto,))


def replicated(mesh: Mesh) -> NamedSharding:
    """Every device holds a whole copy: parameters and optimiser."""
    return NamedSharding(mesh, PartitionSpec())


def put_batch(mesh: Mesh, batch, axis: int = 0):
    """Makes global arrays of this process's share of a batch, split along that axis."""
    sharding = NamedSharding(mesh, PartitionSpec(*[None] * axis, "data"))
    return jax.tree.map(lambda x: jax.make_array_from_process_local_data(sharding, x), batch)
