"""Parameter names and layouts of the authors' PyTorch network."""

import re
from collections.abc import Mapping

import numpy as np
from flax import nnx

from iicnet_jax.models.layers import parameter_shapes, set_parameters

_RELATION_PARTS = {
    "DB_heads": "heads",
    "conv_1x1_heads": "head_convs",
    "conv_merges": "merge_convs",
    "conv_1x1_tails": "tail_convs",
    "DB_tails": "tails",
}
_DIRECTIONS = {"forw_rel": "embed_network", "back_rel": "restore_network"}
# Of a dense block; a single convolution has no number.
_CONVOLUTIONS: dict[str | None, str] = {
    None: "",
    **{str(i + 1): f"growing/{i}/" for i in range(4)},
    "5": "last/",
}
_NAME = re.compile(
    r"""
    1\.operations\.\d+\.(?P<constant>haar_weights)
    | 1\.operations\.\d+\.(?P<mixing>weight)
    | (
        0\.(?P<direction>forw_rel|back_rel)\.(
          (?P<block_part>DB_heads|DB_tails)\.(?P<block_image>\d+)\.conv(?P<block_conv>[1-5])
          | (?P<conv_part>conv_1x1_heads|conv_merges|conv_1x1_tails)\.(?P<conv_image>\d+)
        )
        | 2\.operations\.(?P<coupling>\d+)\.(?P<branch>[FGH])\.conv(?P<coupling_conv>[1-5])
      )\.(?P<leaf>weight|bias)
    """,
    re.VERBOSE,
)


def parameter_name(name: str) -> str | None:
    """What the parameter of that official name is called in our network, and in its files.

    Returns None for constants that our network does not store as parameters (Haar kernels).

    Raises:
      ValueError: the name is not one of the authors' network.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise ValueError(f"{name!r} is no parameter of the authors' network")
    found = match.groupdict()
    if found["constant"]:
        return None
    if found["mixing"]:
        return "down/layers/1/weight"
    conv = _CONVOLUTIONS[found["block_conv"] or found["coupling_conv"]]
    leaf = conv + {"weight": "kernel", "bias": "bias"}[found["leaf"]]
    if found["coupling"]:
        return f"blocks/layers/{int(found['coupling'])}/{found['branch']}/{leaf}"
    part = _RELATION_PARTS[found["block_part"] or found["conv_part"]]
    image = int(found["block_image"] or found["conv_image"])
    return f"relation/{_DIRECTIONS[found['direction']]}/{part}/{image}/{leaf}"


def load_official(model: nnx.Module, parameters: Mapping[str, np.ndarray]) -> None:
    """Sets the parameters of `model` to the authors', given by official name, OIHW.

    Raises:
      ValueError: a name is unknown, a shape does not fit, or a parameter is missing.
    """
    state = nnx.state(model, nnx.Param)
    shapes = parameter_shapes(state)
    values = {}
    for name, value in parameters.items():
        ours = parameter_name(name)
        if ours is None:
            continue
        if ours not in shapes:
            raise ValueError(f"{name!r} has no place in this network ({ours})")
        value = np.transpose(value, (2, 3, 1, 0)) if np.ndim(value) == 4 else np.asarray(value)
        if shapes[ours] != value.shape:
            raise ValueError(f"{name!r} has the shape {value.shape}, not {shapes[ours]}")
        values[ours] = value.astype(np.float32)
    missing = shapes.keys() - values.keys()
    if missing:
        raise ValueError(f"{len(missing)} parameters are missing, among them {min(missing)}")
    # Only now, so that a model is either loaded whole or left as it was.
    set_parameters(state, values)
    nnx.update(model, state)
