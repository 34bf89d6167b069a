"""Converts weights from BGR to RGB images.

Every channel outside the dense blocks and the relation module belongs to one colour of one image
(or sub-image), and the three colours of an image are always neighbours. So one exchange, of the
first and the last of every three channels, turns a feature map of either order into the other.
Down-scaling and the channel squeeze commute with it; of convolutions it is enough to exchange the
rows and columns that belong to such channels.

This needs couplings that are split between images. Where a split falls between the colours of one
image (a grey embedding, unless "prop" is used) there is no such network for RGB images: the first
part of its couplings starts with the blue channel. Those networks keep their order, and
`IICNet(colour_order="bgr")` exchanges the colours of the images instead.
"""

import re
from collections.abc import Mapping

import numpy as np

from iicnet_jax.models.dense_block import GROWTH
from iicnet_jax.models.network import COLOURS

_MIXING = re.compile(r"1\.operations\.\d+\.weight")
# All five convolutions of a dense block have its input as their first channels.
_FROM_IMAGES = re.compile(r"(0\.\w+\.DB_heads|2\.operations)\..*\.conv(?P<number>[1-5])\.weight")
_TO_IMAGES = re.compile(r"(0\.\w+\.DB_tails|2\.operations)\..*\.conv5\.(weight|bias)")


def swap_colours(parameters: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The parameters of the same network with images in the other order of colours.

    Args:
      parameters: by official name, OIHW; all others than the convolutions' are kept.

    Raises:
      ValueError: a coupling is split within an image, or a shape is none of the network's.
    """
    swapped = {}
    for name, value in parameters.items():
        if _MIXING.fullmatch(name):
            value = _swap(_swap(value, 0), 1)
        if found := _FROM_IMAGES.fullmatch(name):
            value = _swap(value, 1, others=GROWTH * (int(found["number"]) - 1))
        if _TO_IMAGES.fullmatch(name):
            value = _swap(value, 0)
        swapped[name] = value
    return swapped


def _swap(values, axis, others=0):
    """Exchanges the first and last of every three indices of an axis, but for the last `others`."""
    length = values.shape[axis] - others if values.ndim > axis else -1
    if length < 0 or length % COLOURS:
        raise ValueError(f"an array of {values.shape} has no whole images of {COLOURS} colours")
    order = np.arange(values.shape[axis])
    order[:length] = order[:length].reshape(-1, COLOURS)[:, ::-1].reshape(-1)
    return np.take(values, order, axis)
