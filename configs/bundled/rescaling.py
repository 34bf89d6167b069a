"""A photograph in one of half its size: `rescaling`, which comes with the package.

Command:  python -m iicnet_jax.main --config=configs/bundled/rescaling.py \
              --workdir=runs/bundled/rescaling
          iicnet export-weights runs/bundled/rescaling -o iicnet_jax/bundled/models/rescaling
Data:     DIV2K as `python -m experiments.photographs` writes it, see docs/results.md
Ours:     embedding 46.47 dB / 0.9892, restored 42.82 dB / 0.9758 (8 test pictures; CPU, 2026-11-27)
"""

from configs import rescale_x2
from configs.bundled.compact import compact


def get_config():
    config = compact(rescale_x2.get_config(), root="DIV2K", steps=20000, embedding=14.0)
    config.model.full_size = False  # an embedding of half the size
    return config
