"""Model directories: `model.safetensors` and `config.json`, and their fingerprint."""

import contextlib
import hashlib
import inspect
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from flax import nnx
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from iicnet_jax.core import json_files
from iicnet_jax.core.errors import UserError, explaining
from iicnet_jax.core.files import replacing, write_json
from iicnet_jax.imaging.carrier import parse
from iicnet_jax.models import NETWORKS, Network
from iicnet_jax.models.abstract import abstract_network
from iicnet_jax.models.layers import parameter_arrays, parameter_shapes, set_parameters

FORMAT_VERSION = 1
WEIGHTS = "model.safetensors"
CONFIG = "config.json"
IN_WORKDIR = "model"  # the model directory of a run whose steps are all done
# In the fingerprint only where they are not the default, so that older models keep theirs.
NEWER_ARGUMENTS = {"full_size", "growth", "levels", "mixing"}
# The greatest whole numbers that a network is made with; widths have the last one.
GREATEST = {"num_images": 1000, "num_blocks": 10_000, "num_modules": 10_000, "levels": 5}
GREATEST_WIDTH = 65536

SHA256 = re.compile(r"[0-9a-f]{64}")
PART = {"psnr": json_files.NUMBER, "ssim": json_files.NUMBER}
# What `export.measured_quality` makes; `about` has it where the model has been measured.
QUALITY = {
    "embedding": PART,
    "restored": PART,
    "samples": int,
    "split": str,
    "data": {"task": str, "root": str, "miniature": bool},
    "devices": [str],
    "date": (str, type(None)),
}
# Of each carrier in `about.survives`: what comes back through such a file, and without the network.
SURVIVED = {"embedding": PART, "restored": PART, "without_network": PART}


def save_model(
    folder: Path,
    params: nnx.State,
    model_config: Mapping,
    about: Mapping,
    method: str = "iicnet",
    half: bool = False,
) -> None:
    """Writes the parameters and what is needed to build the network again.

    Args:
      folder: made if need be; an older model in it is replaced.
      params: of the network.
      model_config: the arguments of the network.
      about: where the network comes from (task, step, ...), kept as it is.
      method: names the network in `NETWORKS`.
      half: round to float16 and store as such, in half the space. It is read as float32.

    Raises:
      UserError: the disk refuses, or a parameter is too large for float16.
    """
    arrays = parameter_arrays(params)
    if half:
        arrays = {name: _in_half_precision(name, array) for name, array in arrays.items()}
    with replacing(folder / WEIGHTS) as temporary:
        try:
            save_file(arrays, temporary)
        except SafetensorError as error:
            raise UserError(f"{folder / WEIGHTS} cannot be written: {error}") from error
    config = {
        "format": FORMAT_VERSION,
        "method": method,
        "model": dict(model_config),
        # For a reader that looks for a network among many; `read_model` computes it anew.
        "fingerprint": _digest(_as_read(arrays), model_config, method),
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
    config = json_files.read(folder / CONFIG, {"format": int})
    if config["format"] != FORMAT_VERSION:
        raise UserError(
            f"the model in {folder} has the format {config['format']}, and this version reads "
            f"{FORMAT_VERSION}: use the version of iicnet_jax that wrote it"
        )
    # Models from before there were other methods do not name theirs.
    config = {"method": "iicnet", "about": {}, "fingerprint": None} | config
    method = config["method"]
    if not isinstance(method, str) or method not in NETWORKS:
        raise UserError(
            f"the model in {folder} is of the method {repr(method)[:80]}, and this version knows "
            f"{', '.join(NETWORKS)}: use the version of iicnet_jax that wrote it"
        )
    with explaining(f"{folder / CONFIG} is damaged"):
        json_files.check(config, {"model": dict, "about": dict, "fingerprint": _is_fingerprint})
        check_arguments(config["model"], method)
        about = _in_names_of_today(config["about"])
        json_files.check(about, {"quality": QUALITY} if "quality" in about else {})
        if "survives" in about:
            json_files.check(about, {"survives": dict})
            for name, measures in about["survives"].items():
                json_files.check(measures, SURVIVED, f"about.survives.{repr(name)[1:-1][:80]}")
    return config


def lowest_qualities(about: Mapping) -> dict[str, int]:
    """The lowest quality that a network survives, by format, such as {"jpeg": 50, "webp": 80}.

    `about`: of `load_config`. What a later version names there and this one does not know is left
    out.
    """
    lowest: dict[str, int] = {}
    for name in about.get("survives", {}):
        with contextlib.suppress(ValueError):
            carrier = parse(name)
            if carrier.quality is not None:
                lowest[carrier.form] = min(carrier.quality, lowest.get(carrier.form, 100))
    return lowest


def _in_names_of_today(about: dict) -> dict:
    """A task was called a regime."""
    quality = about.get("quality")
    for fields in (about, quality.get("data") if isinstance(quality, dict) else None):
        if isinstance(fields, dict) and "regime" in fields:
            fields["task"] = fields.pop("regime")
    return about


def check_arguments(fields: Mapping, method: str) -> None:
    """Raises ValueError unless `fields` may be arguments of a method's network.

    They have its names and types, and are not so great that it would take minutes to make.
    """
    known = dict(inspect.signature(NETWORKS[method].__init__).parameters)
    del known["self"], known["rngs"]
    for name in known.keys() - fields.keys():
        if known[name].default is inspect.Parameter.empty:
            raise ValueError(f"it lacks model.{name}")
    for name, value in fields.items():
        if name not in known:
            raise ValueError(f"model.{repr(name)[1:-1][:80]} is no argument of {method}")
        json_files.check(value, known[name].annotation, f"model.{name}")
        greatest = GREATEST.get(name, GREATEST_WIDTH)
        if type(value) is int and not 1 <= value <= greatest:
            raise ValueError(f"model.{name} is {value}, but must be from 1 to {greatest}")


def all_arguments(fields: Mapping, method: str) -> dict:
    """The arguments of a method's network, those that are left out with their default values."""
    parameters = inspect.signature(NETWORKS[method].__init__).parameters
    defaults = {
        name: parameter.default
        for name, parameter in parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    return defaults | dict(fields)


class Model(NamedTuple):
    """What a model directory holds."""

    network: Network
    task: str  # what it was trained for; empty where that is not said
    fingerprint: str  # SHA-256 of the method, the arguments and the parameters, see docs/formats.md
    survives: Mapping[str, int]  # see `lowest_qualities`


def read_model(folder: Path) -> Model:
    """Builds the network that `save_model` wrote, and says which one it is.

    Raises:
      UserError: the folder holds no model, a newer format, damaged files, or other weights than
        those that its configuration was written for.
    """
    config = load_config(folder)
    arrays = _read_weights(folder / WEIGHTS)
    fields = config["model"]
    # The relation module, and whatever else merges images, has layers for each of them.
    each_image = fields.get("num_images", 1) if fields.get("relation", True) else 1
    layers = max(fields.get("num_blocks", 1) * fields.get("num_modules", 1), each_image)
    if layers > len(arrays):  # before so many are made: a file may claim any
        raise UserError(
            f"{folder / WEIGHTS} does not fit {CONFIG}: it has {len(arrays)} parameters for "
            f"{layers} layers"
        )
    with explaining(f"{folder / CONFIG} is damaged"):
        # Only the shapes: drawing initial weights takes longer than reading these.
        model = abstract_network(NETWORKS[config["method"]], **fields)
    state = nnx.state(model, nnx.Param)
    shapes = parameter_shapes(state)
    if shapes.keys() != arrays.keys():
        different = sorted(shapes.keys() ^ arrays.keys())
        listed = ", ".join(repr(name)[1:-1][:80] for name in different[:3])
        raise UserError(f"{folder / WEIGHTS} does not fit {CONFIG}: see {listed}")
    for name, shape in shapes.items():
        if shape != arrays[name].shape:
            raise UserError(
                f"{folder / WEIGHTS} does not fit {CONFIG}: {name} has the shape "
                f"{arrays[name].shape}, not {shape}"
            )
    stated, fingerprint = config["fingerprint"], _digest(arrays, fields, config["method"])
    if stated not in (None, fingerprint):
        raise UserError(
            f"{folder / WEIGHTS} is damaged, or not the file that {CONFIG} was written for: its "
            f"fingerprint is not {stated[:12]}. Copy or install the model again"
        )
    set_parameters(state, arrays)
    nnx.update(model, state)
    about = config["about"]
    return Model(model, str(about.get("task", "")), fingerprint, lowest_qualities(about))


def _in_half_precision(name: str, array: np.ndarray) -> np.ndarray:
    largest = np.abs(array).max()
    if not largest <= np.finfo(np.float16).max:
        raise UserError(f"{name} has a value of {largest:g}, too large for half precision")
    return array.astype(np.float16)


def _as_read(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: array.astype(np.float32, copy=False) for name, array in arrays.items()}


def _read_weights(path: Path) -> dict[str, np.ndarray]:
    """In float32, whether the file has them in single or half precision."""
    try:
        with safe_open(path, framework="numpy") as file:
            names = file.keys()
            for name in names:
                if (dtype := file.get_slice(name).get_dtype()) not in ("F32", "F16"):
                    raise UserError(
                        f"{path} does not fit {CONFIG}: numbers are {dtype}, not F32 or F16"
                    )
            return _as_read({name: file.get_tensor(name) for name in names})
    except SafetensorError as error:
        raise UserError(f"{path} is damaged: {repr(str(error))[1:-1][:200]}") from error


def _is_fingerprint(value) -> bool:
    return value is None or (isinstance(value, str) and SHA256.fullmatch(value) is not None)


def _digest(parameters: Mapping[str, np.ndarray], model_config: Mapping, method: str) -> str:
    """The fingerprint. Arguments that are left out count with their default values."""
    fields, defaults = all_arguments(model_config, method), all_arguments({}, method)
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
