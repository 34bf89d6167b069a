"""Video snapshot (Zhu et al. 2020): nine video frames in one (baseline of Table 2).

To compare `video_n9` with. The network is that of the authors' code (chuchienshu/Video-Snapshot at
373ebfd). The weights of its losses are not public, so it learns from IICNet's terms for embedding
and restored frames, with IICNet's quantisation noise and optimiser.

Command:  python -m iicnet_jax.main --config=configs/video_snapshot.py \\
              --config.data.root=DAVIS --workdir=runs/video_snapshot
Data:     DAVIS 2017 at 480p: 105 sequences train, 15 validate, 30 test
Paper:    in grey at frame stride 1 (Table 2): embedding 32.657 dB / 0.8652, restored
          35.877 dB / 0.9486; at steps 3 and 5 (--config.data.frame_stride): 31.452 / 0.8274 and
          34.828 / 0.9380; 30.978 / 0.8115 and 34.405 / 0.9334
Ours:     not yet run
"""

from configs import base


def get_config():
    config = base.get_config("video_snapshot")
    config.data.task = "video"
    return config
