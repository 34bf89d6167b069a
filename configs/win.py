"""WIN (Huang and Huang 2025) on the data of an experiment of IICNet (not in the paper).

The argument names a file of this folder: its data, number of images, and size and colour of the
embedding. The authors do not publish their configurations. Known are Adam (0.9, 0.999) with weight
decay 1e-4, clipping at 10, straight-through rounding, and the distances of the embedding:
Charbonnier for hiding, squared for rescaling and grey. Ours are the weights of the losses (equal;
with squared distances 4 to 1, as in IRN), the sizes of the network (a splitting ratio of 0.75 and
9 coupling blocks), learning rate and batch.

Command:  python -m iicnet_jax.main --config=configs/win.py:hide_n2 \\
              --config.data.root=flicker --workdir=runs/win_hide_n2
Data:     of the experiment that is named
Paper:    arXiv 2508.02111 has other test images, and unrounded embeddings
Ours:     not yet run
"""

import importlib

from configs import base

EXPERIMENTS = (
    *("hide_n2", "hide_n3", "hide_n4", "hide_n5", "grayscale", "rescale_x2"),
    *("stereo", "video_n5", "video_n9"),
)


def get_config(experiment="hide_n2", method="win"):
    if experiment not in EXPERIMENTS:
        raise ValueError(f"unknown experiment {experiment!r}; known: {', '.join(EXPERIMENTS)}")
    beside = importlib.import_module(f"configs.{experiment}").get_config()
    config = base.get_config(method)
    config.data, config.evaluation = beside.data, beside.evaluation
    images = beside.model.num_images
    config.model.num_images = images
    config.model.embedding_channels = beside.model.embedding_channels
    config.model.full_size = beside.model.downscaling == "none"
    if method == "win":
        config.model.update(channels=12 * images, memory=4 * images)
    if images == 1:  # grey, and rescaling
        config.loss.update(embedding=4.0, shift=4.0, distance="squared")
    config.quantisation = "straight_through"
    config.optimizer.weight_decay = 1e-4
    return config
