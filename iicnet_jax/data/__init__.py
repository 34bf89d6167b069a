"""From image files to groups of images: one file a task's regime, and the Grain pipeline.

Images are HWC uint8 RGB on the host. Knows nothing of models or training.
"""

from iicnet_jax.data.task import Group, Regime
from iicnet_jax.data.tasks import REGIMES, create_regime

__all__ = ["REGIMES", "Group", "Regime", "create_regime"]
