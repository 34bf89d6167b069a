"""Three video frames in one of half the size: `video`, which comes with the package.

Command:  python -m iicnet_jax.main --config=configs/bundled/video.py \
              --workdir=runs/bundled/video
          iicnet export-weights runs/bundled/video -o iicnet_jax/bundled/models/video
Data:     DAVIS-2017 as `python -m experiments.photographs` writes it, see docs/results.md
Ours:     embedding 36.26 dB / 0.9626, restored 32.00 dB / 0.9235 (8 test windows; CPU, 2026-11-25)
"""

from configs import video_n3_down
from configs.bundled.reduced import reduce


def get_config():
    config = reduce(video_n3_down.get_config("pr"), root="DAVIS-2017", steps=2000)
    config.model.update(num_blocks=2, growth=32, downscaling="squeeze", full_size=False)
    config.optimizer.learning_rate = 2e-3
    # One's own videos are embedded in blocks of consecutive frames.
    config.data.training_step = 1
    return config
