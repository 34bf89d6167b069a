"""Table 5 of the supplement: kinds of down-scaling and of split, three video frames in one."""

from experiments import runner
from experiments.definition import Row, Table, measures

# PSNR and SSIM of the embedding, and of the restored frames.
PUBLISHED = {
    "pr": ("squeeze, ref", (37.585, 0.9584), (36.914, 0.9540)),
    "pp": ("squeeze, prop", (37.554, 0.9578), (37.079, 0.9558)),
    "hr": ("Haar, ref", (37.377, 0.9568), (36.824, 0.9541)),
    "hp": ("Haar, prop", (37.486, 0.9575), (36.972, 0.9550)),
}

TABLE = Table(
    name="table5",
    title="Table 5: down-scaling and split",
    rows=[
        Row(
            name=setting,
            title=f"{setting.upper()}: {title}",
            config=f"video_n3_down:{setting}",
            measures=measures(*numbers, source="supplement, Table 5"),
            protocol="frame stride 1",
        )
        for setting, (title, *numbers) in PUBLISHED.items()
    ],
    notes=["The supplement finds no significant difference between the settings."],
)

if __name__ == "__main__":
    runner.main(TABLE)
