"""A photograph in one of half its size: `rescaling`, which comes with the package.

Command:  python -m iicnet_jax.main --config=configs/bundled/rescaling.py \
              --workdir=runs/bundled/rescaling
          iicnet export-weights runs/bundled/rescaling -o iicnet_jax/bundled/models/rescaling
Data:     DIV2K as `python -m experiments.photographs` writes it, see docs/results.md
Ours:     embedding 32.85 dB / 0.9311, restored 43.06 dB / 0.9816 (5 test pictures; CPU, 2026-11-25)
"""

from configs import rescale_x2
from configs.bundled.reduced import reduce


def get_config():
    config = reduce(rescale_x2.get_config(), root="DIV2K", steps=1500)
    # The half-size embedding and its weight as in the paper; easy enough for two blocks.
    config.model.update(num_blocks=2, growth=32, downscaling="squeeze", full_size=False)
    config.loss.restoration = 3.0
    config.optimizer.learning_rate = 2e-3
    return config
