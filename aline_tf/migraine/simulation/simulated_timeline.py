"""A simulated person's days as a timeline: the records that this person would have kept.

Only what was observed, or asked and not answered, becomes a row; what a device did not read leaves
none. Every row is known from when a real one would be: a reading of the night in the morning, an
answer about a part of the day in the middle of it (that of the evening at 20:00), totals of the day
at its end, an attack from its start. So a forecast of any evening finds what it would have known.

`day_history` at 20:00 of the last day gives the same values and statuses back, but for

- totals of that last day, which are not known yet;
- the menstrual window, which a timeline holds as first days of cycles and which is concluded from
  them: it comes back within a day or so, and is not known before the first of them;
- a value out of the range of its channel (`KINDS`), which becomes the end of the range.

No TensorFlow here.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from aline_tf.errors import InputError
from aline_tf.migraine.records.timeline import (
    DAY_S,
    KINDS,
    NOT_ANSWERED,
    OBSERVED,
    SLOT_S,
    SPOT_RMSSD,
    ImportSummary,
    Timeline,
)
from aline_tf.migraine.schema.channels import (
    FIELD_INDEX,
    FIELD_NAMES,
    SLOT_REPORT_NAMES,
    SLOTS,
    SPOT_READING,
    field_name,
)

#: A Monday: the made-up dates of a person begin in the week after it.
FIRST_MONDAY = date(2024, 1, 1)
SOURCE = "simulated"
NOTE = "simulated records: nobody's"

_MORNING, _EVENING, _DAY_END = 8 * 3600, 20 * 3600, DAY_S
#: A question about a slot is answered so long after the slot began: in the evening, at 20:00.
_ANSWERED_AFTER_S = 2 * 3600
#: Days of the menstrual window before and after the first day of a cycle.
_WINDOW = 2
#: Window days further apart than this belong to different cycles.
_CYCLE_GAP = 10
_DECIMALS = 6


@dataclasses.dataclass(frozen=True)
class _Daily:
    """How a daily field stands in a timeline: channel, seconds after midnight, to natural units."""

    channel: str
    known: int
    natural: Callable[[float], float] = float


_DAILY = {
    "pressure_change": _Daily("pressure_change", _EVENING),
    "busy_hours": _Daily("busy_hours", _EVENING),
    "ln_rmssd": _Daily("rmssd", _MORNING, math.exp),
    "ln_sdnn": _Daily("sdnn", _EVENING, math.exp),
    "resting_hr": _Daily("resting_hr", _MORNING),
    "sleep_hours": _Daily("sleep_hours", _MORNING),
    "sleep_efficiency": _Daily("sleep_efficiency", _MORNING),
    "skin_temperature": _Daily("skin_temperature", _MORNING),
    "ln_steps": _Daily("steps", _DAY_END, math.exp),
    "ln_screen_time": _Daily("screen_time", _DAY_END, math.exp),
    "alcohol": _Daily("alcohol", _DAY_END),
    "caffeine": _Daily("caffeine", _EVENING),
    "missed_meal": _Daily("missed_meal", _EVENING),
    SPOT_READING: _Daily(SPOT_RMSSD, _EVENING, math.exp),
}


def person_timeline(value: np.ndarray, status: np.ndarray, weekday: np.ndarray) -> Timeline:
    """The timeline of one simulated person.

    Args:
        value: [days, F], natural units, in the order of `FIELDS`.
        status: [days, F]: 0 missing, 1 observed, 2 asked but not answered.
        weekday: [days], 0 (Monday) to 6, of consecutive days.

    Returns:
        a timeline from the first date after `FIRST_MONDAY` with the weekday of day 0, in UTC.

    Raises:
        InputError: arrays that do not match, or weekdays that do not follow each other.
    """
    value, status, weekday = np.asarray(value), np.asarray(status), np.asarray(weekday)
    shape = (len(weekday), len(FIELD_NAMES))
    if not len(weekday) or value.shape != shape or status.shape != shape:
        raise InputError(
            f"expected values and statuses of shape {shape} for at least one day;"
            f" received {value.shape} and {status.shape}"
        )
    if ((weekday - weekday[0] - np.arange(len(weekday))) % 7).any():
        raise InputError(f"expected weekdays of consecutive days; received {weekday[:8].tolist()}")
    person = _Person(value, status, first_date(int(weekday[0])))
    rows = [*person.daily(), *person.answers(), *person.attacks(), *person.cycles()]
    # As they became known: importing the file keeps this order.
    rows.sort(key=lambda row: row[2])
    read = Counter(row[5] for row in rows)
    return Timeline.from_rows(rows, ImportSummary(dict(read), notes=(NOTE,)))


def first_date(weekday: int) -> date:
    """The made-up date of a first day with this weekday."""
    return FIRST_MONDAY + timedelta(days=weekday)


def last_evening(weekday: np.ndarray) -> datetime:
    """20:00 of the last of consecutive days with these weekdays [days]."""
    day = first_date(int(weekday[0])) + timedelta(days=len(weekday) - 1)
    return datetime.combine(day, time(20), tzinfo=UTC)


def cycle_starts(window: np.ndarray) -> list[int]:
    """First days of cycles from the days of the menstrual window.

    The window is two days to either side of a first day. Where it is longer or shorter, because a
    cycle drifts, the first day is its middle; where the records begin or end within it, the first
    day is taken from the end that is seen.

    Args:
        window: bool [days].

    Returns:
        day numbers among the recorded days, ascending.
    """
    inside = np.flatnonzero(window)
    if not len(inside):
        return []
    starts = []
    for run in np.split(inside, np.flatnonzero(np.diff(inside) > _CYCLE_GAP) + 1):
        first, last = int(run[0]), int(run[-1])
        if first == 0:
            starts.append(last - _WINDOW)
        elif last == len(window) - 1:
            starts.append(first + _WINDOW)
        else:
            starts.append((first + last) // 2)
    return [start for start in starts if 0 <= start < len(window)]


class _Person:
    """One person's days, and the rows of a timeline that they give."""

    def __init__(self, value: np.ndarray, status: np.ndarray, first: date) -> None:
        self.value, self.status, self.days = value, status, len(value)
        self.midnight = (first - date(1970, 1, 1)).days * DAY_S

    def daily(self) -> Iterator[tuple]:
        for field, place in _DAILY.items():
            index = FIELD_INDEX[field]
            for day in np.flatnonzero(self.status[:, index]).tolist():
                natural = place.natural(float(self.value[day, index]))
                span, known = (day * DAY_S, (day + 1) * DAY_S), day * DAY_S + place.known
                yield self.row(place.channel, span, known, natural, self.status[day, index])

    def answers(self) -> Iterator[tuple]:
        for channel in SLOT_REPORT_NAMES:
            if channel == "attack":
                continue
            value, status = (table.ravel() for table in self.slots(channel))
            for slot in np.flatnonzero(status).tolist():
                span = slot * SLOT_S, (slot + 1) * SLOT_S
                known = span[0] + _ANSWERED_AFTER_S
                yield self.row(channel, span, known, float(value[slot]), status[slot])

    def attacks(self) -> Iterator[tuple]:
        """Runs of slots with an attack, and reports on the parts of days that were told of."""
        value, status = self.slots("attack")
        attack = (status == OBSERVED) & (value > 0.5)
        for begin, stop in _runs(attack.ravel(), True):
            span = begin * SLOT_S, stop * SLOT_S
            yield self.row("attack", span, span[0] + _ANSWERED_AFTER_S, 1.0)
        for day in range(self.days):
            for answer in (OBSERVED, NOT_ANSWERED):
                for begin, stop in _runs(status[day], answer):
                    span = tuple(day * DAY_S + slot * SLOT_S for slot in (begin, stop))
                    known = span[1] - SLOT_S + _ANSWERED_AFTER_S
                    yield self.row("attack_report", span, known, 0.0, answer)

    def cycles(self) -> Iterator[tuple]:
        index = FIELD_INDEX["menstrual_window"]
        observed = self.status[:, index] == OBSERVED
        for day in cycle_starts(observed & (self.value[:, index] > 0.5)):
            span = day * DAY_S, (day + 1) * DAY_S
            yield self.row("cycle_start", span, span[0] + _MORNING, 1.0)

    def slots(self, channel: str) -> tuple[np.ndarray, np.ndarray]:
        """Values and statuses [days, 4] of a slot channel."""
        places = [FIELD_INDEX[field_name(channel, slot)] for slot in range(SLOTS)]
        return self.value[:, places], self.status[:, places]

    def row(
        self,
        channel: str,
        span: tuple[int, int],
        known: int,
        value: float,
        status: int = OBSERVED,
    ) -> tuple:
        """A row of a timeline; times are seconds after the midnight of day 0."""
        kind = KINDS[channel]
        if status == OBSERVED:
            value = round(min(max(value, kind.low), kind.high), _DECIMALS)
        else:
            value = 0.0
        begin, stop, seen = (self.midnight + second for second in (*span, known))
        return (begin, stop, seen, 0, 0, channel, value, kind.unit, int(status), SOURCE)


def _runs(series: np.ndarray, sought) -> list[tuple[int, int]]:
    """(first, one past the last) of every run of places where a series [n] has a value."""
    edges = np.diff(np.concatenate([[False], series == sought, [False]]).astype(int))
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return list(zip(starts.tolist(), stops.tolist(), strict=True))
