"""From an experiment of the paper to a network that a CPU core trains in minutes.

Embeddings of half the size, two coupling blocks, no relation module, one crop of 64x64 a step,
and a learning rate ten times that of the paper which falls to zero. Half the size, because a
network that sees a square of pixels as channels learns within thousands of steps where to put
what it hides; without down-scaling it takes many times more.
"""

from ml_collections import ConfigDict


def reduce(config: ConfigDict, *, root: str) -> ConfigDict:
    """The same task on a small network; `root` is a folder of `runs/photographs`."""
    config.steps = 2000
    config.memory = "none"  # small enough to keep everything
    config.model.update(num_blocks=2, relation=False, downscaling="squeeze")
    config.loss.restoration = 1.0
    config.optimizer.update(learning_rate=2e-3, schedule="cosine", warmup_steps=50)
    config.data.update(
        root=f"runs/photographs/{root}", crop=64, batch_size=1, flip_rotate=True, cache=True
    )
    config.run.update(validate_every=10_000, checkpoint_every=250)
    config.evaluation.update(limit=8, validation_limit=1)
    return config
