"""The right view in the left one, surviving JPEG: `stereo_robust` of the package.

Command:  python -m iicnet_jax.main --config=configs/bundled/stereo_robust.py \
              --workdir=runs/bundled/stereo_robust
          iicnet export-weights runs/bundled/stereo_robust \
              -o iicnet_jax/bundled/models/stereo_robust
Data:     flickr1024 as `python -m experiments.photographs` writes it, see docs/results.md
Ours:     embedding 31.26 dB, right view 32.01 dB; through JPEG 90 31.24, 80 30.47, 50
          27.98 dB (8 test samples; CPU, 2026-11-27)
"""

from configs import stereo
from configs.bundled.compact import compact, go_on, survive_jpeg


def get_config():
    config = compact(stereo.get_config(), root="flickr1024", steps=12000, embedding=3.0)
    return survive_jpeg(go_on(config, "stereo_robust-1"))
