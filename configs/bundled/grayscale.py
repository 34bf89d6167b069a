"""The colours of a photograph in a grey one: `grayscale`, which comes with the package.

Command:  python -m iicnet_jax.main --config=configs/bundled/grayscale.py \
              --workdir=runs/bundled/grayscale
          iicnet export-weights runs/bundled/grayscale -o iicnet_jax/bundled/models/grayscale
Data:     VOCdevkit as `python -m experiments.photographs` writes it, see docs/results.md
Ours:     embedding 37.23 dB / 0.9036, restored 39.56 dB / 0.9798 (8 test pictures; CPU, 2026-11-25)
"""

from configs import grayscale
from configs.bundled.compact import compact


def get_config():
    return compact(grayscale.get_config(), root="VOCdevkit", steps=20000, embedding=6.0)
