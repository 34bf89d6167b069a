"""Five unrelated photographs in one, without relation module but with more blocks (hide-05).

Command:  python -m iicnet_jax.main --config=configs/hide_n5_no_relation.py \
              --config.data.root=flicker --workdir=runs/hide_n5_no_relation
Data:     Flicker 2W, groups of 5 photographs: 70% / 10% / 20%
Paper:    the supplement gives no number for it
Ours:     not yet run
"""

from configs import hide_n5


def get_config():
    config = hide_n5.get_config()
    config.model.relation = False
    config.model.num_blocks = 30
    config.data.batch_size = 1
    return config
