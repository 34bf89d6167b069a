"""The colours of a photograph in a grey one: `grayscale`, which comes with the package.

Command:  python -m iicnet_jax.main --config=configs/bundled/grayscale.py \
              --workdir=runs/bundled/grayscale
          iicnet export-weights runs/bundled/grayscale --half \
              -o iicnet_jax/bundled/models/grayscale
Data:     VOCdevkit as `python -m experiments.photographs` writes it, see docs/results.md
Ours:     embedding 40.85 dB / 0.9620, restored 42.52 dB / 0.9803 (8 test pictures; CPU, 2026-11-28)
"""

from configs import grayscale
from configs.bundled.compact import compact, go_on_wider


def get_config():
    config = compact(grayscale.get_config(), root="VOCdevkit", steps=16000, embedding=6.0)
    return go_on_wider(config, "grayscale-3")
