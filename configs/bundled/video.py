"""Five consecutive video frames in one: `video`, which comes with the package.

Command:  python -m iicnet_jax.main --config=configs/bundled/video.py \
              --workdir=runs/bundled/video
          iicnet export-weights runs/bundled/video -o iicnet_jax/bundled/models/video
Data:     DAVIS-2017 as `python -m experiments.photographs` writes it, see docs/results.md
Ours:     embedding 39.31 dB / 0.9705, restored 38.72 dB / 0.9668 (8 test windows; CPU, 2026-11-25)
"""

from configs import video_n5
from configs.bundled.reduced import reduce


def get_config():
    config = reduce(video_n5.get_config(), root="DAVIS-2017", steps=4000)
    # One's own videos are embedded in blocks of consecutive frames.
    config.data.training_frame_stride = 1
    return config
