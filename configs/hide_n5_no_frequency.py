"""Five unrelated photographs in one, without the frequency loss (hide-06).

Command:  python -m iicnet_jax.main --config=configs/hide_n5_no_frequency.py \
              --config.data.root=flicker --workdir=runs/hide_n5_no_frequency
Data:     Flicker 2W, groups of 5 photographs: 70% / 10% / 20%
Paper:    the supplement gives no number for it
Ours:     not yet run
"""

from configs import hide_n5


def get_config():
    config = hide_n5.get_config()
    config.loss.frequency = 0.0
    return config
