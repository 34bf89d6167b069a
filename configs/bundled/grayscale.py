"""The colours of a photograph in a grey one: `grayscale`, which comes with the package.

Command:  python -m iicnet_jax.main --config=configs/bundled/grayscale.py \
              --workdir=runs/bundled/grayscale
          iicnet export-weights runs/bundled/grayscale -o iicnet_jax/bundled/models/grayscale
Data:     VOCdevkit as `python -m experiments.photographs` writes it, see docs/results.md
Ours:     not yet run
"""

from configs import grayscale
from configs.bundled.reduced import reduce


def get_config():
    return reduce(grayscale.get_config(), root="VOCdevkit", steps=3000)
