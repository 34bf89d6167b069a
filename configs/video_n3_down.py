"""Three video frames in one of half the size, in four settings (st-06; supplement, Table 5).

Command:  python -m iicnet_jax.main --config=configs/video_n3_down.py:hp \
              --config.data.root=DAVIS --workdir=runs/video_n3_down_hp
Data:     DAVIS 2017 at 480p: 105 sequences train, 15 validate, 30 test
Paper:    embedding, restored (Table 5)
          pr  37.585 dB / 0.9584, 36.914 dB / 0.9540
          pp  37.554 dB / 0.9578, 37.079 dB / 0.9558
          hr  37.377 dB / 0.9568, 36.824 dB / 0.9541
          hp  37.486 dB / 0.9575, 36.972 dB / 0.9550
Ours:     not yet run
"""

from configs import video_n5

# Pixel squeezing or Haar wavelets, with the split `ref` or `prop`.
SETTINGS = {
    "pr": ("squeeze", "ref"),
    "pp": ("squeeze", "prop"),
    "hr": ("haar", "ref"),
    "hp": ("haar", "prop"),
}


def get_config(setting="hp"):
    if setting not in SETTINGS:
        raise ValueError(f"unknown setting {setting!r}; known: {', '.join(SETTINGS)}")
    config = video_n5.get_config()
    config.model.num_images = 3
    config.model.downscaling, config.model.split = SETTINGS[setting]
    config.loss.restoration = 0.4
    return config
