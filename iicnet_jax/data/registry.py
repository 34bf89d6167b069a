"""The regimes by the name that a configuration gives."""

from iicnet_jax.data.dual_view import DualView
from iicnet_jax.data.grayscale import Grayscale
from iicnet_jax.data.hiding import Hiding
from iicnet_jax.data.photographs import Photographs
from iicnet_jax.data.regime import Regime
from iicnet_jax.data.rescaling import Rescaling
from iicnet_jax.data.stereo import Stereo
from iicnet_jax.data.video import Video
from iicnet_jax.errors import UserError

REGIMES = {
    "dual_view": DualView,
    "grayscale": Grayscale,
    "hiding": Hiding,
    "photographs": Photographs,
    "rescaling": Rescaling,
    "stereo": Stereo,
    "video": Video,
}


def create_regime(data, model) -> Regime:
    """The regime that `config.data` names, for the network of `config.model`.

    Raises:
      UserError: the name is unknown or a field does not fit the regime.
    """
    if data.regime not in REGIMES:
        raise UserError(
            f"config.data.regime is {data.regime!r}, which is unknown; known: {', '.join(REGIMES)}"
        )
    return REGIMES[data.regime].from_config(data, model)
