"""Three unrelated photographs in one (hide-02).

Command:  python -m iicnet_jax.main --config=configs/hide_n3.py \
              --config.data.root=flicker --workdir=runs/hide_n3
Data:     Flicker 2W, groups of 3 photographs: 70% / 10% / 20%
Paper:    the supplement gives no number for it
Ours:     not yet run
"""

from configs import hide_n2


def get_config():
    config = hide_n2.get_config()
    config.model.num_images = 3
    return config
