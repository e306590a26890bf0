"""Days on which several sources tell the same thing differently: which counts, and how many.

The rules are those of `aline_tf.migraine.records.days.day_history`; here the person is told.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from aline_tf.migraine.records.days import MEASURED, OF_DIARIES
from aline_tf.migraine.records.timeline import DAY_S, OBSERVED, Timeline

#: Sources say the same when they differ by no more than what is rounded, in the channel's unit.
_ROUNDED = 0.05
#: What is slept from this hour on belongs to the night of the next day.
_EVENING_S = 18 * 3600


def beside_devices(timeline: Timeline) -> list[str]:
    """Notes on what a diary or a second device says of days that a device tells of.

    Args:
        timeline: everything that was read.
    """
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
    return notes
