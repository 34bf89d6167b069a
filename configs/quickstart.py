"""Quickstart: three video frames in one image of half the size, learnt in minutes on a CPU.

The camera pans and zooms over photographs that come with scikit-image; the network is a compact one
(configs/bundled/compact.py), and is evaluated on photographs it never saw.

Command:  make quickstart
Data:     `iicnet data sample`, the miniature of DAVIS 2017: 10 sequences train, 2 validate, 3 test
Ours:     embedding 31.73 dB, restored 34.23 dB (untrained: 8.73 and 8.32 dB), from the 8-bit
          embedding; 1 min 37 s on 2 cores of an AMD EPYC CPU, with making the sample, 2026-11-27
"""

from configs import base


def get_config():
    config = base.get_config()
    config.steps = 1200
    config.memory_saving = "none"  # small enough to keep everything
    config.model.update(
        num_images=3,
        relation=False,
        downscaling="haar",
        split="prop",
        levels=2,
        mixing=False,
        num_blocks=3,
        growth=16,
    )
    config.loss.restoration = 1.0
    config.optimizer.update(learning_rate=1e-3, schedule="cosine", warmup_steps=50)
    config.data.update(task="video", root="runs/sample/DAVIS-2017", crop=64, batch_size=2)
    config.evaluation.untrained = True
    config.evaluation.limit = 12
    config.evaluation.validation_limit = 4
    config.run.update(log_every=50, validate_every=400, checkpoint_every=400)
    return config
