"""A photograph hidden in another: `hiding`, which comes with the package.

Command:  python -m iicnet_jax.main --config=configs/bundled/hiding.py \
              --workdir=runs/bundled/hiding
          iicnet export-weights runs/bundled/hiding --half \
              -o iicnet_jax/bundled/models/hiding
Data:     flicker as `python -m experiments.photographs` writes it, see docs/results.md
Ours:     embedding 40.71 dB / 0.9567, restored 45.25 dB / 0.9838 (8 test pairs; CPU, 2026-11-28)
"""

from configs import hide_n2
from configs.bundled.compact import compact, go_on_wider


def get_config():
    config = compact(hide_n2.get_config(), root="flicker", steps=16000, embedding=4.5)
    return go_on_wider(config, "hiding-3")
