"""Step time on 1, 2, 4, ... devices, and a calculation of it up to 1,000.

    python -m benchmarks.scaling --config=dual_x4 --out=scaling.json
    python -m benchmarks.scaling --devices --step_ms=50     # the calculation alone

Weak scaling keeps the batch of a device, strong scaling the batch of all. Every measurement runs in
a process of its own. On a machine without accelerators the devices are fake: they share the same
cores, so that the table shows what splitting a step costs there, and says nothing of speed.

The calculation is no measurement. Data parallel training adds one all-reduce of the gradients to
a step. Within a node of g devices the gradients are reduced and scattered, then summed over the m
nodes (each device its g-th part, by a ring or a tree), then gathered within the node:

    node     2 (g-1)/g * bytes / node bandwidth + 2 (g-1) * node latency
    ring     2 (m-1)/m * bytes/g / network bandwidth + 2 (m-1) * network latency
    tree     2 * bytes/g / network bandwidth + 2 ceil(log2 m) * network latency

(Thakur, Rabenseifner and Gropp 2005; for the tree, pipelined over two trees, Sanders, Speck and
Träff 2009.) The faster of ring and tree counts. `--overlap` is the share of the all-reduce that
hides behind the backward pass. Left out: processes that wait for a slow one, input, checkpoints.
"""

import argparse
import math
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from pathlib import Path

from benchmarks import report

CALCULATED = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", default="dual_x4", help="an experiment, a file of configs/")
    parser.add_argument("--crop", type=int, help="side of the images, if not the experiment's")
    parser.add_argument("--blocks", type=int, help="coupling blocks, if not the experiment's")
    parser.add_argument("--devices", type=int, nargs="*", default=[1, 2, 4, 8])
    parser.add_argument("--device_batch", type=int, default=2, help="samples a device, weak")
    parser.add_argument("--batch", type=int, default=8, help="samples of all devices, strong")
    parser.add_argument("--repeats", type=int, default=5)
    assumed = parser.add_argument_group("assumptions of the calculation")
    assumed.add_argument(
        "--step_ms", type=float, help="a step on one device; else as measured here"
    )
    assumed.add_argument("--gradient_bytes", type=float, help="else 4 a parameter of --config")
    assumed.add_argument("--node_devices", type=int, default=8, help="devices of one node")
    assumed.add_argument("--node_gb_s", type=float, default=300, help="between two of them")
    assumed.add_argument("--node_latency_us", type=float, default=5)
    assumed.add_argument("--network_gb_s", type=float, default=25, help="of a device")
    assumed.add_argument("--network_latency_us", type=float, default=20)
    assumed.add_argument("--overlap", type=float, default=0.0, help="hidden share, 0 to 1")
    parser.add_argument("--out", type=Path, help="JSON file with all results")
    arguments = parser.parse_args()

    for devices in arguments.devices:
        if arguments.batch % devices:
            parser.error(f"--batch {arguments.batch} does not divide over {devices} devices")

    measured = []
    for scaling in ("weak", "strong"):
        for devices in arguments.devices:
            measured.append(_measure(arguments, scaling, devices))
            print(report.table(measured[-1:]).splitlines()[-1], flush=True)
    if measured:
        _add_efficiency(measured)
        print(f"\nMilliseconds a train step, measured\n\n{report.table(measured)}")
        if measured[0]["device"] == "cpu":
            print("\nThese devices share the cores of one machine: overhead only, no speed-up.")

    if arguments.step_ms is None:
        one = [row for row in measured if row["scaling"] == "weak" and row["devices"] == 1]
        if not one:
            parser.error("give --step_ms, or measure one device (--devices 1)")
        arguments.step_ms = one[0]["median"]
    if arguments.gradient_bytes is None:
        arguments.gradient_bytes = 4.0 * _parameters(arguments)
    calculated = [_calculate(arguments, devices) for devices in CALCULATED]
    print(
        f"\nCALCULATED, not measured: weak scaling of a step of {arguments.step_ms:.0f} ms with "
        f"{arguments.gradient_bytes / 1e6:.1f} MB of gradients\n\n{report.table(calculated)}"
    )
    if arguments.out:
        settings = {name: str(value) for name, value in vars(arguments).items()}
        rows = [{"kind": "measured", **row} for row in measured]
        rows += [{"kind": "calculated", **row} for row in calculated]
        report.write(arguments.out, settings, rows)


def _calculate(assumed, devices):
    """The time of a step on so many devices, under the assumptions of the arguments."""
    local = min(devices, assumed.node_devices)
    nodes = math.ceil(devices / local)
    node = all_reduce_ring(
        assumed.gradient_bytes, local, assumed.node_gb_s, assumed.node_latency_us
    )
    part = assumed.gradient_bytes / local
    network = (nodes, assumed.network_gb_s, assumed.network_latency_us)
    ring, tree = all_reduce_ring(part, *network), all_reduce_tree(part, *network)
    shown = (node + min(ring, tree)) * (1 - assumed.overlap)
    step = assumed.step_ms + shown
    return {
        "devices": devices,
        "nodes": nodes,
        "node ms": node,
        "ring ms": ring,
        "tree ms": tree,
        "step ms": step,
        "efficiency": assumed.step_ms / step,
    }


def all_reduce_ring(size: float, peers: int, gb_s: float, latency_us: float) -> float:
    """Milliseconds of a sum of `size` bytes over `peers` in a ring; see the module's text."""
    return 2 * (peers - 1) * (size / peers / (gb_s * 1e6) + latency_us / 1e3)


def all_reduce_tree(size: float, peers: int, gb_s: float, latency_us: float) -> float:
    """The same over two pipelined trees."""
    if peers == 1:
        return 0.0
    return 2 * size / (gb_s * 1e6) + 2 * math.ceil(math.log2(peers)) * latency_us / 1e3


def _add_efficiency(rows):
    """Weak: time on one device / time. Strong: that, divided by the number of devices."""
    first = {}
    for row in rows:
        base = first.setdefault(row["scaling"], row)
        ideal = row["devices"] / base["devices"] if row["scaling"] == "strong" else 1
        row["efficiency"] = base["median"] / (row["median"] * ideal)


def _measure(arguments, scaling, devices):
    weak = scaling == "weak"
    batch = arguments.device_batch * devices if weak else arguments.batch
    kind, times = _in_a_process(_step_times, arguments, devices, batch)
    row = {"scaling": scaling, "device": kind, "devices": devices, "batch": batch}
    return row | report.median_and_spread(times)


def _step_times(arguments, devices, batch_size):
    """The device's kind, and milliseconds of single steps on synthetic images."""
    os.environ["JAX_NUM_CPU_DEVICES"] = str(devices)  # read when JAX starts; for CPUs only
    import jax
    import numpy as np

    from iicnet_jax.experiment import build
    from iicnet_jax.training import sharding
    from iicnet_jax.training.step import create_state, make_train_step

    found = jax.devices()
    if len(found) < devices:
        raise ValueError(f"{devices} devices are asked for, and there are {len(found)}")
    config = _config(arguments)
    model = build.create_model(config)
    optimizer, _ = build.create_optimizer(config)
    graph, state = create_state(model, optimizer)
    mesh = sharding.data_mesh(batch_size, found[:devices])
    state = jax.device_put(state, sharding.replicated(mesh))
    side, random = config.data.crop, np.random.default_rng(0)
    sizes = {
        "frames": (model.num_images, side, side, 3),
        "reference": (*model.embedding_size(side, side), model.embedding_channels),
    }
    batch = {
        name: random.integers(0, 256, (batch_size, *size), np.uint8) for name, size in sizes.items()
    }
    batch = sharding.put_batch(mesh, batch)
    train_step = jax.jit(
        make_train_step(graph, optimizer, build.create_loss(config)), donate_argnums=0
    )
    times = []
    for _ in range(2 + arguments.repeats):
        begin = time.perf_counter()
        state, metrics = train_step(state, batch, jax.random.key(0))
        jax.block_until_ready((state, metrics))
        times.append(1e3 * (time.perf_counter() - begin))
    return found[0].device_kind, times[2:]


def _config(arguments):
    config = import_module(f"configs.{arguments.config}").get_config()
    if arguments.crop:
        config.data.crop = arguments.crop
    if arguments.blocks:
        config.model.num_blocks = arguments.blocks
    return config


def _parameters(arguments):
    """How many parameters the network has."""
    import jax
    from flax import nnx

    from iicnet_jax.experiment import build
    from iicnet_jax.models.abstract import abstract_network

    network = abstract_network(build.create_model, _config(arguments))
    return sum(leaf.size for leaf in jax.tree.leaves(nnx.state(network, nnx.Param)))


def _in_a_process(function, *arguments):
    """The result of a function in a process that has not started JAX."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as process:
        return process.submit(function, *arguments).result()


if __name__ == "__main__":
    main()
