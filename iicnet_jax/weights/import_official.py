"""Makes a model directory of the authors' weight file.

Their files hold no options. Names and shapes of the parameters tell almost all of them:

- `num_blocks`, `relation`, `relation_features`: how many coupling blocks there are, whether there
  is a relation module, and how wide it is;
- `downscaling`: with it there is a 1x1 convolution, and Haar kernels are stored too;
- `num_images`: a coupling block has 3 channels an image, or 12 with down-scaling;
- `embedding_channels` and `split`: the first part of a coupling has `embedding_channels` channels
  without down-scaling, and `split` means nothing. With it, the first part has 12 ("ref", colour),
  4 ("ref", grey) or 3 `num_images` ("prop", colour or grey) channels. So "prop" leaves open
  whether the embedding is grey, and four images whether 12 channels mean "ref" or "prop".

Their networks see the colours of an image in the order blue, green, red (`colour_order.py`).
"""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from flax import nnx

from iicnet_jax.core.errors import UserError
from iicnet_jax.models import IICNet
from iicnet_jax.models.abstract import abstract_network
from iicnet_jax.models.downscaling import Haar
from iicnet_jax.models.network import COLOURS
from iicnet_jax.weights.colour_order import swap_colours
from iicnet_jax.weights.model_dir import save_model
from iicnet_jax.weights.official import load_official
from iicnet_jax.weights.torch_file import read_torch_file

_DOWN = re.compile(r"1\.operations\.\d+\.(haar_weights|weight)")
_BLOCK = re.compile(r"2\.operations\.(\d+)\.")


def import_official(
    path: Path, folder: Path, *, embedding_channels: int | None = None, split: str | None = None
) -> dict:
    """Writes the authors' weights as a model directory, and returns the arguments of `IICNet`.

    The model takes and gives RGB images.

    Args:
      path: a state dict saved by PyTorch.
      folder: of the model; made if need be, an older model in it is replaced.
      embedding_channels, split: as in `infer_config`.

    Raises:
      UserError: the file cannot be read or is not of the authors' network, or the options leave
        open which network it is, or contradict it.
    """
    parameters = read_torch_file(path)
    try:
        parameters = {name: _float32(name, value) for name, value in parameters.items()}
        config = infer_config(parameters, embedding_channels=embedding_channels, split=split)
        if config.get("colour_order") != "bgr":
            parameters = swap_colours(parameters)
        # Only the shapes: drawing initial weights takes longer than reading these.
        model = abstract_network(IICNet, **config)
        load_official(model, parameters)
    except (UserError, ValueError) as error:
        raise UserError(f"{path} cannot be imported: {error}") from error
    save_model(folder, nnx.state(model, nnx.Param), config, {"imported_from": path.name})
    return config


def infer_config(
    parameters: Mapping[str, np.ndarray],
    *,
    embedding_channels: int | None = None,
    split: str | None = None,
) -> dict:
    """The arguments of `IICNet` for the authors' parameters, given by official name, OIHW.

    `colour_order` is left out where `swap_colours` can turn the parameters to RGB.

    Args:
      embedding_channels, split: of `IICNet`, where the parameters leave them open; otherwise they
        must agree with the parameters.

    Raises:
      UserError: the parameters are of another network, or fit several, or none with the options.
    """
    down = _downscaling(parameters)
    first = _shape(parameters, "2.operations.0.F.conv5.weight")[0]
    channels = first + _shape(parameters, "2.operations.0.F.conv1.weight")[1]
    per_image = COLOURS if down == "none" else 4 * COLOURS
    if channels % per_image:
        raise UserError(f"coupling blocks of {channels} channels fit no number of images")
    config = {
        "num_images": channels // per_image,
        "relation": any(name.startswith("0.") for name in parameters),
        "downscaling": down,
        "num_blocks": len({found[1] for found in map(_BLOCK.match, parameters) if found}),
    }
    if config["relation"]:
        head = _shape(parameters, "0.forw_rel.conv_1x1_heads.0.weight")
        config["relation_features"] = head[0]
    # Before a network of that size is made: a file may claim any.
    expected = _num_parameters(config)
    if len(parameters) != expected:
        raise UserError(
            f"it has {len(parameters)} parameters, and a network of {config['num_images']} images "
            f"and {config['num_blocks']} blocks has {expected}"
        )
    # Couplings split within an image: see colour_order.py.
    if first % COLOURS:
        config["colour_order"] = "bgr"
    given = {"embedding_channels": embedding_channels, "split": split}
    return config | _coupling_options(down, channels, first, given)


def _num_parameters(config):
    """How many entries the authors' state dict has."""
    down = {"none": 0, "squeeze": 1, "haar": 2}[config["downscaling"]]
    dense_block, convolution = 10, 2
    image = 2 * dense_block + 3 * convolution  # in each of the two relation networks
    relation = 2 * image * config["num_images"] if config["relation"] else 0
    return relation + down + 3 * dense_block * config["num_blocks"]


def _coupling_options(down, channels, first, given):
    """`embedding_channels` and `split`, from the channels of a coupling and of its first part."""
    if down == "none":
        lengths = {(colours, given["split"] or "ref"): colours for colours in (3, 1)}
    else:
        lengths = {(colours, "ref"): 4 * colours for colours in (3, 1)}
        lengths |= {(colours, "prop"): channels // 4 for colours in (3, 1)}
    fitting = [dict(zip(given, key, strict=True)) for key in lengths if lengths[key] == first]
    if not fitting:
        raise UserError(
            f"a coupling that splits {channels} channels after {first} is none of the authors'"
        )
    given = {name: value for name, value in given.items() if value is not None}
    chosen = [config for config in fitting if given.items() <= config.items()]
    if len(chosen) == 1:
        return chosen[0]
    networks = " or ".join(f"({_options(config)})" for config in chosen or fitting)
    if not chosen:
        raise UserError(f"{_options(given)} does not fit the weights, which have {networks}")
    raise UserError(
        f"the weights do not tell which network it is, {networks}: give these options "
        "(embedding_channels is 3 where the embedding has colours, 1 where it is grey)"
    )


def _options(config):
    return ", ".join(f"{name}={value!r}" for name, value in config.items())


def _downscaling(parameters):
    names = {found[1]: found[0] for found in map(_DOWN.fullmatch, parameters) if found}
    if not names:
        return "none"
    if "weight" not in names:
        raise UserError("it has Haar down-scaling without the invertible 1x1 convolution")
    if "haar_weights" not in names:
        return "squeeze"
    # Our network has these as constants.
    kernels = parameters[names["haar_weights"]]
    expected = np.tile(Haar.SIGNS.reshape(4, 1, 2, 2), (kernels.size // 16, 1, 1, 1))
    if not np.array_equal(kernels, expected):
        raise UserError(f"{names['haar_weights']!r} are not the kernels of the Haar transform")
    return "haar"


def _shape(parameters, name) -> tuple[int, ...]:
    """The shape of a kernel, OIHW."""
    shape = parameters[name].shape if name in parameters else ()
    if len(shape) != 4:
        raise UserError(f"it is no network of the authors: there is no kernel {name!r}")
    return shape


def _float32(name, value):
    with np.errstate(over="ignore"):
        value = value.astype(np.float32)
    if not np.isfinite(value).all():
        raise UserError(f"{name!r} has values that are not finite")
    return value
