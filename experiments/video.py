"""Spatial-temporal video embedding: 5, 7 and 9 frames in one, with and without down-scaling."""

from experiments import runner, table2, table5
from experiments.definition import Row, Table, measures

STEP_1 = table2.IICNET[1]
CONFIGS = {
    "n5": ("5 frames", "video_n5"),
    "n7": ("7 frames", "video_n7"),
    "n9": ("9 frames", "video_n9"),
    "n5_down": ("5 frames, half the size", "video_n5_down"),
}

TABLE = Table(
    name="video",
    title="Video frames in one",
    rows=[
        *(
            Row(name, title, config, measures(), protocol="frame stride 1")
            for name, (title, config) in CONFIGS.items()
        ),
        Row(
            name="n9_grey",
            title="9 frames, in grey",
            config="video_n9",
            measures=measures(*STEP_1, source="supplement, Table 2", channels="_grey"),
            protocol="frame stride 1",
        ),
        Row(
            name="n3_down",
            title="3 frames, half the size",
            config="video_n3_down:hp",
            measures=measures(*table5.PUBLISHED["hp"][1:], source="supplement, Table 5"),
            protocol="frame stride 1",
        ),
    ],
)

if __name__ == "__main__":
    runner.main(TABLE)
