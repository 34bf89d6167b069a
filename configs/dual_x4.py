"""Dual view x4 (dual-02): a photograph and a four times zoomed view of its centre in one image.

Command:  python -m iicnet_jax.main --config=configs/dual_x4.py \
              --config.data.root=DIV2K --workdir=runs/dual_x4
Data:     DIV2K, high resolution and bicubic x4, 750 / 50 / 100 pairs
Paper:    the supplement gives no number for it
Ours:     not yet run
"""

from configs import base


def get_config():
    config = base.get_config()
    config.model.num_images = 2
    config.data.task = "dual_view"
    config.data.scale = 4
    return config
