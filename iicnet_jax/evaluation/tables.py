"""Results as Markdown tables."""

import math
from collections.abc import Iterable, Mapping, Sequence

from iicnet_jax.evaluation.metrics import MEASURES

COLUMNS = MEASURES
TITLES = ("PSNR", "SSIM", "PSNR grey", "SSIM grey", "PSNR Y", "SSIM Y")


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table that is also readable as plain text: columns are aligned."""
    table = [list(header), *map(list, rows)]
    widths = [max(len(row[i]) for row in table) for i in range(len(header))]

    def line(cells):
        padded = [cells[0].ljust(widths[0])]
        padded += [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return "| " + " | ".join(padded) + " |"

    rule = "|" + "|".join(
        "-" * (width + 1) + ("-" if i == 0 else ":") for i, width in enumerate(widths)
    )
    return "\n".join([line(table[0]), rule + "|", *map(line, table[1:])])


def long_table(networks: Mapping[str, Mapping]) -> str:
    """Every mean: one row for each network, embedding variant, and compared image."""
    rows = []
    for name, variants in networks.items():
        for variant, measures in variants.items():
            parts = {
                "embedding": measures["embedding"],
                "restored, all": measures["restored"],
            }
            if "restored_without_reference" in measures:
                parts["restored, no reference"] = measures["restored_without_reference"]
            parts |= {f"restored, image {i}": m for i, m in enumerate(measures["frames"])}
            for part, values in parts.items():
                cells = [number(column, values[column]) for column in COLUMNS]
                rows.append([f"{name}, {variant}: {part}", *cells])
    return markdown(["mean over samples", *TITLES], rows)


def short_table(title: str, results: Iterable[tuple[str, Mapping]]) -> str:
    """Colour PSNR and SSIM with the rounded embedding, one row a named result."""
    rows = []
    for name, measures in results:
        parts = [measures["rounded"][part] for part in ("embedding", "restored")]
        rows.append([name, *(number(m, part[m]) for part in parts for m in ("psnr", "ssim"))])
    return markdown([title, "embedding PSNR", "SSIM", "restored PSNR", "SSIM"], rows)


def carrier_table(networks: Mapping[str, Mapping], carriers: Sequence[str]) -> str:
    """Colour PSNR after files that lose something: a column for each, beside the exact one."""
    rows = []
    for name, variants in networks.items():
        for title, part in (
            ("embedding", "embedding"),
            ("restored, all", "restored"),
            ("restored, no reference", "restored_without_reference"),
        ):
            columns = [variants[variant] for variant in ("rounded", *carriers)]
            if part in columns[0]:
                rows.append([f"{name}: {title}", *(_psnr(column[part]) for column in columns)])
    # The same for every network: there is none in it.
    for title, part in (
        ("the reference alone, all", "restored"),
        ("the reference alone, no reference", "restored_without_reference"),
    ):
        columns = [variants[carrier]["without_network"] for carrier in carriers]
        if part in columns[0]:
            rows.append([title, "", *(_psnr(column[part]) for column in columns)])
    return markdown(["PSNR after a file", "8 bits", *carriers], rows)


def _psnr(measures: Mapping) -> str:
    return number("psnr", measures["psnr"])


def number(column: str, value: float) -> str:
    """dB with two decimals, SSIM with four; undefined is what did not come back."""
    if math.isnan(value):
        return "lost" if column.startswith("psnr") else "-"
    return f"{value:.2f}" if column.startswith("psnr") else f"{value:.4f}"
