"""How the authors' PyTorch network names and lays out its parameters."""

import re
from collections.abc import Mapping

import numpy as np
from flax import nnx

_RELATION_PARTS = {
    "DB_heads": "heads",
    "conv_1x1_heads": "head_convs",
    "conv_merges": "merge_convs",
    "conv_1x1_tails": "tail_convs",
    "DB_tails": "tails",
}
_DIRECTIONS = {"forw_rel": "embed_network", "back_rel": "restore_network"}


def parameter_path(name: str) -> tuple[str | int, ...] | None:
    """Where the parameter of that official name is in our network, as a path of `nnx.State`.

    Returns None for constants that our network does not store as parameters (Haar kernels).

    Raises:
      ValueError: the name is not one of the authors' network.
    """
    stage, _, rest = name.partition(".")
    parts = rest.split(".")
    if stage == "0" and parts[0] in _DIRECTIONS and parts[1] in _RELATION_PARTS:
        direction, part, index, *leaf = parts
        where = ("relation", _DIRECTIONS[direction], _RELATION_PARTS[part], int(index))
        return (*where, *_convolution_path(leaf))
    if stage == "1" and re.fullmatch(r"operations\.\d+\.haar_weights", rest):
        return None
    if stage == "1" and re.fullmatch(r"operations\.\d+\.weight", rest):
        return ("down", "layers", 1, "weight")
    if stage == "2" and parts[0] == "operations" and parts[2] in "FGH":
        _, index, branch, *leaf = parts
        return ("blocks", "layers", int(index), branch, *_convolution_path(leaf))
    raise ValueError(f"{name!r} is no parameter of the authors' network")


def load_official(model: nnx.Module, parameters: Mapping[str, np.ndarray]) -> None:
    """Sets the parameters of `model` to the authors', given by official name, OIHW.

    Raises:
      ValueError: a name is unknown, a shape does not fit, or a parameter is missing.
    """
    state = nnx.state(model, nnx.Param)
    targets = dict(nnx.to_flat_state(state))
    for name, value in parameters.items():
        path = parameter_path(name)
        if path is None:
            continue
        if path not in targets:
            raise ValueError(f"{name!r} has no place in this network ({'.'.join(map(str, path))})")
        value = np.transpose(value, (2, 3, 1, 0)) if np.ndim(value) == 4 else np.asarray(value)
        target = targets.pop(path)
        if target.shape != value.shape:
            raise ValueError(f"{name!r} has the shape {value.shape}, not {target.shape}")
        target[...] = value
    if targets:
        missing = ", ".join(".".join(map(str, path)) for path in list(targets)[:3])
        raise ValueError(f"{len(targets)} parameters are missing, among them {missing}")
    nnx.update(model, state)


def _convolution_path(leaf):
    """`conv1.weight` of a dense block, or `weight` of a single convolution."""
    kind = {"weight": "kernel", "bias": "bias"}[leaf[-1]]
    if len(leaf) == 1:
        return (kind,)
    number = int(leaf[0].removeprefix("conv"))
    return ("last", kind) if number == 5 else ("growing", number - 1, kind)
