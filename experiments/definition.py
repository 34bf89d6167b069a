"""What a table of results is: rows, what is measured, and the published numbers."""

import dataclasses
from collections.abc import Mapping, Sequence

# What the suffix of a measure's name stands for; iicnet_jax.evaluation.protocol says more.
CHANNELS = {"": "RGB", "_grey": "grey", "_y": "Y without y_border pixels at the edges"}


@dataclasses.dataclass(frozen=True)
class Published:
    """A number from elsewhere.

    Attributes:
      value: dB or SSIM.
      source: where it stands.
      protocol: how it was measured, where that differs from ours or is not known; then no
        difference is computed.
    """

    value: float
    source: str
    protocol: str = ""


@dataclasses.dataclass(frozen=True)
class Measure:
    """One number of a row.

    Attributes:
      part: "embedding", "restored" or "restored_without_reference".
      kind: "psnr" or "ssim", with "_grey" or "_y" for these channels.
      published: what it is compared with, if anything.
    """

    part: str
    kind: str
    published: Published | None = None

    @property
    def title(self) -> str:
        kind, _, channels = self.kind.partition("_")
        shown = f" ({CHANNELS[f'_{channels}'].partition(' ')[0]})" if channels else ""
        return f"{self.part.replace('_', ' ')} {kind.upper()}{shown}"

    @property
    def channels(self) -> str:
        return CHANNELS[self.kind[4:]]


@dataclasses.dataclass(frozen=True)
class Row:
    """An experiment and how it is evaluated.

    Attributes:
      name: short, for --only.
      title: as it stands in the table.
      config: a file of configs, without .py, or the path of another one with .py; its argument
        after a colon.
      measures: what is reported.
      fields: of the configuration that differ, such as `data.frame_stride`.
      protocol: what is special about it, in words.
      learns: whether seeds make a difference.
    """

    name: str
    title: str
    config: str
    measures: Sequence[Measure]
    fields: Mapping[str, object] = dataclasses.field(default_factory=dict)
    protocol: str = ""
    learns: bool = True


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of the paper, or one of ours in its manner.

    Attributes:
      name: of the files that are written.
      title: what is compared.
      rows: in the table's order.
      notes: below the table.
    """

    name: str
    title: str
    rows: Sequence[Row]
    notes: Sequence[str] = ()


def measures(
    embedding: tuple[float, float] | None = None,
    restored: tuple[float, float] | None = None,
    *,
    source: str = "",
    channels: str = "",
    protocol: str = "",
    parts: Sequence[str] = ("embedding", "restored"),
) -> list[Measure]:
    """PSNR and SSIM of embedding and restored images, beside published pairs where there are any.

    Args:
      embedding: published PSNR and SSIM.
      restored: published PSNR and SSIM.
      source: of both.
      channels: "", "_grey" or "_y".
      protocol: of the published numbers, where it is not ours.
      parts: which are reported.
    """
    published = {"embedding": embedding, "restored": restored}
    return [
        Measure(
            part,
            f"{kind}{channels}",
            published.get(part) and Published(published[part][index], source, protocol),
        )
        for part in parts
        for index, kind in enumerate(("psnr", "ssim"))
    ]
