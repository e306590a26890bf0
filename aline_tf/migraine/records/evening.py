"""The evening that records support: the last one they reach, whatever a wrong date may say.

What counts is the day a record is about, not the time at which it was filled in. A record dated
after today, and a day or two of records years from all others, are typing errors or a clock that
was wrong far more often than they are news: they do not move the evening, and `Support` says so.
"""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np

from aline_tf.errors import InputError

DAY_S = 86_400
#: From this hour on a day has reached its evening.
EVENING_S = 18 * 3600
#: Days without a record after which what follows is looked at as records of another time.
FAR_DAYS = 365
#: So few days, beside this many times as many, are set aside when they lie that far away.
FEW_DAYS, TIMES = 2, 5
#: What is planned ahead, and says nothing of how far a person has recorded.
_PLANS = "calendar"


@dataclasses.dataclass(frozen=True)
class Support:
    """How far records reach, and what was set aside.

    Attributes:
        evening: 20:00 of the last evening reached, with its time zone.
        first, last: days of the first and the last record that count.
        future: days after today that records are dated on, each with how many.
        isolated: days years from all others, in the same way.

    Example:
        >>> from datetime import UTC, datetime
        >>> from aline_tf.migraine.records import Timeline, support
        >>> morning = 1_741_593_600  # 2025-03-10, 08:00 UTC
        >>> row = (morning, morning, morning, 0, 0, "resting_hr", 60.0, "bpm", 1, "diary")
        >>> support(Timeline.from_rows([row])).evening.isoformat()
        '2025-03-10T20:00:00+00:00'
    """

    evening: datetime
    first: date
    last: date
    future: dict[date, int]
    isolated: dict[date, int]

    def sentences(self) -> tuple[str, ...]:
        """What was set aside, for the person: one sentence a reason, possibly none."""
        found = []
        for days, why in (
            (self.future, "after today"),
            (self.isolated, "years from all others"),
        ):
            if days:
                count, (first, last) = sum(days.values()), (min(days), max(days))
                dated = str(first) if first == last else f"{first} to {last}"
                what, verb = ("record is", "it is") if count == 1 else ("records are", "they are")
                found.append(f"{count:,} {what} set aside: {verb} dated {dated}, {why}.")
        return tuple(found)


def support(timeline, today: datetime | None = None, hour: int = 20) -> Support:
    """The last evening that records support, and what they say beside it.

    It is the evening of the last day that a record is about; or of the day before, when that day's
    records were all written before 18:00, with the evening still to come, and the day before has
    records of its own. Of plans alone, such as a calendar, it is the last day they tell of: its
    evening is as well known as its morning.

    Args:
        timeline: a `Timeline`.
        today: the present moment, with its time zone; None where nobody knows it. Where every
            record is dated after it, it is the clock that is wrong, and no date counts as future.
        hour: of the evening.

    Raises:
        InputError: the timeline is empty.
    """
    if not len(timeline):
        raise InputError("expected a timeline with observations; received an empty one")
    about, written, observed = _about(timeline)
    future = np.zeros(len(about), bool)
    if today is not None:
        # A day of grace: local time may be ahead of this clock's.
        future = timeline.seconds("time") > int(today.timestamp()) + DAY_S
        future &= not future.all()
    far = _far(about, ~future)
    kept = ~(future | far)
    planned = not (kept & observed).any()
    reaching = kept if planned else kept & observed
    days = np.unique(about[reaching])
    last = int(days[-1])
    reached = planned or (written[reaching & (about == last)] >= last * DAY_S + EVENING_S).any()
    if not reached and last - 1 in days:
        last -= 1
    nearest = np.flatnonzero(reaching)[np.abs(about[reaching] - last).argmin()]
    zone = timezone(timedelta(minutes=int(timeline.frame["end_offset"].iloc[nearest])))
    midnight = datetime.combine(_date(last), datetime.min.time(), zone)
    return Support(
        evening=midnight.replace(hour=hour),
        first=_date(about[kept].min()),
        last=_date(about[kept].max()),
        future=_counted(about[future]),
        isolated=_counted(about[far]),
    )


def in_hand(timeline, now: datetime):
    """The same records, those about the time up to `now` known by then, whenever written down.

    Who asks for the last evening has all of them in hand. A timeline that needs no change is
    returned as it is.
    """
    moment = int(now.timestamp())
    later = (timeline.seconds("time") <= moment) & (timeline.seconds("known") > moment)
    if not later.any():
        return timeline
    frame = timeline.frame.copy()
    frame.loc[later, "known"] = now.astimezone(UTC)
    return dataclasses.replace(timeline, frame=frame)


def written_later(timeline, now: datetime) -> int:
    """How many records about the time up to `now` were written down after it."""
    moment = int(now.timestamp())
    later = (timeline.seconds("time") <= moment) & (timeline.seconds("known") > moment)
    return int(later.sum())


def _about(timeline) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of every row: the local day it is about; the wall time at which it was written, or its attack
    ended; whether it is an observation and not a plan."""
    frame = timeline.frame
    offset, end_offset = (60 * frame[name].to_numpy(np.int64) for name in ("offset", "end_offset"))
    time, end, known = (timeline.seconds(name) for name in ("time", "end", "known"))
    last_moment = np.where(end > time, end - 1 + end_offset, time + offset)
    attack = (frame["channel"] == "attack").to_numpy()
    written = np.where(attack, np.maximum(known + end_offset, last_moment), known + end_offset)
    planned = frame["source"].str.startswith(_PLANS).to_numpy()
    return last_moment // DAY_S, written, ~planned


def _far(about: np.ndarray, considered: np.ndarray) -> np.ndarray:
    """Rows of the few days that lie far from the many, bool [n]."""
    days = np.unique(about[considered])
    groups = np.split(days, np.flatnonzero(np.diff(days) > FAR_DAYS) + 1)
    most = max(len(group) for group in groups)
    few = [g for g in groups if len(g) <= FEW_DAYS and len(g) * TIMES <= most]
    return considered & np.isin(about, np.concatenate([np.zeros(0, np.int64), *few]))


def _counted(days: np.ndarray) -> dict[date, int]:
    return {
        _date(day): int(count)
        for day, count in zip(*np.unique(days, return_counts=True), strict=True)
    }


def _date(day: int) -> date:
    return date(1970, 1, 1) + timedelta(days=int(day))
