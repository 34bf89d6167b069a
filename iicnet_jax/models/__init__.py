"""Networks: pure functions of arrays, ignorant of data, training and files.

Layout: images are NHWC float32 with values in [0, 1]; a group of N images is
(batch, N, height, width, 3), the reference image first. Inside the network the images of a
group are concatenated along the channels, (batch, height, width, 3 N), image major.
"""

from iicnet_jax.models.baselines import IRN, WIN, InvertibleGrayscale, VideoSnapshot, WINNaive
from iicnet_jax.models.iicnet import IICNet
from iicnet_jax.models.network import Network

# The network of every method, by the name that configurations and model directories give.
NETWORKS: dict[str, type[Network]] = {
    "iicnet": IICNet,
    "irn": IRN,
    "invertible_grayscale": InvertibleGrayscale,
    "video_snapshot": VideoSnapshot,
    "win_naive": WINNaive,
    "win": WIN,
}

__all__ = ["NETWORKS", "IICNet", "Network"]
