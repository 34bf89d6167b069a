"""Five video frames in one of half the size (st-07).

Command:  python -m iicnet_jax.main --config=configs/video_n5_down.py \
              --config.data.root=DAVIS --workdir=runs/video_n5_down
Data:     DAVIS 2017 at 480p: 105 sequences train, 15 validate, 30 test
Paper:    the supplement gives no number for it
Ours:     not yet run
"""

from configs import video_n5


def get_config():
    config = video_n5.get_config()
    config.model.num_images = 5
    config.model.downscaling = "squeeze"
    config.model.split = "ref"
    config.loss.restoration = 0.4
    return config
