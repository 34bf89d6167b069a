"""A photograph hidden in another, surviving JPEG: `hiding_robust` of the package.

Command:  python -m iicnet_jax.main --config=configs/bundled/hiding_robust.py \
              --workdir=runs/bundled/hiding_robust
          iicnet export-weights runs/bundled/hiding_robust \
              -o iicnet_jax/bundled/models/hiding_robust
Data:     flicker as `python -m experiments.photographs` writes it, see docs/results.md
Ours:     embedding 32.36 dB, hidden picture 33.21 dB; through JPEG 90 32.02, 80 30.55, 50
          26.59 dB (8 test samples; CPU, 2026-11-27)
"""

from configs import hide_n2
from configs.bundled.compact import compact, go_on, survive_jpeg


def get_config():
    config = compact(hide_n2.get_config(), root="flicker", steps=12000, embedding=5.0)
    return survive_jpeg(go_on(config, "hiding_robust-1"))
