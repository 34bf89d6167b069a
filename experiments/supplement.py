"""The settings of the paper's experiments, as the supplement's tables give them."""

import importlib

from ml_collections import ConfigDict

# The supplement's Table 1, in its order; then its Tables 4, 5 and 3. Columns: file[:argument],
# id, number of images, batch size, relation module, down-scaling and split, blocks, lambda1,
# lambda2, lambda3, task.
TABLE = """
video_n5               st-01    5  2  yes  none          10  1  0.001  3    video
video_n5_no_relation   st-02    5  1  no   none          30  1  0.001  3    video
video_n5_no_frequency  st-03    5  2  yes  none          10  1  0      3    video
video_n7               st-04    7  2  yes  none          10  1  0.001  3    video
video_n9               st-05    9  2  yes  none          10  1  0.001  3    video
video_n3_down          st-06    3  2  yes  haar/prop     10  1  0.001  0.4  video
video_n5_down          st-07    5  2  yes  squeeze/ref   10  1  0.001  0.4  video
stereo                 mono-01  2  2  yes  none          16  1  0.001  3    stereo
stereo_no_relation     mono-02  2  1  no   none          24  1  0.001  3    stereo
stereo_no_frequency    mono-03  2  2  yes  none          16  1  0      3    stereo
dual_x2                dual-01  2  2  yes  none          10  1  0.001  3    dual_view
dual_x4                dual-02  2  2  yes  none          10  1  0.001  3    dual_view
dual_x8                dual-03  2  2  yes  none          10  1  0.001  3    dual_view
composition            adobe-01 3  1  yes  none          10  1  0.001  3    composition
background             real-01  2  1  yes  none          10  1  0.001  3    background
hide_n2                hide-01  2  2  yes  none          10  1  0.001  3    hiding
hide_n3                hide-02  3  2  yes  none          10  1  0.001  3    hiding
hide_n4                hide-03  4  2  yes  none          10  1  0.001  3    hiding
hide_n5                hide-04  5  2  yes  none          10  1  0.001  3    hiding
hide_n5_no_relation    hide-05  5  1  no   none          30  1  0.001  3    hiding
hide_n5_no_frequency   hide-06  5  2  yes  none          10  1  0      3    hiding
video_n11              Table-4  11 1  yes  none          10  1  0.001  3    video
video_n13              Table-4  13 1  yes  none          10  1  0.001  3    video
video_n15              Table-4  15 1  yes  none          10  1  0.001  3    video
video_n3_down:pr       Table-5  3  2  yes  squeeze/ref   10  1  0.001  0.4  video
video_n3_down:pp       Table-5  3  2  yes  squeeze/prop  10  1  0.001  0.4  video
video_n3_down:hr       Table-5  3  2  yes  haar/ref      10  1  0.001  0.4  video
video_n3_down:hp       Table-5  3  2  yes  haar/prop     10  1  0.001  0.4  video
grayscale              Table-3  1  2  yes  none          16  1  0.001  3    grayscale
rescale_x2             Table-3  1  2  yes  squeeze/prop  16  1  0.001  3    rescaling
"""
# In the same table: the input's resolution, where it is not 144, and the zoom ("Remark").
CROPS = {"composition": 256, "background": 256}
SCALES = {"dual_x2": 2, "dual_x4": 4, "dual_x8": 8}
# Other methods, and what stands in the docstrings of their files: number of images, batch size,
# task, steps.
BASELINES = {
    "irn_x2": (1, 16, "rescaling", 500_000),
    "invertible_grayscale": (1, 8, "grayscale", 120 * 1719),
    "video_snapshot": (9, 2, "video", 50_000),
    "win_naive": (2, 2, "hiding", 50_000),
    "win": (2, 2, "hiding", 50_000),
}
ROWS = [line.split() for line in TABLE.strip().splitlines()]
STEPS = 50_000


def settings(row: list[str]) -> dict[str, object]:
    """The fields of a configuration that the supplement gives for a row of ROWS."""
    name, _, images, batch, relation, down, blocks, *lambdas, task = row
    downscaling, _, split = down.partition("/")
    fields = {
        "model.num_images": int(images),
        "model.embedding_channels": 1 if name == "grayscale" else 3,
        "model.relation": relation == "yes",
        "model.relation_features": 64,
        "model.downscaling": downscaling,
        "model.num_blocks": int(blocks),
        "loss.embedding": float(lambdas[0]),
        "loss.frequency": float(lambdas[1]),
        "loss.restoration": float(lambdas[2]),
        "optimizer.learning_rate": 2e-4,
        "optimizer.schedule": "supplement",
        "optimizer.warmup_steps": 0,
        "optimizer.clip_norm": 10.0,
        "optimizer.weight_decay": 1e-5,
        "quantisation": "noise",
        "data.batch_size": int(batch),
        "data.crop": CROPS.get(name, 144),
        "data.frame_stride": 1,
        "data.training_frame_stride": 5,
        "data.flip_rotate": False,
        "data.task": task,
    }
    if split:
        fields["model.split"] = split
    if name in SCALES:
        fields["data.scale"] = SCALES[name]
    return fields


def load(name: str) -> ConfigDict:
    """The configuration of a row, from its file[:argument]."""
    module, *argument = name.split(":")
    return importlib.import_module(f"configs.{module}").get_config(*argument)
