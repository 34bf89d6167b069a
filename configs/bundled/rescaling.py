"""A photograph in one of half its size: `rescaling`, which comes with the package.

Command:  python -m iicnet_jax.main --config=configs/bundled/rescaling.py \
              --workdir=runs/bundled/rescaling
          iicnet export-weights runs/bundled/rescaling -o iicnet_jax/bundled/models/rescaling
Data:     DIV2K as `python -m experiments.photographs` writes it, see docs/results.md
Ours:     embedding 46.89 dB / 0.9902, restored 42.80 dB / 0.9763 (8 test pictures; CPU, 2026-11-27)
"""

from configs import rescale_x2
from configs.bundled.compact import compact, go_on


def get_config():
    config = compact(rescale_x2.get_config(), root="DIV2K", steps=12000, embedding=14.0)
    config.model.full_size = False  # an embedding of half the size
    return go_on(config, "rescaling-2")
