"""Two photographs hidden in a third: `hiding3`, which comes with the package.

Command:  python -m iicnet_jax.main --config=configs/bundled/hiding3.py \
              --workdir=runs/bundled/hiding3
          iicnet export-weights runs/bundled/hiding3 -o iicnet_jax/bundled/models/hiding3
Data:     flicker as `python -m experiments.photographs` writes it, see docs/results.md
Ours:     embedding 38.08 dB / 0.8935, restored 40.37 dB / 0.9537 (8 test groups; CPU, 2026-11-27)
"""

from configs import hide_n3
from configs.bundled.compact import compact, go_on_wider


def get_config():
    config = compact(hide_n3.get_config(), root="flicker", steps=5000, embedding=3.0)
    return go_on_wider(config, "hiding3-1", learning_rate=2e-4)
