"""WIN-Naive (Huang and Huang 2025) on the data of an experiment of IICNet (not in the paper).

As `configs/win.py`, which says what is known and what is ours, with 8 coupling blocks in a row.

Command:  python -m iicnet_jax.main --config=configs/win_naive.py:hide_n2 \\
              --config.data.root=flicker --workdir=runs/win_naive_hide_n2
Data:     of the experiment that is named
Paper:    arXiv 2508.02111 has other test images, and unrounded embeddings
Ours:     not yet run
"""

from configs import win


def get_config(experiment="hide_n2"):
    return win.get_config(experiment, "win_naive")
