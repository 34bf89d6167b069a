"""Table 2 of the supplement: nine video frames in one, in grey, at frame stride of 1, 3 and 5.

One network of each method is evaluated at all three; Zhu et al. is our own implementation of it.
"""

from experiments import runner
from experiments.definition import Row, Table, measures

# By frame stride: PSNR and SSIM of the embedding, and of the restored frames.
IICNET = {
    1: ((41.554, 0.9754), (38.196, 0.9606)),
    3: ((40.764, 0.9689), (37.872, 0.9583)),
    5: ((40.428, 0.9662), (37.667, 0.9570)),
}
ZHU = {
    1: ((32.657, 0.8652), (35.877, 0.9486)),
    3: ((31.452, 0.8274), (34.828, 0.9380)),
    5: ((30.978, 0.8115), (34.405, 0.9334)),
}
METHODS = {"iicnet": ("IICNet", "video_n9", IICNET), "zhu": ("Zhu et al.", "video_snapshot", ZHU)}

TABLE = Table(
    name="table2",
    title="Table 2: nine video frames in one, in grey",
    rows=[
        Row(
            name=f"{name}_step{step}",
            title=f"{title}, step {step}",
            config=config,
            measures=measures(*numbers, source="supplement, Table 2", channels="_grey"),
            fields={"data.frame_stride": step},
            protocol=f"frame stride {step}",
        )
        for name, (title, config, published) in METHODS.items()
        for step, numbers in published.items()
    ],
)

if __name__ == "__main__":
    runner.main(TABLE)
