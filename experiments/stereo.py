"""Mononizing binocular images: the right view in the left one."""

from experiments import runner
from experiments.definition import Row, Table, measures

PARTS = ("embedding", "restored", "restored_without_reference")

TABLE = Table(
    name="stereo",
    title="Stereo pairs in their left view",
    rows=[Row("stereo", "Flickr1024", "stereo", measures(parts=PARTS))],
    notes=["Restored without the reference: the right view alone."],
)

if __name__ == "__main__":
    runner.main(TABLE)
