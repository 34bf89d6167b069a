"""Table 1 of the supplement: every experiment, with its settings compared field by field.

The supplement gives no results for most of them; those that it gives stand in Tables 2 and 5.
"""

from experiments import runner, supplement
from experiments.definition import Row, Table, measures
from iicnet_jax.experiment import configuration

# The table ends where those of Tables 4, 5 and 3 begin.
ROWS = [row for row in supplement.ROWS if not row[1].startswith("Table")]


def check(row: list[str]) -> str:
    """Whether a row's configuration has the settings that the supplement gives."""
    fields = configuration.flatten(supplement.load(row[0]))
    different = [
        f"{name} is {fields[name]!r}, there {value!r}"
        for name, value in supplement.settings(row).items()
        if fields[name] != value
    ]
    return f"settings differ: {'; '.join(different)}" if different else "settings as published"


TABLE = Table(
    name="table1",
    title="Table 1: all experiments",
    rows=[
        Row(
            name=row[1],
            title=f"{row[1]} ({row[0]})",
            config=row[0],
            measures=measures(),
            protocol=check(row),
        )
        for row in ROWS
    ],
)

if __name__ == "__main__":
    runner.main(TABLE)
