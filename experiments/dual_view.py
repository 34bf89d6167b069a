"""Dual view: a view and a zoomed view of its centre, at three zooms."""

from experiments import runner
from experiments.definition import Row, Table, measures

PARTS = ("embedding", "restored", "restored_without_reference")

TABLE = Table(
    name="dual_view",
    title="Two zooms of a view in one image",
    rows=[
        Row(f"x{zoom}", f"zoom x{zoom}", f"dual_x{zoom}", measures(parts=PARTS))
        for zoom in (2, 4, 8)
    ],
    notes=["Restored without the reference: the zoomed view alone."],
)

if __name__ == "__main__":
    runner.main(TABLE)
