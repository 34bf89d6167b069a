"""A photograph in one of half the size (supplement, Table 3).

Command:  python -m iicnet_jax.main --config=configs/rescale_x2.py \
              --config.data.root=DIV2K --workdir=runs/rescale_x2
Data:     DIV2K, high resolution and bicubic x2, 800 images train, 100 validate and test
Paper:    restored 41.77 dB / 0.9867 (Table 3)
Ours:     not yet run
"""

from configs import base


def get_config():
    config = base.get_config()
    config.model.num_images = 1
    config.model.downscaling = "squeeze"
    config.model.split = "prop"
    config.model.num_blocks = 16
    config.data.task = "rescaling"
    config.evaluation.y_border = 2  # the scale, as tables of rescaling methods leave out
    return config
