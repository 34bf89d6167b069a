"""Reversible image conversion with invertible networks (IICNet) in JAX.

    codec = iicnet_jax.load("hiding")                  # a bundled model, a model folder, a workdir
    embedding = codec.embed(["a.jpg", "b.jpg"])        # files, PIL images or arrays
    cover, hidden = codec.restore(embedding)           # uint8 (2, h, w, 3)
    codec.write("holiday.png", ["a.jpg", "b.jpg"])     # with a record of what is in it
    cover, hidden = codec.read("holiday.png")          # verified against the record

The names below are public: `load` and the `Codec` that it returns, the `Record` of an embedding
file, and `UserError`, which every mistake in arguments or files raises. The rest may change.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iicnet_jax.core.errors import UserError
    from iicnet_jax.inference.codec import Codec, load
    from iicnet_jax.media.embedding_file import Record

__version__ = "0.1.0"
__all__ = ["Codec", "Record", "UserError", "load"]

_MODULES = {
    "Codec": "inference.codec",
    "Record": "media.embedding_file",
    "UserError": "core.errors",
    "load": "inference.codec",
}


def __getattr__(name: str):
    """Imports a public name when it is used, so that `import iicnet_jax` is instant."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
