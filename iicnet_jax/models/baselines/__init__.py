"""The methods that IICNet is compared with, behind the same contract (`Network`)."""

from iicnet_jax.models.baselines.invertible_grayscale import InvertibleGrayscale
from iicnet_jax.models.baselines.irn import IRN
from iicnet_jax.models.baselines.video_snapshot import VideoSnapshot
from iicnet_jax.models.baselines.win import WIN, WINNaive

__all__ = ["IRN", "WIN", "InvertibleGrayscale", "VideoSnapshot", "WINNaive"]
