"""Timing that all speed benchmarks share: programs interleaved, their networks and reference."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

import jax
from ml_collections import ConfigDict
from tqdm import tqdm

from benchmarks.torch_reference import authors

OURS, AUTHORS = "iicnet_jax", "PyTorch reference"


def interleaved(
    programs: Mapping[str, Callable[[], float]], repeats: int, profile: Path | None = None
) -> dict[str, list[float]]:
    """What every program returns, `repeats` times, each once in a turn.

    They should have been called once before: nothing is compiled then. With `profile`, one more
    turn is recorded in that folder, for TensorBoard and Perfetto.
    """
    values = {name: [] for name in programs}
    for _ in tqdm(range(repeats), desc="turns", disable=None):
        for name, program in programs.items():
            values[name].append(program())
    if profile:
        with jax.profiler.trace(str(profile)):
            for program in programs.values():
                program()
    return values


def add_arguments(parser: argparse.ArgumentParser):
    """Arguments for the network, the repetitions, the authors' code and the results."""
    parser.add_argument("--config", default="dual_x4", help="an experiment, a file of configs/")
    parser.add_argument("--blocks", type=int, help="coupling blocks, if not the experiment's")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--torch_reference", type=Path, help="checkout of the authors' code")
    parser.add_argument("--torch_python", default=sys.executable, help="a Python with PyTorch")
    parser.add_argument("--profile", type=Path, help="folder for a trace of one more repetition")
    parser.add_argument("--out", type=Path, help="JSON file with all results")


def network_config(arguments: argparse.Namespace) -> ConfigDict:
    """The configuration that the arguments name. Exits where its network is not IICNet."""
    config = import_module(f"configs.{arguments.config}").get_config()
    if config.method != "iicnet":
        sys.exit(f"error: configs/{arguments.config}.py is no IICNet, but {config.method}")
    if arguments.blocks:
        config.model.num_blocks = arguments.blocks
    return config


def start_reference(arguments, config: ConfigDict, batch_size: int, size, what: str):
    """The authors' code with the same network, batch and size of images; see `torch_reference`.

    Exits with one message where it cannot be had, or has another device.
    """
    model = config.model
    if (model.downscaling, model.embedding_channels) != ("none", 3):
        sys.exit("error: --torch_reference works for colour embeddings without down-scaling")
    fields = ("num_images", "num_blocks", "relation", "relation_features")
    settings = {
        "network": {name: model[name] for name in fields},
        "batch_size": batch_size,
        "height": size[0],
        "width": size[1],
        "what": what,
    }
    try:
        reference = authors(arguments.torch_reference, arguments.torch_python, settings)
    except (OSError, RuntimeError) as error:
        sys.exit(f"error: --torch_reference, --torch_python: {error}")
    if (reference.device == "cpu") != (jax.default_backend() == "cpu"):
        reference.close()
        sys.exit(
            f"error: PyTorch runs on {reference.device}, JAX on {jax.devices()[0].device_kind}: "
            "give both the same device"
        )
    return reference


def share_device_memory():
    """Leaves room for another process on the GPU; to be called before JAX is used."""
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")


def settings(arguments: argparse.Namespace) -> dict[str, str]:
    """For the JSON file: the arguments, the device, and XLA's options."""
    return {
        **{name: str(value) for name, value in vars(arguments).items()},
        "device": jax.devices()[0].device_kind,
        "XLA_FLAGS": os.environ.get("XLA_FLAGS", ""),
    }
