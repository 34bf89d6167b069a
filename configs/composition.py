"""Composed image, background and foreground in one (adobe-01).

Command:  python -m iicnet_jax.main --config=configs/composition.py \
              --config.data.root=Adobe-Matting --workdir=runs/composition
Data:     Adobe Deep Matting: foregrounds with 100 backgrounds of COCO each train, the last ten
          of them validate; 50 foregrounds with 20 backgrounds of VOC2008 each test
Paper:    the supplement gives no number for it
Ours:     not yet run
"""

from configs import base


def get_config():
    config = base.get_config()
    config.model.num_images = 3
    config.data.task = "composition"
    config.data.crop = 256
    config.data.batch_size = 1
    return config
