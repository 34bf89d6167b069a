"""A task of one's own: groups of images in a folder (docs/data.md), here of three.

Command:  python -m iicnet_jax.main --config=configs/custom_folder.py \
              --config.data.root=FOLDER --workdir=runs/custom
Data:     FOLDER/<group>/<image>, three images a group; --config.model.num_images says how many,
          --config.data.pattern={group}_{image}.png takes groups from names in one folder,
          --config.data.reference=1 makes the second image the reference
Paper:    not in it
Ours:     not yet run
"""

from configs import base


def get_config():
    config = base.get_config()
    config.model.num_images = 3
    config.data.task = "custom_folder"
    return config
