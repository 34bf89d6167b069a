"""Three photographs hidden in a fourth: `hiding4`, which comes with the package.

Command:  python -m iicnet_jax.main --config=configs/bundled/hiding4.py \
              --workdir=runs/bundled/hiding4
          iicnet export-weights runs/bundled/hiding4 -o iicnet_jax/bundled/models/hiding4
Data:     flicker as `python -m experiments.photographs` writes it, see docs/results.md
Ours:     embedding 37.27 dB / 0.8731, restored 38.19 dB / 0.9345 (8 test groups; CPU, 2026-11-27)
"""

from configs import hide_n4
from configs.bundled.compact import compact


def get_config():
    config = compact(hide_n4.get_config(), root="flicker", steps=18000, embedding=3.0)
    config.model.growth = 32
    config.optimizer.update(learning_rate=7e-4, warmup_steps=500)
    return config
