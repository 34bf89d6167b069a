"""Table 4 of the supplement: 11, 13 and 15 video frames in one."""

from experiments import runner
from experiments.definition import Row, Table, measures

# PSNR and SSIM of the embedding, and of the restored frames.
PUBLISHED = {
    11: ((37.097, 0.9345), (34.448, 0.9342)),
    13: ((36.874, 0.9307), (33.693, 0.9232)),
    15: ((36.665, 0.9257), (32.543, 0.9080)),
}

TABLE = Table(
    name="table4",
    title="Table 4: embedding ranges",
    rows=[
        Row(
            name=f"n{images}",
            title=f"{images} frames",
            config=f"video_n{images}",
            measures=measures(*numbers, source="supplement, Table 4"),
            protocol="frame stride 1",
        )
        for images, numbers in PUBLISHED.items()
    ],
)

if __name__ == "__main__":
    runner.main(TABLE)
