"""The methods that the paper compares IICNet with, behind the same contract (`Network`)."""

from iicnet_jax.models.baselines.invertible_grayscale import InvertibleGrayscale
from iicnet_jax.models.baselines.irn import IRN
from iicnet_jax.models.baselines.video_snapshot import VideoSnapshot

__all__ = ["IRN", "InvertibleGrayscale", "VideoSnapshot"]
