"""The colours of a photograph in a grey one: `grayscale`, which comes with the package.

Command:  python -m iicnet_jax.main --config=configs/bundled/grayscale.py \
              --workdir=runs/bundled/grayscale
          iicnet export-weights runs/bundled/grayscale -o iicnet_jax/bundled/models/grayscale
Data:     VOCdevkit as `python -m experiments.photographs` writes it, see docs/results.md
Ours:     embedding 42.32 dB / 0.9732, restored 39.74 dB / 0.9770 (8 test pictures; CPU, 2026-11-27)
"""

from configs import grayscale
from configs.bundled.compact import compact


def get_config():
    return compact(grayscale.get_config(), root="VOCdevkit", steps=30000, embedding=16.0)
