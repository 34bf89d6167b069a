"""A photograph in one of half its size, surviving JPEG: `rescaling_robust` of the package.

Command:  python -m iicnet_jax.main --config=configs/bundled/rescaling_robust.py \
              --workdir=runs/bundled/rescaling_robust
          iicnet export-weights runs/bundled/rescaling_robust \
              -o iicnet_jax/bundled/models/rescaling_robust
Data:     DIV2K as `python -m experiments.photographs` writes it, see docs/results.md
Ours:     embedding 30.33 dB, restored 39.93 dB; through JPEG 90 38.10, 80 37.36, 50
          35.53 dB (8 test samples; CPU, 2026-11-27)
"""

from configs import rescale_x2
from configs.bundled.compact import compact, go_on, survive_jpeg


def get_config():
    config = compact(rescale_x2.get_config(), root="DIV2K", steps=16000, embedding=2.0)
    config.model.full_size = False
    config.data.crop = 96  # the embedding's is 48x48, whole blocks of JPEG
    return survive_jpeg(go_on(config, "rescaling_robust-1"))
