"""The right view of a stereo pair in the left one: `stereo`, which comes with the package.

Command:  python -m iicnet_jax.main --config=configs/bundled/stereo.py \
              --workdir=runs/bundled/stereo
          iicnet export-weights runs/bundled/stereo -o iicnet_jax/bundled/models/stereo
Data:     flickr1024 as `python -m experiments.photographs` writes it, see docs/results.md
Ours:     embedding 38.81 dB / 0.9601, restored 41.31 dB / 0.9772 (8 test pairs; CPU, 2026-11-27)
"""

from configs import stereo
from configs.bundled.compact import compact


def get_config():
    return compact(stereo.get_config(), root="flickr1024", steps=11000, embedding=3.0)
