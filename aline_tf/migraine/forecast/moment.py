"""The moment of a forecast, and the records as they were known then."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from aline_tf.errors import InputError
from aline_tf.migraine.records.days import day_history
from aline_tf.migraine.records.evening import in_hand, support, written_later
from aline_tf.migraine.records.timeline import SLOT_S, Timeline
from aline_tf.migraine.schema.candidates import NOW_SLOT

#: Days after the last record for which a forecast can be asked.
YEAR = 365


@dataclasses.dataclass(frozen=True)
class Standpoint:
    """Where a forecast stands.

    Attributes:
        now: an evening, with its time zone.
        timeline: the records, as they are known then.
        remarks: sentences on what was set aside, possibly none.

    Example:
        >>> from aline_tf.migraine.forecast import standpoint
        >>> from aline_tf.migraine.records import Timeline
        >>> morning = 1_741_593_600  # 2025-03-10, 08:00 UTC
        >>> row = (morning, morning, morning, 0, 0, "resting_hr", 60.0, "bpm", 1, "diary")
        >>> standpoint(Timeline.from_rows([row])).now.isoformat()
        '2025-03-10T20:00:00+00:00'
    """

    now: datetime
    timeline: Timeline
    remarks: tuple[str, ...] = ()


def standpoint(
    timeline: Timeline, text: str | None = None, today: datetime | None = None
) -> Standpoint:
    """Where a forecast stands: the last evening that records support, or the one that is named.

    The last evening has all records in hand, whenever they were written down. An evening that is
    named is one in the past: what was written down later is not used, and said.

    Args:
        timeline: what is recorded.
        text: an ISO date (20:00 of that day), or date and time between 18:00 and midnight, with or
            without a time zone. The model was trained on evenings and knows no other time.
        today: the present moment, with its time zone; None where nobody knows it.

    Raises:
        InputError: no records; not such a moment, or one before the first record or over a year
            after the last.
    """
    found = support(timeline, today)
    if text is None:
        known = in_hand(timeline, found.evening)
        return Standpoint(found.evening, known, found.sentences() + _long_ago(found.evening, today))
    moment = evening_from(text)
    spans = [(found.first, found.last), *((day, day) for day in found.isolated)]
    if not any(
        first <= moment.date() and (moment.date() - last).days <= YEAR for first, last in spans
    ):
        raise InputError(
            f"expected --now within the records ({found.first} to {found.last}) or the year after"
            f" them; received {moment.date()}"
        )
    now = day_history(timeline, moment, 1).now
    remarks = found.sentences()
    if later := written_later(timeline, now):
        what = "record" if later == 1 else "records"
        remarks += (
            f"{later:,} {what} about the time before this evening, written down after it, cannot"
            " have been known then: not used.",
        )
    return Standpoint(now, timeline, remarks)


def _long_ago(evening: datetime, today: datetime | None) -> tuple[str, ...]:
    """That the last evening which records support is not this one or the one before."""
    days = (today.date() - evening.date()).days if today is not None else 0
    if days <= 1:
        return ()
    return (
        f"The last evening that the records support was {days:,} days ago: the risks are those of"
        " that evening, not of today.",
    )


def evening_of(timeline: Timeline, text: str | None, today: datetime | None = None) -> datetime:
    """The moment of a forecast alone: see `standpoint`.

    Args:
        timeline: what is recorded.
        text: an evening, as for `standpoint`; None for the last one that records support.
        today: the present moment, with its time zone; None where nobody knows it.

    Raises:
        InputError: no records, or no such moment.
    """
    return standpoint(timeline, text, today).now


def evening_from(text: str) -> datetime:
    """The evening that a text names: an ISO date (20:00 of it) or date and time.

    Raises:
        InputError: not such a text, or a time before 18:00.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InputError(
            f"expected --now as a date or time like 2025-04-27T20:00; received {text!r}"
        ) from None
    if len(text.strip()) <= 10:
        moment = moment.replace(hour=20)
    if moment.hour // (SLOT_S // 3600) != NOW_SLOT:
        raise InputError(
            f"expected --now in the evening, from 18:00 to 23:59; received {moment:%H:%M}"
        )
    return moment
