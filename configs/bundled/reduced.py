"""From an experiment of the paper to a network that a CPU core trains in minutes.

Four coupling blocks of half the paper's width, no relation module, one crop of 64x64 a step, and a
learning rate five times that of the paper which falls to zero. Haar wavelets before the blocks and
their inverse after them: a network that sees a square of pixels as channels learns within minutes
where to put what it hides; one that sees single pixels does not.
"""

from ml_collections import ConfigDict


def reduce(config: ConfigDict, *, root: str, steps: int) -> ConfigDict:
    """The same task on a small network; `root` is a folder of `runs/photographs`."""
    config.steps = steps
    config.memory_saving = "none"  # small enough to keep everything
    config.model.update(num_blocks=4, growth=16, relation=False, downscaling="haar", full_size=True)
    config.loss.restoration = 1.0
    config.optimizer.update(learning_rate=1e-3, schedule="cosine", warmup_steps=50)
    config.data.update(
        root=f"runs/photographs/{root}", crop=64, batch_size=1, flip_rotate=True, cache=True
    )
    config.run.update(validate_every=10_000, checkpoint_every=500)
    config.evaluation.update(limit=8, validation_limit=4)
    return config
