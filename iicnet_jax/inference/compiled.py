"""A network compiled for single groups of images, on any of the local devices."""

import copy

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Float32, UInt8

PEAK = 255.0


def to_uint8(values: np.ndarray) -> np.ndarray:
    """Rounds and clips values on the scale of 0 to 255."""
    return np.clip(np.round(values), 0, PEAK).astype(np.uint8)


class CompiledNetwork:
    """A network and its parameters as two compiled functions of one group of images.

    Values are on the scale of 0 to 255. A new image size is compiled anew. The work is done on
    JAX's default device, which keeps a copy of the parameters; threads may have different ones.
    """

    def __init__(self, graph: nnx.GraphDef, params: nnx.State | None):
        self._params = params
        self._copies = {}  # of the parameters, by device
        self._embed = jax.jit(lambda params, x: nnx.merge(graph, params).embed(x))
        self._restore = jax.jit(
            lambda params, x, size, position: nnx.merge(graph, params).restore(x, size, position),
            static_argnums=2,
        )

    def with_params(self, params: nnx.State) -> "CompiledNetwork":
        """The same network with other parameters; what has been compiled is shared."""
        other = copy.copy(self)
        other._params, other._copies = params, {}
        return other

    def _local_params(self):
        default = jax.config.jax_default_device  # type: ignore[attr-defined]
        device = default or jax.local_devices()[0]
        if device not in self._copies:
            self._copies[device] = jax.device_put(self._params, device)
        return self._copies[device]

    def embed(self, frames: UInt8[np.ndarray, "n h w 3"]) -> Float32[np.ndarray, "h2 w2 k"]:
        """The embedding as the network computes it, neither rounded nor clipped."""
        batch = jnp.asarray(frames[None], jnp.float32) / PEAK
        return np.asarray(self._embed(self._local_params(), batch))[0] * np.float32(PEAK)

    def restore(
        self, embedding: np.ndarray, size: tuple[int, int], position: tuple[int, int] = (0, 0)
    ) -> UInt8[np.ndarray, "n h w 3"]:
        """The images of the given height and width, from an embedding, uint8 or float.

        `position` is that of a tile, see `Network.restore`.
        """
        batch = jnp.asarray(embedding[None], jnp.float32) / PEAK
        images = self._restore(self._local_params(), batch, size, position)
        return to_uint8(np.asarray(images)[0] * PEAK)
