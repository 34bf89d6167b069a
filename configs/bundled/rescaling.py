"""A photograph in one of half the size: `rescaling`, which comes with the package.

Command:  python -m iicnet_jax.main --config=configs/bundled/rescaling.py \
              --workdir=runs/bundled/rescaling
          iicnet export-weights runs/bundled/rescaling -o iicnet_jax/bundled/models/rescaling
Data:     DIV2K as `python -m experiments.photographs` writes it, see docs/results.md
Ours:     not yet run
"""

from configs import rescale_x2
from configs.bundled.reduced import reduce


def get_config():
    return reduce(rescale_x2.get_config(), root="DIV2K", steps=1500)
