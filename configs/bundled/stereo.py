"""The right view of a stereo pair in the left one: `stereo`, which comes with the package.

Command:  python -m iicnet_jax.main --config=configs/bundled/stereo.py \
              --workdir=runs/bundled/stereo
          iicnet export-weights runs/bundled/stereo --half \
              -o iicnet_jax/bundled/models/stereo
Data:     flickr1024 as `python -m experiments.photographs` writes it, see docs/results.md
Ours:     embedding 39.35 dB / 0.9662, restored 41.47 dB / 0.9798 (8 test pairs; CPU, 2026-11-28)
"""

from configs import stereo
from configs.bundled.compact import compact, go_on_wider


def get_config():
    config = compact(stereo.get_config(), root="flickr1024", steps=12000, embedding=4.0)
    return go_on_wider(config, "stereo-3")
