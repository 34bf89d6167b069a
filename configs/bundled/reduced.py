"""From an experiment of the paper to a network that a CPU core trains in minutes.

Two coupling blocks, no relation module, one crop of 48x48 a step (an embedding of 48x48, with
down-scaling 32x32), and a learning rate ten times that of the paper which falls to zero.
"""

from ml_collections import ConfigDict


def reduce(config: ConfigDict, *, root: str, steps: int) -> ConfigDict:
    """The same task on a small network; `root` is a folder of `runs/photographs`."""
    config.steps = steps
    config.model.update(num_blocks=2, relation=False)
    config.optimizer.update(learning_rate=2e-3, schedule="cosine", warmup_steps=50)
    crop = 48 if config.model.downscaling == "none" else 64
    config.data.update(
        root=f"runs/photographs/{root}", crop=crop, batch_size=1, flip_rotate=True, cache=True
    )
    config.run.update(validate_every=10_000, checkpoint_every=250)
    config.evaluation.update(limit=4, validation_limit=1)
    return config
