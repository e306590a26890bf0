"""Menstrual cycles of a timeline: when they began, and which days lie in the window around that.

The window is cycle day 1 plus or minus 2. All days are local ones, counted since 1970.
"""

from __future__ import annotations

from collections.abc import Set

import numpy as np

#: Days after a cycle start in which the next one cannot be close: a cycle has 21 days or more.
SHORTEST_CYCLE = 21
#: After so many days without a new cycle start, nobody is recording cycles any more.
LONGEST_CYCLE = 45
WINDOW = 2


def cycle_starts(flow: Set[int], marked: Set[int], judged: Set[int]) -> list[int]:
    """First days of bleeding: those marked so, else the first of a run.

    Args:
        flow: days with bleeding.
        marked: days that are called the first of a cycle.
        judged: days of which somebody said whether they are.
    """
    starts: list[int] = []
    run: list[int] = []
    for day in [*sorted(flow | marked), None]:
        if run and (day is None or day - run[-1] > WINDOW + 1):
            first = [d for d in run if d in marked] or ([] if judged & set(run) else run[:1])
            starts += first
            run = []
        if day is not None:
            run.append(day)
    return starts


def in_window(day: int, starts: np.ndarray, last: int) -> float | None:
    """Whether a day lies around a cycle start: 1, 0, or None where nobody can know.

    Args:
        day: the one that is asked about.
        starts: known starts, int [n >= 1].
        last: the day up to which things are known.
    """
    if np.abs(starts - day).min() <= WINDOW:
        return 1.0
    before = starts[starts < day]
    if not len(before) or day - before[-1] > LONGEST_CYCLE:
        return None
    since = day - before[-1]
    # A start within two days after `day` would be known by now, or cannot be due yet.
    settled = (starts > day).any() or day + WINDOW < last or since < SHORTEST_CYCLE - WINDOW
    return 0.0 if settled else None
