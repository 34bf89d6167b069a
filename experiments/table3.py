"""Table 3 of the supplement: a photograph in a grey one, and in one of half the size.

The supplement does not say on which channels it measures. Its rescaling baseline is the number
that the authors of IRN give for the Y channel; the authors of IICNet compute theirs on RGB.
"""

from experiments import runner
from experiments.definition import Row, Table, measures

SOURCE = "supplement, Table 3"
QUOTED = "channels not stated"

TABLE = Table(
    name="table3",
    title="Table 3: one image in one",
    rows=[
        Row(
            name="grayscale_xia",
            title="Grayscale, Xia et al.",
            config="invertible_grayscale",
            measures=measures(restored=(36.02, 0.9681), source=SOURCE),
        ),
        Row(
            name="grayscale_iicnet",
            title="Grayscale, IICNet",
            config="grayscale",
            measures=measures(restored=(39.81, 0.9803), source=SOURCE),
        ),
        Row(
            name="rescaling_irn",
            title="Rescaling, IRN",
            config="irn_x2",
            measures=[
                *measures(
                    restored=(44.32, 0.9908),
                    source=f"{SOURCE}, from IRN (Xiao et al. 2020)",
                    channels="_y",
                ),
                *measures(
                    restored=(40.87, 0.9832),
                    source="as later work gives it for RGB; not checked against a paper",
                ),
            ],
            fields={"evaluation.y_border": 2},
            protocol="y_border 2",
        ),
        Row(
            name="rescaling_iicnet",
            title="Rescaling, IICNet",
            config="rescale_x2",
            measures=[
                *measures(restored=None, channels="_y"),
                *measures(restored=(41.77, 0.9867), source=SOURCE, protocol=QUOTED),
            ],
            fields={"evaluation.y_border": 2},
            protocol="y_border 2",
        ),
    ],
)

if __name__ == "__main__":
    runner.main(TABLE)
