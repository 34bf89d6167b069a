"""Quickstart"""

from configs import base


def get_config():
    config = base.get_config()
    config.steps = 40
    config.model.update(num_images=2, relation=False, num_blocks=2)
    config.optimizer.update(learning_rate=1e-3, schedule="cosine", warmup_steps=20)
    config.data.update(regime="photographs", crop=32, batch_size=2, pan=2)
    config.evaluation.untrained = True
    config.run.update(log_every=20, validate_every=20, checkpoint_every=10)
    return config
