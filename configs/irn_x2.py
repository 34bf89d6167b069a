"""IRN (Xiao et al. 2020): a photograph in one of half the size (baseline of Table 3).

To compare `rescale_x2` with. Settings of the authors' train_IRN_x2.yml
(pkuxmq/Invertible-Image-Rescaling at 0ebe8f9): 500,000 steps, the rate halved every 100,000, batch
16, flips and quarter turns.

Command:  python -m iicnet_jax.main --config=configs/irn_x2.py \\
              --config.data.root=DIV2K --workdir=runs/irn_x2
Data:     DIV2K, high resolution and bicubic x2, 800 images train, 100 validate and test
Paper:    restored 44.32 dB / 0.9908 (Table 3; on the Y channel)
Ours:     not yet run
"""

from configs import base


def get_config():
    config = base.get_config("irn")
    config.quantisation = "straight_through"
    config.optimizer.schedule = "published_code"
    config.data.update(task="rescaling", batch_size=16, flip_rotate=True)
    config.evaluation.y_border = 2  # the scale, as tables of rescaling methods leave out
    return config
