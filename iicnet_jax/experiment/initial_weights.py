"""The weights that a run starts from, where `config.init_from` names some: for fine-tuning."""

import logging

from flax import nnx
from ml_collections import ConfigDict

from iicnet_jax import bundled
from iicnet_jax.core.errors import UserError
from iicnet_jax.experiment import build, configuration, export
from iicnet_jax.training.checkpoints import holds_checkpoints
from iicnet_jax.weights.growing import grow
from iicnet_jax.weights.model_dir import WEIGHTS, all_arguments, load_config, read_model

log = logging.getLogger(__name__)

SIZES = ("growth", "num_blocks")  # of an IICNet that may start from a smaller one


def load(config: ConfigDict) -> nnx.State:
    """The parameters that `config.init_from` names, for the network of the configuration.

    It names a model directory, the workdir of a run (its model, or else its newest checkpoint), or
    a bundled model. Those of an IICNet with fewer blocks or a smaller growth are made larger, so
    that the network computes the same.

    Raises:
      UserError: there are none, they are damaged, or of another network than `config.model`.
    """
    try:
        folder = bundled.find(config.init_from)
        if (folder / WEIGHTS).exists() or not holds_checkpoints(folder):
            source = load_config(folder)
            params = nnx.state(read_model(folder).network, nnx.Param)
        else:
            run, state = export.read_run(folder, "latest")
            source, params = run.to_dict(), state.weights
    except UserError as error:
        raise UserError(f"config.init_from: {error}") from error
    model = all_arguments(source["model"], source["method"])
    grows = config.method == source["method"] == "iicnet" and _is_smaller(model, config.model)
    sizes = {name: config.model[name] for name in SIZES} if grows else {}
    _require_same_network(config, source | {"model": model | sizes})
    log.info("initial weights: %s", folder)
    if grows:
        log.info("of a smaller network: %s", {name: model[name] for name in SIZES})
        smaller, params = params, nnx.state(build.create_model(config), nnx.Param)
        grow(smaller, model["growth"], params, config.model.growth)
    return params


def _is_smaller(model, than) -> bool:
    return all(model[n] <= than[n] for n in SIZES) and any(model[n] < than[n] for n in SIZES)


def _require_same_network(config, source) -> None:
    """Raises UserError, listing the differences, unless both describe one network.

    Not only where shapes differ: Haar and squeeze down-scaling, for one, have the same.
    """
    fields = config.to_dict()
    ours, theirs = (
        {"method": of["method"], "model": all_arguments(of["model"], of["method"])}
        for of in (fields, source)
    )
    different = configuration.differences(ours, theirs)
    if not different:
        return
    values = {
        name: value for name, value in theirs["model"].items() if ours["model"].get(name) != value
    }
    listed = "\n  ".join(different)
    if ours["method"] != theirs["method"]:
        remedy = f"Take a configuration of the method {theirs['method']}, or other weights"
    elif values.keys() <= fields["model"].keys():
        flags = " ".join(f"--config.model.{name}={value}" for name, value in values.items())
        remedy = f"To start from these weights, train that network: {flags}"
    else:
        remedy = "Networks with these arguments can be used, but not trained: take other weights"
    raise UserError(
        f"config.init_from={config.init_from} is another network than config.model makes:\n"
        f"  {listed}\n{remedy}."
    )
