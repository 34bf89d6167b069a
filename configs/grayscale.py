"""A colour photograph in a grey one (supplement, Table 3).

Command:  python -m iicnet_jax.main --config=configs/grayscale.py \
              --config.data.root=VOCdevkit --workdir=runs/grayscale
Data:     VOC2012: 13,758 images train, the rest validates and tests
Paper:    restored 39.81 dB / 0.9803 (Table 3)
Ours:     not yet run
"""

from configs import base


def get_config():
    config = base.get_config()
    config.model.num_images = 1
    config.model.embedding_channels = 1
    config.model.num_blocks = 16
    config.data.task = "grayscale"
    return config
