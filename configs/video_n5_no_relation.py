"""Five video frames in one, without relation module but with more blocks (st-02).

Command:  python -m iicnet_jax.main --config=configs/video_n5_no_relation.py \
              --config.data.root=DAVIS --workdir=runs/video_n5_no_relation
Data:     DAVIS 2017 at 480p: 105 sequences train, 15 validate, 30 test
Paper:    the supplement gives no number for it
Ours:     not yet run
"""

from configs import video_n5


def get_config():
    config = video_n5.get_config()
    config.model.relation = False
    config.model.num_blocks = 30
    config.data.batch_size = 1
    return config
