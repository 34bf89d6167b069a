"""Nine video frames in one (st-05).

Command:  python -m iicnet_jax.main --config=configs/video_n9.py \
              --config.data.root=DAVIS --workdir=runs/video_n9
Data:     DAVIS 2017 at 480p: 105 sequences train, 15 validate, 30 test
Paper:    in grey at frame stride 1 (Table 2): embedding 41.554 dB / 0.9754, restored
          38.196 dB / 0.9606; at steps 3 and 5 (--config.data.frame_stride): 40.764 / 0.9689 and
          37.872 / 0.9583; 40.428 / 0.9662 and 37.667 / 0.9570
Ours:     not yet run
"""

from configs import video_n5


def get_config():
    config = video_n5.get_config()
    config.model.num_images = 9
    return config
