"""Two unrelated photographs in one of half the size, on a small network.

Command:  python -m iicnet_jax.main --config=configs/bundled/hiding.py \
              --workdir=runs/bundled/hiding
Data:     flicker as `python -m experiments.photographs` writes it, see docs/results.md
Ours:     embedding 21.47 dB / 0.8126, restored 19.65 dB / 0.7919 (8 test pairs; CPU, 2026-11-25):
          too little training to be of use, so that it does not come with the package
"""

from configs import hide_n2
from configs.bundled.reduced import reduce


def get_config():
    return reduce(hide_n2.get_config(), root="flicker")
