"""Ablations: no relation module (with more blocks instead), no frequency loss."""

from experiments import runner
from experiments.definition import Row, Table, measures

TASKS = {"video_n5": "5 video frames", "stereo": "stereo pairs", "hide_n5": "5 photographs"}
VARIANTS = {"": "full", "_no_relation": "no relation module", "_no_frequency": "no frequency loss"}

TABLE = Table(
    name="ablations",
    title="Relation module and frequency loss",
    rows=[
        Row(
            name=f"{config}{suffix}",
            title=f"{task}, {variant}",
            config=f"{config}{suffix}",
            measures=measures(),
        )
        for config, task in TASKS.items()
        for suffix, variant in VARIANTS.items()
    ],
    notes=[
        "At full size there are more blocks and batches of one without the relation module, as in "
        "the supplement's Table 1."
    ],
)

if __name__ == "__main__":
    runner.main(TABLE)
