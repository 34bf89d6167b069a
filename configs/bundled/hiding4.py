"""Three photographs hidden in a fourth: `hiding4`, which comes with the package.

Command:  python -m iicnet_jax.main --config=configs/bundled/hiding4.py \
              --workdir=runs/bundled/hiding4
          iicnet export-weights runs/bundled/hiding4 --half \
              -o iicnet_jax/bundled/models/hiding4
Data:     flicker as `python -m experiments.photographs` writes it, see docs/results.md
Ours:     embedding 37.86 dB / 0.8905, restored 39.28 dB / 0.9455 (8 test groups; CPU, 2026-11-28)
"""

from configs import hide_n4
from configs.bundled.compact import compact, go_on_wider


def get_config():
    config = compact(hide_n4.get_config(), root="flicker", steps=12000, embedding=3.0)
    return go_on_wider(config, "hiding4-1", learning_rate=2e-4)
