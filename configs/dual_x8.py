"""Dual view x8, a photograph and an eight times zoomed view of its centre in one (dual-03).

Command:  python -m iicnet_jax.main --config=configs/dual_x8.py \
              --config.data.root=DIV2K --workdir=runs/dual_x8
Data:     DIV2K, high resolution and bicubic x8, 750 / 50 / 100 pairs
Paper:    the supplement gives no number for it
Ours:     not yet run
"""

from configs import dual_x4


def get_config():
    config = dual_x4.get_config()
    config.data.scale = 8
    return config
