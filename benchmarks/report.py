"""What all benchmarks share: repeated measurements, a table, a JSON file with circumstances."""

import datetime
import os
import platform
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

import jax

from iicnet_jax.core import files

PACKAGES = (
    *("iicnet_jax", "jax", "jaxlib", "jax-cuda12-plugin", "jax-cuda13-plugin", "flax", "optax"),
    *("grain", "numpy", "pillow"),
)


def median_and_spread(values: Sequence[float]) -> dict[str, float]:
    """The median of repeated measurements, the smallest and the largest."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def circumstances() -> dict[str, object]:
    """Date, machine, devices and versions."""
    return {
        "date": datetime.date.today().isoformat(),
        "devices": [device.device_kind for device in jax.devices()],
        "driver": _driver(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: version for name in PACKAGES if (version := _version(name))},
    }


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows of equal keys as a Markdown table; numbers with three digits that matter."""
    cells = [list(rows[0]), *([_text(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def write(path: Path, settings: Mapping[str, object], rows: Sequence[Mapping[str, object]]) -> None:
    """Writes the rows with settings and circumstances as JSON."""
    files.write_json(path, {**circumstances(), "settings": dict(settings), "rows": list(rows)})


def _text(value):
    return (
        f"{value:.3g}"
        if isinstance(value, float) and value < 100
        else (f"{value:.0f}" if isinstance(value, float) else str(value))
    )


def _processor():
    """The processor's name, which `platform` does not know on Linux."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _version(package):
    """The version of a package; None without it, or where it is used without being installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _driver():
    """The version of NVIDIA's driver; None without one."""
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        said = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return said.stdout.partition("\n")[0] or None
