"""Methods of one's own: a network and a loss under a name that configurations can give."""

import inspect

from iicnet_jax.experiment import build, configuration
from iicnet_jax.models import NETWORKS, Network
from iicnet_jax.training.losses import Loss

_added: set[str] = set()


def add_method(name: str, network: type[Network], loss: type[Loss]) -> None:
    """Lets `config.method` be `name`; `configs.base.get_config(name)` then has its fields.

    Those of `config.model` are the network's arguments, those of `config.loss` the loss's, with
    their defaults. What reads a model of this method must have called this before.

    Raises:
      ValueError: the name is that of a method of the package, or an argument has no default, or no
        annotation that says whether it is a bool, int, float or str.
    """
    base = configuration.from_repository("configs.base")
    if name in base.MODELS and name not in _added:
        raise ValueError(f"there is a method {name!r} already: choose another name")
    fields = _fields(network), _fields(loss)
    base.MODELS[name], base.LOSSES[name] = fields
    NETWORKS[name] = network
    build.LOSSES[name] = loss
    _added.add(name)


def _fields(made: type) -> dict:
    """The arguments with which a class is made, and their defaults."""
    fields = {}
    for argument in list(inspect.signature(made.__init__).parameters.values())[1:]:  # type: ignore
        if argument.name == "rngs":
            continue
        if argument.default is argument.empty or argument.annotation not in (bool, int, float, str):
            raise ValueError(
                f"the argument {argument.name} of {made.__name__} needs a default and one of the "
                "annotations bool, int, float, str, because it is a field of the configuration"
            )
        fields[argument.name] = argument.default
    return fields
