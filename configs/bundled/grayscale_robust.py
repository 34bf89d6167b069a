"""Colours of a photograph in a grey one, surviving JPEG: `grayscale_robust` of the package.

Command:  python -m iicnet_jax.main --config=configs/bundled/grayscale_robust.py \
              --workdir=runs/bundled/grayscale_robust
          iicnet export-weights runs/bundled/grayscale_robust \
              -o iicnet_jax/bundled/models/grayscale_robust
Data:     VOCdevkit as `python -m experiments.photographs` writes it, see docs/results.md
Ours:     embedding 33.19 dB, restored 40.61 dB; through JPEG 90 39.31, 80 37.79, 50
          31.10 dB (8 test samples; CPU, 2026-11-28)
"""

from configs import grayscale
from configs.bundled.compact import compact, survive_jpeg


def get_config():
    config = compact(grayscale.get_config(), root="VOCdevkit", steps=10000, embedding=10.0)
    return survive_jpeg(config)
