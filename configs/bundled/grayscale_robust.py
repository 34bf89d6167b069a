"""Colours of a photograph in a grey one, surviving JPEG: `grayscale_robust` of the package.

Command:  python -m iicnet_jax.main --config=configs/bundled/grayscale_robust.py \
              --workdir=runs/bundled/grayscale_robust
          iicnet export-weights runs/bundled/grayscale_robust \
              -o iicnet_jax/bundled/models/grayscale_robust
Data:     VOCdevkit as `python -m experiments.photographs` writes it, see docs/results.md
Ours:     not yet run
"""

from configs import grayscale
from configs.bundled.compact import compact, survive_jpeg


def get_config():
    config = compact(grayscale.get_config(), root="VOCdevkit", steps=10000, embedding=10.0)
    return survive_jpeg(config)
