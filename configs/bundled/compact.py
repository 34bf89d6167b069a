"""From an experiment of the paper to a network that is quick to train and to use on a CPU.

Two levels of Haar wavelets before three narrow coupling blocks, which so see squares of 4x4 pixels
as channels, and their inverse after them; neither relation module nor 1x1 convolution. Two crops of
64x64 a step, and a learning rate five times that of the paper which falls to zero.
"""

from ml_collections import ConfigDict

CARRIERS = ("png", "jpeg95", "jpeg90", "jpeg80", "jpeg70", "jpeg50", "webp80", "avif60")


def compact(config: ConfigDict, *, root: str, steps: int, embedding: float) -> ConfigDict:
    """The same task on a compact network.

    Args:
      config: of the experiment.
      root: a folder of `runs/photographs`.
      steps: length of the run.
      embedding: weight of the embedding's squared distance; that of the restored images is 1.
    """
    config.steps = steps
    config.memory_saving = "none"  # small enough to keep everything
    config.model.update(
        num_blocks=3,
        growth=16,
        relation=False,
        downscaling="haar",
        full_size=True,
        levels=2,
        mixing=False,
    )
    # The frequency loss is one more weight of the embedding (docs/results.md).
    config.loss.update(embedding=embedding, frequency=0.0, restoration=1.0)
    config.optimizer.update(learning_rate=1e-3, schedule="cosine", warmup_steps=50)
    config.data.update(
        root=f"runs/photographs/{root}", crop=64, batch_size=2, flip_rotate=True, cache=True
    )
    config.run.update(validate_every=10_000, checkpoint_every=1_000)
    config.evaluation.update(limit=8, validation_limit=4)
    return config


def go_on(config: ConfigDict, model: str) -> ConfigDict:
    """The same from the weights of a bundled model, also one that has been replaced."""
    config.init_from = model
    config.optimizer.learning_rate = 5e-4
    return config


def go_on_wider(config: ConfigDict, model: str, learning_rate: float = 5e-4) -> ConfigDict:
    """The same with wider dense blocks, which keep what they embed between black and white."""
    config = go_on(config, model)
    config.model.growth = 32
    config.optimizer.update(learning_rate=learning_rate, warmup_steps=500)
    config.loss.overflow = 10.0
    return config


def survive_jpeg(config: ConfigDict) -> ConfigDict:
    """The same with a JPEG file of random quality between embedding and restoring.

    It is evaluated through files of several qualities and formats.
    """
    config.channel.update(form="jpeg", lowest_quality=50, highest_quality=95)
    # What `about.survives` of the model will say.
    config.evaluation.carriers = CARRIERS
    return config
