"""Stereo, without the frequency loss (mono-03).

Command:  python -m iicnet_jax.main --config=configs/stereo_no_frequency.py \
              --config.data.root=flickr1024 --workdir=runs/stereo_no_frequency
Data:     Flickr1024: 800 / 112 / 112 pairs
Paper:    the supplement gives no number for it
Ours:     not yet run
"""

from configs import stereo


def get_config():
    config = stereo.get_config()
    config.loss.frequency = 0.0
    return config
