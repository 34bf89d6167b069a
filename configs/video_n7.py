"""Seven video frames in one (st-04).

Command:  python -m iicnet_jax.main --config=configs/video_n7.py \
              --config.data.root=DAVIS --workdir=runs/video_n7
Data:     DAVIS 2017 at 480p: 105 sequences train, 15 validate, 30 test
Paper:    the supplement gives no number for it
Ours:     not yet run
"""

from configs import video_n5


def get_config():
    config = video_n5.get_config()
    config.model.num_images = 7
    return config
