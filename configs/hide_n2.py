"""Two unrelated photographs in one (hide-01).

Command:  python -m iicnet_jax.main --config=configs/hide_n2.py \
              --config.data.root=flicker --workdir=runs/hide_n2
Data:     Flicker 2W, groups of 2 photographs: 70% / 10% / 20%
Paper:    the supplement gives no number for it
Ours:     not yet run
"""

from configs import base


def get_config():
    config = base.get_config()
    config.model.num_images = 2
    config.data.task = "hiding"
    return config
