"""Days on which several sources tell the same thing differently: which counts, and how many.

The rules are those of `aline_tf.migraine.records.days.day_history`; here the person is told.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pandas as pd

from aline_tf.migraine.records.days import MEASURED, OF_DIARIES
from aline_tf.migraine.records.timeline import DAY_S, OBSERVED, SLOT_S, Timeline

#: Sources say the same when they differ by no more than what is rounded, in the channel's unit.
_ROUNDED = 0.05
#: A word for a pain stands for numbers that differ from its own by so much.
_SAME_PAIN = 2
#: What is slept from this hour on belongs to the night of the next day.
_EVENING_S = 18 * 3600


def beside_devices(timeline: Timeline) -> list[str]:
    """Notes on what a diary or a second device says of days that a device tells of.

    Args:
        timeline: everything that was read.
    """
    if not len(timeline):
        return []
    places: dict[tuple[str, int], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    frame = timeline.frame
    begin, end = timeline.seconds("time"), timeline.seconds("end")
    wall, end_wall = (begin + 60 * frame["offset"], end + 60 * frame["end_offset"])
    day, waking = wall // DAY_S, (end_wall + DAY_S - _EVENING_S) // DAY_S
    hours = (end - begin) / 3600
    exports = frame["source"].str.partition("/")[0]
    observed = (frame["status"] == OBSERVED).to_numpy()
    rows = zip(frame["channel"], exports, day, waking, hours, frame["value"], strict=True)
    for is_observed, (channel, export, first, last, length, value) in zip(
        observed, rows, strict=True
    ):
        if is_observed and channel in MEASURED:
            places[channel, first][export].append(value)
        elif is_observed and channel == "asleep":
            slept = places["sleep_hours", last][f"{export} by intervals"]
            slept[:] = [sum(slept, length)]
    noted: dict[str, int] = defaultdict(int)
    nights = 0
    pains = sum(
        len(said) > 1 and max(said.values()) - min(said.values()) > _SAME_PAIN
        for said in _pains(timeline, exports, wall, end_wall).values()
    )
    for (channel, _), said in places.items():
        values = [value for of_export in said.values() for value in of_export]
        if len(said) < 2 or np.ptp(values) <= _ROUNDED:
            continue
        noted[channel] += OF_DIARIES in said
        nights += channel == "sleep_hours" and len(said.keys() - {OF_DIARIES}) > 1
    notes = []
    days = ", ".join(
        f"{name} on {count} {'day' if count == 1 else 'days'}"
        for name, count in sorted(noted.items())
        if count
    )
    if days:
        notes.append(f"of what a diary and a device or a calendar tell, the latter counts: {days}")
    if nights:
        notes.append(
            f"the length of a night is told differently by devices, for {nights} of them: intervals"
            " of sleep count, else the one known last"
        )
    if pains:
        notes.append(
            f"pain is told differently by a diary and other records, in {pains} parts of days: the"
            " worst counts"
        )
    return notes


def _pains(
    timeline: Timeline, exports: pd.Series, wall: pd.Series, end_wall: pd.Series
) -> dict[int, dict[str, float]]:
    """Part of a day -> export -> the worst pain it tells of."""
    found: dict[int, dict[str, float]] = defaultdict(dict)
    rows = (timeline.frame["channel"] == "pain") & (timeline.frame["status"] == OBSERVED)
    columns = (each[rows] for each in (exports, wall, end_wall, timeline.frame["value"]))
    for export, begin, end, value in zip(*columns, strict=True):
        for slot in range(begin // SLOT_S, max(begin, end - 1) // SLOT_S + 1):
            found[slot][export] = max(value, found[slot].get(export, 0.0))
    return found
