"""The right view of a stereo pair in the left one (mono-01).

Command:  python -m iicnet_jax.main --config=configs/stereo.py \
              --config.data.root=flickr1024 --workdir=runs/stereo
Data:     Flickr1024: 800 / 112 / 112 pairs
Paper:    the supplement gives no number for it
Ours:     not yet run
"""

from configs import base


def get_config():
    config = base.get_config()
    config.model.num_images = 2
    config.model.num_blocks = 16
    config.data.task = "stereo"
    return config
