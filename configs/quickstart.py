"""Quickstart: three video frames in one image of half the size, learnt in minutes on a CPU.

The camera pans over photographs that come with scikit-image; the network has 2 blocks and no
relation module, and is evaluated on photographs it never saw.

Command:  make quickstart
Data:     scikit-image's photographs: 6 train, 1 validates, 2 test
Ours:     embedding 26.56 dB, restored 29.66 dB (untrained: 8.62 and 8.57 dB), from the 8-bit
          embedding; 4 min 11 s on 2 cores of an AMD EPYC CPU, 2026-11-23
"""

from configs import base


def get_config():
    config = base.get_config()
    config.steps = 450
    config.model.update(
        num_images=3, relation=False, downscaling="squeeze", split="ref", num_blocks=2
    )
    config.optimizer.update(learning_rate=2e-3, schedule="cosine", warmup_steps=20)
    config.data.update(regime="photographs", crop=48, batch_size=4, pan=2)
    config.evaluation.untrained = True
    config.run.update(log_every=25, validate_every=150, checkpoint_every=150)
    return config
