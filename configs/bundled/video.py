"""Five consecutive video frames in one: `video`, which comes with the package.

Command:  python -m iicnet_jax.main --config=configs/bundled/video.py \
              --config.loss.embedding=15 --workdir=runs/bundled/video_first
          python -m iicnet_jax.main --config=configs/bundled/video.py \
              --config.init_from=runs/bundled/video_first --config.steps=8000 \
              --config.optimizer.learning_rate=3e-4 --config.optimizer.warmup_steps=50 \
              --workdir=runs/bundled/video
          iicnet export-weights runs/bundled/video -o iicnet_jax/bundled/models/video
Data:     DAVIS-2017 as `python -m experiments.photographs` writes it, see docs/results.md
Ours:     embedding 41.44 dB / 0.9765, restored 40.17 dB / 0.9662 (8 test windows; CPU, 2026-11-27)
"""

from configs import video_n5
from configs.bundled.compact import compact


def get_config():
    # The first command's weight turned out too large: the embedding had 42 dB, what is restored 37.
    config = compact(video_n5.get_config(), root="DAVIS-2017", steps=34000, embedding=5.0)
    # At twice this rate the loss leapt up by orders of magnitude after 2,000 steps.
    config.optimizer.update(learning_rate=5e-4, warmup_steps=500)
    # One's own videos are embedded in blocks of consecutive frames.
    config.data.training_frame_stride = 1
    return config
