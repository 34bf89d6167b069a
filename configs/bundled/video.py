"""Five consecutive video frames in one: `video`, which comes with the package.

Command:  python -m iicnet_jax.main --config=configs/bundled/video.py \
              --workdir=runs/bundled/video
          iicnet export-weights runs/bundled/video --half \
              -o iicnet_jax/bundled/models/video
Data:     DAVIS-2017 as `python -m experiments.photographs` writes it, see docs/results.md
Ours:     embedding 41.68 dB / 0.9763, restored 41.27 dB / 0.9706 (8 test windows; CPU, 2026-11-28)
"""

from configs import video_n5
from configs.bundled.compact import compact, go_on_wider


def get_config():
    config = compact(video_n5.get_config(), root="DAVIS-2017", steps=18000, embedding=5.0)
    config = go_on_wider(config, "video-4", learning_rate=2e-4)
    # One's own videos are embedded in blocks of consecutive frames.
    config.data.training_frame_stride = 1
    return config
