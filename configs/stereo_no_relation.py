"""Stereo, without relation module but with more blocks (mono-02).

Command:  python -m iicnet_jax.main --config=configs/stereo_no_relation.py \
              --config.data.root=flickr1024 --workdir=runs/stereo_no_relation
Data:     Flickr1024: 800 / 112 / 112 pairs
Paper:    the supplement gives no number for it
Ours:     not yet run
"""

from configs import stereo


def get_config():
    config = stereo.get_config()
    config.model.relation = False
    config.model.num_blocks = 24
    config.data.batch_size = 1
    return config
