"""The right view of a stereo pair in the left one: `stereo`, which comes with the package.

Command:  python -m iicnet_jax.main --config=configs/bundled/stereo.py \
              --workdir=runs/bundled/stereo
          iicnet export-weights runs/bundled/stereo -o iicnet_jax/bundled/models/stereo
Data:     flickr1024 as `python -m experiments.photographs` writes it, see docs/results.md
Ours:     embedding 37.78 dB / 0.9509, restored 41.56 dB / 0.9821 (8 test pairs; CPU, 2026-11-27)
"""

from configs import stereo
from configs.bundled.compact import compact, go_on


def get_config():
    config = compact(stereo.get_config(), root="flickr1024", steps=18000, embedding=1.8)
    return go_on(config, "stereo-2")
