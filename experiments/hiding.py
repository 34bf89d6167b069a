"""Hiding one to four photographs in another.

The numbers that stand beside ours are another group's measurements of IICNet (WIN, arXiv
2508.02111), on another dataset, so that no difference is computed.
"""

from experiments import runner
from experiments.definition import Measure, Published, Row, Table, measures

SOURCE = "WIN, arXiv 2508.02111"
PROTOCOL = "DIV2K"
# By number of hidden images: PSNR and SSIM (where it is given) of the embedding, and of what is
# restored.
REMEASURED = {
    1: ((38.33, 0.9479), (46.90, 0.9945)),
    2: ((36.99, None), (41.43, None)),
    3: ((36.45, None), (38.36, None)),
    4: ((35.35, None), (36.77, None)),
}


def beside(numbers) -> list[Measure]:
    """The measures of a row, with the numbers of REMEASURED where there are any."""
    embedding, restored = (
        [value and Published(value, SOURCE, PROTOCOL) for value in pair] for pair in numbers
    )
    published = {"embedding": embedding, "restored_without_reference": restored}
    return [
        Measure(part, kind, values[index])
        for part, values in published.items()
        for index, kind in enumerate(("psnr", "ssim"))
    ] + measures(parts=["restored"])


TABLE = Table(
    name="hiding",
    title="Photographs hidden in another",
    rows=[
        Row(
            name=f"n{hidden + 1}",
            title=f"{hidden} hidden",
            config=f"hide_n{hidden + 1}",
            measures=beside(numbers),
            protocol="central squares of 576 pixels",
        )
        for hidden, numbers in REMEASURED.items()
    ],
    notes=["Restored without the reference: the hidden photographs alone."],
)

if __name__ == "__main__":
    runner.main(TABLE)
