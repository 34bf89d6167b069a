"""Fifteen video frames in one (supplement, Table 4).

Command:  python -m iicnet_jax.main --config=configs/video_n15.py \
              --config.data.root=DAVIS --workdir=runs/video_n15
Data:     DAVIS 2017 at 480p: 105 sequences train, 15 validate, 30 test
Paper:    embedding 36.665 dB / 0.9257, restored 32.543 dB / 0.9080 (Table 4)
Ours:     not yet run
"""

from configs import video_n5


def get_config():
    config = video_n5.get_config()
    config.model.num_images = 15
    config.data.batch_size = 1
    return config
