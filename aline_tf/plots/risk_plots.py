"""A risk day by day with its interval, and what followed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aline_tf.errors import InputError
from aline_tf.plots.style import GREY, MODEL, OBSERVED, axes_or_new


def risk(evenings: Sequence, hours: int = 24, ax=None):
    """Forecast risks evening by evening in percent, with their intervals; below: diamonds where an
    attack followed within 24 h, dots where none did, nothing where no record tells.

    Args:
        evenings: of `aline_tf.migraine.forecast.backtest`, or whatever has `day`, `risks` (each
            with hours, probability, low, high) and `followed`.
        hours: 24 or 48, the horizon of the risks.
        ax: matplotlib axes; new ones when None.

    Returns:
        the axes.

    Raises:
        InputError: no evening, or risks of other horizons alone.
    """
    if not len(evenings):
        raise InputError("expected at least one evening; received none")
    chosen = [[risk for risk in evening.risks if risk.hours == hours] for evening in evenings]
    if not all(chosen):
        known = sorted({risk.hours for evening in evenings for risk in evening.risks})
        raise InputError(f"expected hours of {', '.join(map(str, known))}; received {hours}")
    ax = axes_or_new(ax)
    days = [evening.day for evening in evenings]
    low, middle, high = (
        100.0 * np.array([getattr(each[0], name) for each in chosen])
        for name in ("low", "probability", "high")
    )
    ax.fill_between(days, low, high, color=MODEL, alpha=0.2, lw=0)
    ax.plot(days, middle, color=MODEL, label=f"risk within {hours} h")
    below = -0.06 * max(high.max(), 1.0)
    for followed, marker, colour, label in (
        (True, "D", OBSERVED, "an attack followed"),
        (False, ".", GREY, "none followed"),
    ):
        own = [evening.day for evening in evenings if evening.followed is followed]
        if own:
            ax.plot(own, np.full(len(own), below), marker, color=colour, ms=5, label=label)
    ax.set_ylabel(f"risk within {hours} h (%)")
    ax.legend()
    return ax
