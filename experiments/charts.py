"""Line charts as SVG text, in the colours of the page that they stand in.

Text and axes take the page's colour; series take its CSS variables --series-0, --series-1, ...
"""

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 560, 260
LEFT, RIGHT, TOP, BOTTOM = 64, 28, 12, 44  # margins
COLOURS = 8

Points = Sequence[tuple[float, float]]


def line_chart(series: Mapping[str, Points], *, x_label: str, y_label: str, log=False) -> str:
    """An SVG element with a line for each series, or an empty text if there are no points.

    Args:
      series: (x, y) by name, drawn in the order of x; what is not finite is left out.
      x_label: below the axis.
      y_label: beside the axis.
      log: the y axis is logarithmic; what is not positive is left out.
    """
    series = {name: _drawable(points, log) for name, points in series.items()}
    shown = [point for points in series.values() for point in points]
    if not shown:
        return ""
    places = [x for x, _ in shown]
    whole = all(float(x).is_integer() for x in places)
    x_ticks = ticks(min(places), max(places), least=whole)
    low, high = min(y for _, y in shown), max(y for _, y in shown)
    y_ticks = log_ticks(low, high) if log else ticks(low, high)
    scale = math.log10 if log else float

    def place(x, y):
        right = _share(x, x_ticks[0], x_ticks[-1]) * (WIDTH - LEFT - RIGHT)
        up = _share(scale(y), scale(y_ticks[0]), scale(y_ticks[-1])) * (HEIGHT - TOP - BOTTOM)
        return LEFT + right, HEIGHT - BOTTOM - up

    parts = []
    for tick in y_ticks:
        _, y = place(x_ticks[0], tick)
        parts.append(f'<path class="grid-line" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(_text(LEFT - 8, y + 4, f"{tick:,g}", "end"))
    for tick in x_ticks:
        x, _ = place(tick, y_ticks[0])
        parts.append(_text(x, HEIGHT - BOTTOM + 18, f"{tick:,g}", "middle"))
    for index, (name, points) in enumerate(series.items()):
        colour = f"var(--series-{index % COLOURS})"
        placed = [place(*point) for point in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        parts.append(f'<polyline class="line" style="stroke:{colour}" points="{path}"/>')
        if len(points) <= 40:
            parts += [
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" style="fill:{colour}">'
                f"<title>{escape(name)}: {value[1]:.6g} at {value[0]:,g}</title></circle>"
                for (x, y), value in zip(placed, points, strict=True)
            ]
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, x_label, "middle"))
    parts.append(
        f'<text transform="translate(14 {(TOP + HEIGHT - BOTTOM) / 2:.0f}) rotate(-90)" '
        f'text-anchor="middle">{escape(y_label)}</text>'
    )
    label = escape(f"{y_label} by {x_label}", quote=True)
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">'
        f"{''.join(parts)}</svg>"
    )


def ticks(low: float, high: float, count: int = 5, least: float = 0) -> list[float]:
    """About `count` round numbers around `low` to `high`, evenly spaced, at least `least` apart."""
    if low == high:
        low, high = low - (abs(low) or 1) / 10, high + (abs(high) or 1) / 10
    rough = (high - low) / count
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    step = max(step, least)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten from at most `low` to at least `high`; of few decades also 2 and 5 times."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    factors = (1, 2, 5) if last - first <= 2 else (1,)
    values = [factor * 10.0**power for power in range(first, last + 1) for factor in factors]
    start = max(index for index, value in enumerate(values) if value <= low)
    stop = min(index for index, value in enumerate(values) if value >= high)
    return values[start : max(stop, start + 1) + 1]


def _drawable(points, log):
    return sorted(
        (x, y) for x, y in points if y is not None and math.isfinite(y) and (y > 0 or not log)
    )


def _share(value, low, high):
    return (value - low) / (high - low)


def _text(x, y, text, anchor):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
