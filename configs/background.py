"""A video frame and its background in one (real-01).

Command:  python -m iicnet_jax.main --config=configs/background.py \
              --config.data.root=Real-Matting --workdir=runs/background
Data:     Real Matting, 57 videos: those with background 12 validate, with 1, 3 and 10 test, the
          others train
Paper:    the supplement gives no number for it
Ours:     not yet run
"""

from configs import base


def get_config():
    config = base.get_config()
    config.model.num_images = 2
    config.data.task = "background"
    config.data.crop = 256
    config.data.batch_size = 1
    return config
