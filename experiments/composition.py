"""Composition and decomposition: the layers of a composed image in it."""

from experiments import runner
from experiments.definition import Row, Table, measures

PARTS = ("embedding", "restored", "restored_without_reference")

TABLE = Table(
    name="composition",
    title="Layers in the image that they make",
    rows=[
        Row(
            "adobe",
            "Adobe Matting: background and foreground",
            "composition",
            measures(parts=PARTS),
            protocol="images halved",
        ),
        Row(
            "real",
            "Real Matting: background",
            "background",
            measures(parts=PARTS),
            protocol="images halved",
        ),
    ],
    notes=["Restored without the reference: the layers alone."],
)

if __name__ == "__main__":
    runner.main(TABLE)
