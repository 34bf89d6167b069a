"""A trained network on disk: a folder with `model.safetensors` and `config.json`."""

import hashlib
import inspect
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from flax import nnx
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from iicnet_jax.errors import UserError
from iicnet_jax.files import replacing, write_json
from iicnet_jax.models import NETWORKS, Network
from iicnet_jax.models.layers import parameter_arrays, parameter_shapes, set_parameters
from iicnet_jax.models.shapes import without_weights

FORMAT_VERSION = 1
WEIGHTS = "model.safetensors"
CONFIG = "config.json"
IN_WORKDIR = "model"  # the model directory of a run whose steps are all done
# In the fingerprint only where they are not the default, so that older models keep theirs.
NEWER_ARGUMENTS = {"full_size", "growth"}


def save_model(
    folder: Path,
    params: nnx.State,
    model_config: Mapping,
    about: Mapping,
    method: str = "iicnet",
) -> None:
    """Writes the parameters and what is needed to build the network again.

    Args:
      folder: made if need be; an older model in it is replaced.
      params: of the network.
      model_config: the arguments of the network.
      about: where the network comes from (task, step, ...), kept as it is.
      method: names the network in `NETWORKS`.

    Raises:
      UserError, OSError: the disk refuses.
    """
    arrays = parameter_arrays(params)
    with replacing(folder / WEIGHTS) as temporary:
        try:
            save_file(arrays, temporary)
        except SafetensorError as error:
            raise UserError(f"{folder / WEIGHTS} cannot be written: {error}") from error
    config = {
        "format": FORMAT_VERSION,
        "method": method,
        "model": dict(model_config),
        # For a reader that looks for a network among many; `fingerprint` computes it anew.
        "fingerprint": _digest(arrays, model_config, method),
        "about": dict(about),
    }
    write_json(folder / CONFIG, config)


def load_config(folder: Path) -> dict:
    """What `save_model` wrote beside the weights.

    `method`, which names the network; `model`, its arguments; `about`; and, not in old ones,
    `fingerprint`.

    Raises:
      UserError: the folder holds no model, a newer format or method, or a damaged configuration.
    """
    for name in (WEIGHTS, CONFIG):
        if not (folder / name).is_file():
            raise UserError(
                f"{folder} holds no model ({name} is missing): name a folder with {WEIGHTS} and "
                f"{CONFIG}, such as `model` in the workdir of a finished run"
            )
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"the model in {folder} is damaged: {error}") from error
    if config.get("format") != FORMAT_VERSION:
        raise UserError(
            f"the model in {folder} has the format {config.get('format')}, and this version reads "
            f"{FORMAT_VERSION}: use the version of iicnet_jax that wrote it"
        )
    # Models from before there were other methods do not name theirs.
    method = config.setdefault("method", "iicnet")
    if method not in NETWORKS:
        raise UserError(
            f"the model in {folder} is of the method {method!r}, and this version knows "
            f"{', '.join(NETWORKS)}: use the version of iicnet_jax that wrote it"
        )
    return config


def load_model(folder: Path) -> Network:
    """Builds the network that `save_model` wrote.

    Raises:
      UserError: the folder holds no model, a newer format, or damaged files.
    """
    config = load_config(folder)
    try:
        arrays = load_file(folder / WEIGHTS)
    except SafetensorError as error:
        raise UserError(f"the model in {folder} is damaged: {error}") from error
    # Only the shapes: drawing initial weights takes longer than reading these.
    network = NETWORKS[config["method"]]
    model = without_weights(network, **config["model"])
    state = nnx.state(model, nnx.Param)
    shapes = parameter_shapes(state)
    if shapes.keys() != arrays.keys():
        different = sorted(shapes.keys() ^ arrays.keys())
        raise UserError(f"{folder / WEIGHTS} does not fit {CONFIG}: see {', '.join(different[:3])}")
    for name, shape in shapes.items():
        if shape != arrays[name].shape:
            raise UserError(
                f"{folder / WEIGHTS} does not fit {CONFIG}: {name} has the shape "
                f"{arrays[name].shape}, not {shape}"
            )
    set_parameters(state, arrays)
    nnx.update(model, state)
    return model


def find_model(path: Path) -> Path:
    """The model directory that a path names: itself, or `model` in the workdir of a run."""
    path = path.expanduser()
    return path / IN_WORKDIR if (path / IN_WORKDIR).is_dir() else path


def fingerprint(model: Network, model_config: Mapping) -> str:
    """SHA-256 of what a network computes: its method, its arguments and its parameters.

    Arguments that are left out count with their default values. How the bytes are put together
    is written down in docs/formats.md.
    """
    method = next(name for name, network in NETWORKS.items() if type(model) is network)
    return _digest(parameter_arrays(nnx.state(model, nnx.Param)), model_config, method)


def _digest(parameters: Mapping[str, np.ndarray], model_config: Mapping, method: str) -> str:
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(NETWORKS[method].__init__).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    fields = defaults | dict(model_config)
    for name in NEWER_ARGUMENTS & fields.keys():
        if fields[name] == defaults[name]:
            del fields[name]
    if method != "iicnet":  # its fingerprints are older than the other methods
        fields["method"] = method
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode())
    for name, array in sorted(parameters.items()):
        little_endian = array.astype(array.dtype.newbyteorder("<"))
        digest.update(f"\n{name} {list(array.shape)} {array.dtype.name}\n".encode())
        digest.update(little_endian.tobytes())
    return digest.hexdigest()
