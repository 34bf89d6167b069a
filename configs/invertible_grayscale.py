"""Invertible grayscale (Xia et al. 2018): colours in a grey image (baseline of Table 3).

To compare `grayscale` with. Settings of the authors' code (MenghanXia/InvertibleGrayscale at
5dc2a0f): 120 epochs, of which the last 30 are a second stage that draws the image to whole grey
levels; no clipping, no weight decay. There, images have 256x256 pixels and Adam starts afresh with
the second stage; here they are cropped as for IICNet, and Adam goes on. The term on features of
VGG-19 is left out unless --config.loss.vgg_file names its weights.

Command:  python -m iicnet_jax.main --config=configs/invertible_grayscale.py \\
              --config.data.root=VOCdevkit --workdir=runs/invertible_grayscale
Data:     VOC2012: 13,758 images train, the rest validates and tests
Paper:    restored 36.02 dB / 0.9681 (Table 3)
Ours:     not yet run
"""

from configs import base

EPOCHS = 120
IMAGES, BATCH = 13_758, 8


def get_config():
    config = base.get_config("invertible_grayscale")
    config.steps = EPOCHS * (IMAGES // BATCH)
    config.quantisation = "none"
    config.optimizer.update(schedule="polynomial", clip_norm=0.0, weight_decay=0.0)
    config.data.update(task="grayscale", batch_size=BATCH)
    return config
