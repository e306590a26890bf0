"""Plots of the report as inline SVG and HTML, which reflow on a phone.

Marks differ in shape as well as colour, and colours come from the style sheet of the report (a
palette that colour-blind readers can tell apart, in a light and a dark version).
"""

from __future__ import annotations

import math
from datetime import timedelta
from html import escape

from aline_tf.migraine.forecast.backtest import Evening

#: Highest risk drawn, and the distance of the lines.
_SCALES = ((0.25, 0.05), (0.5, 0.1), (0.75, 0.25), (1.0, 0.25))


def track(label: str, marks: str) -> str:
    """A horizontal scale that fills its place; `marks` are `interval`, `dot` and `tick`."""
    return f'<div class="track" role="img" aria-label="{escape(label, quote=True)}">{marks}</div>'


def interval(low: float, high: float) -> str:
    """A thick line on a track, from `low` to `high` as shares of its length."""
    low, high = _share(low), _share(high)
    return f'<span class="interval" style="left:{low:.2f}%;width:{high - low:.2f}%"></span>'


def dot(place: float) -> str:
    """A point on a track."""
    return f'<span class="dot" style="left:{_share(place):.2f}%"></span>'


def tick(place: float) -> str:
    """A thin vertical line on a track."""
    return f'<span class="tick" style="left:{_share(place):.2f}%"></span>'


def bar(label: str, share: float, hollow: float = 0.0) -> str:
    """A bar from the left; `hollow` is drawn as an outline behind it (a cost, say)."""
    outline = f'<span class="cost" style="width:{_share(hollow):.2f}%"></span>' if hollow else ""
    return (
        f'<div class="bar" role="img" aria-label="{escape(label, quote=True)}">'
        f'<span class="fill" style="width:{_share(share):.2f}%"></span>{outline}</div>'
    )


def signed_bar(label: str, share: float) -> str:
    """A bar from the middle: to the right for a positive share of half the width, else to the left.

    Args:
        label: what it shows.
        share: from -1 to 1.
    """
    length = _share(abs(share)) / 2.0
    start, side = (50.0, "up") if share >= 0 else (50.0 - length, "down")
    return (
        f'<div class="bar signed" role="img" aria-label="{escape(label, quote=True)}">'
        f'<span class="{side}" style="left:{start:.2f}%;width:{length:.2f}%"></span></div>'
    )


def log_scale(low: float, high: float):
    """A function from positive numbers to shares of a logarithmic scale from `low` to `high`."""
    start, length = math.log(low), math.log(high) - math.log(low)
    return lambda value: (math.log(max(value, 1e-9)) - start) / length


def risk_over_time(evenings: list[Evening], width: int, height: int, label: str) -> str:
    """The 24 h risk of each day, given the evening before, with its band and the recorded days.

    Args:
        evenings: at least one, oldest first.
        width, height: of the drawing, in the pixels its text is made for.
        label: what it shows, for those who do not see it.
    """
    left, right, top, bottom = 40, 10, 10, 50
    first = evenings[0].day + timedelta(days=1)
    days = max((evenings[-1].day - evenings[0].day).days, 1)
    highest = max(evening.risks[0].high for evening in evenings)
    ceiling, spacing = next(scale for scale in _SCALES if highest <= scale[0])

    def x(day) -> float:
        return left + (width - left - right) * (day - first).days / days

    def y(risk) -> float:
        return top + (height - top - bottom) * (1.0 - risk / ceiling)

    base = height - bottom
    parts = []
    for step in range(round(ceiling / spacing) + 1):
        level = spacing * step
        parts.append(
            f'<line class="grid" x1="{left}" x2="{width - right}" y1="{y(level):.1f}"'
            f' y2="{y(level):.1f}"/><text x="{left - 6}" y="{y(level) + 4:.1f}"'
            f' text-anchor="end">{100 * level:.0f}%</text>'
        )
    parts += _dates(first, days, x, base, width)
    about = [(evening.day + timedelta(days=1), evening) for evening in evenings]
    for day, evening in about:
        if evening.followed:
            parts.append(
                f'<line class="attack-line" x1="{x(day):.1f}" x2="{x(day):.1f}"'
                f' y1="{top}" y2="{base}"/>'
            )
    upper = [f"{x(day):.1f},{y(evening.risks[0].high):.1f}" for day, evening in about]
    lower = [f"{x(day):.1f},{y(evening.risks[0].low):.1f}" for day, evening in about]
    middle = [f"{x(day):.1f},{y(evening.risks[0].probability):.1f}" for day, evening in about]
    parts.append(f'<polygon class="band" points="{" ".join(upper + lower[::-1])}"/>')
    parts.append(f'<polyline class="line" points="{" ".join(middle)}"/>')
    last_x, last_y = middle[-1].split(",")
    parts.append(f'<circle class="now" cx="{last_x}" cy="{last_y}" r="4.5"/>')
    for day, evening in about:
        parts.append(_record(evening.followed, x(day), base + 36))
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label, quote=True)}">'
        f"{''.join(parts)}</svg>"
    )


def _dates(first, days, x, base, width) -> list[str]:
    """Labels of Mondays, as many as fit."""
    mondays = [
        first + timedelta(days=ahead)
        for ahead in range(days + 1)
        if (first + timedelta(days=ahead)).weekday() == 0
    ]
    every = max(1, math.ceil(len(mondays) * 62 / width))
    found = []
    for day in mondays[::-1][::every]:
        if x(day) < width - 24:
            found.append(
                f'<line class="grid" x1="{x(day):.1f}" x2="{x(day):.1f}" y1="{base}"'
                f' y2="{base + 5}"/><text x="{x(day):.1f}" y="{base + 18}"'
                f' text-anchor="middle">{day.day} {day:%b}</text>'
            )
    return found


def _record(attack: bool | None, x: float, y: float) -> str:
    if attack is None:
        return ""
    if not attack:
        return f'<circle class="none" cx="{x:.1f}" cy="{y:.1f}" r="1.4"/>'
    return f'<path class="attack" d="M{x:.1f} {y - 5.5:.1f}l4.5 5.5l-4.5 5.5l-4.5 -5.5z"/>'


def _share(value: float) -> float:
    """A share as a percentage of the track, kept on it."""
    return 100.0 * min(max(value, 0.0), 1.0)
