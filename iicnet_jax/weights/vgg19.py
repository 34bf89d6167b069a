"""Loads the weights of VGG-19, for the perceptual loss of invertible grayscale."""

from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from iicnet_jax.core.errors import UserError
from iicnet_jax.models.vgg19 import VGG19
from iicnet_jax.weights.torch_file import read_torch_file

# Where the convolutions up to conv4_1 stand in torchvision's layout.
_LAYERS = (0, 2, 5, 7, 10, 12, 14, 16, 19)


def load_vgg19(path: Path) -> VGG19:
    """Reads kernels and biases named `features.0.weight`, `features.0.bias` and so on, OIHW.

    Args:
      path: a .safetensors file, or a state dict saved by PyTorch, which is read without executing
        anything in it.

    Raises:
      UserError: the file cannot be read, or holds other weights.
    """
    try:
        arrays = load_file(path) if path.suffix == ".safetensors" else read_torch_file(path)
    except (OSError, SafetensorError) as error:
        raise UserError(f"the weights of VGG-19 in {path} cannot be read: {error}") from error
    layers, channels = [], 3
    for number in _LAYERS:
        kernel = arrays.get(f"features.{number}.weight", np.empty(0))
        bias = arrays.get(f"features.{number}.bias", np.empty(0))
        if kernel.shape != (*bias.shape, channels, 3, 3) or not kernel.size:
            raise UserError(
                f"{path} does not hold VGG-19 as torchvision names it: features.{number}.weight "
                f"has the shape {kernel.shape} and its bias {bias.shape}, after {channels} channels"
            )
        (channels,) = bias.shape
        kernel = np.ascontiguousarray(kernel.transpose(2, 3, 1, 0), np.float32)
        layers.append((kernel, np.ascontiguousarray(bias, np.float32)))
    return VGG19(tuple(layers))
