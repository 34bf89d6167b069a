"""Dual view x2, a photograph and a two times zoomed view of its centre in one (dual-01).

Command:  python -m iicnet_jax.main --config=configs/dual_x2.py \
              --config.data.root=DIV2K --workdir=runs/dual_x2
Data:     DIV2K, high resolution and bicubic x2, 750 / 50 / 100 pairs
Paper:    the supplement gives no number for it
Ours:     not yet run
"""

from configs import dual_x4


def get_config():
    config = dual_x4.get_config()
    config.data.scale = 2
    return config
