"""A stereo pair in a left view of half the size, on a small network.

Command:  python -m iicnet_jax.main --config=configs/bundled/stereo.py \
              --workdir=runs/bundled/stereo
Data:     flickr1024 as `python -m experiments.photographs` writes it, see docs/results.md
Ours:     embedding 20.21 dB, restored 19.85 dB (1 validation pair; CPU, 2026-11-25): too little
          training to be of use, so that it does not come with the package
"""

from configs import stereo
from configs.bundled.reduced import reduce


def get_config():
    return reduce(stereo.get_config(), root="flickr1024")
