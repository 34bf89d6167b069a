"""An image codec's bytes in the lowest bits of the reference: a baseline without a network.

For every task of the bundled networks: low_bits.py:TASK with hiding, grayscale, rescaling, stereo
or video. Nothing is learnt, so that evaluation follows at once.

Command:  python -m iicnet_jax.main --config=configs/low_bits.py:hiding \\
              --config.data.root=flicker --workdir=runs/low_bits_hiding
Data:     that of `hide_n2`, `grayscale`, `rescale_x2`, `stereo` or `video_n5`
Paper:    not in it
Ours:     docs/results.md
"""

from configs import base, grayscale, hide_n2, rescale_x2, stereo, video_n5

EXPERIMENTS = {
    "hiding": hide_n2,
    "grayscale": grayscale,
    "rescaling": rescale_x2,
    "stereo": stereo,
    "video": video_n5,
}


def get_config(task="hiding"):
    if task not in EXPERIMENTS:
        raise ValueError(f"unknown task {task!r}; known: {', '.join(EXPERIMENTS)}")
    experiment = EXPERIMENTS[task].get_config()
    config = base.get_config("low_bits")
    config.model.num_images = experiment.model.num_images
    config.model.embedding_channels = experiment.model.embedding_channels
    if task == "rescaling":
        config.model.downscaling = "bicubic"
    config.steps = 1  # none is taken
    config.data = experiment.data
    config.evaluation = experiment.evaluation
    return config
