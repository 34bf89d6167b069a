"""A photograph in one of half its size: `rescaling`, which comes with the package.

Command:  python -m iicnet_jax.main --config=configs/bundled/rescaling.py \
              --workdir=runs/bundled/rescaling
          iicnet export-weights runs/bundled/rescaling --half \
              -o iicnet_jax/bundled/models/rescaling
Data:     DIV2K as `python -m experiments.photographs` writes it, see docs/results.md
Ours:     embedding 47.14 dB / 0.9910, restored 43.02 dB / 0.9771 (8 test pictures; CPU, 2026-11-28)
"""

from configs import rescale_x2
from configs.bundled.compact import compact, go_on_wider


def get_config():
    config = compact(rescale_x2.get_config(), root="DIV2K", steps=16000, embedding=14.0)
    config.model.full_size = False  # an embedding of half the size
    return go_on_wider(config, "rescaling-3")
