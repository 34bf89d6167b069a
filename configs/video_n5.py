"""Five video frames in one (st-01).

Command:  python -m iicnet_jax.main --config=configs/video_n5.py \
              --config.data.root=DAVIS --workdir=runs/video_n5
Data:     DAVIS 2017 at 480p: 105 sequences train, 15 validate, 30 test
Paper:    the supplement gives no number for it
Ours:     not yet run
"""

from configs import base


def get_config():
    config = base.get_config()
    config.model.num_images = 5
    config.data.task = "video"
    return config
