"""Where a person stands: the evening that their records support, and the batch for a model."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from aline_tf.migraine.forecast.moment import standpoint
from aline_tf.migraine.forecast.person_batch import history_batch
from aline_tf.migraine.interview.interview import answerable
from aline_tf.migraine.records.days import DayHistory, day_history, recent
from aline_tf.migraine.records.evening import in_hand
from aline_tf.migraine.records.timeline import Timeline
from aline_tf.migraine.schema.candidates import Candidate
from aline_tf.migraine.schema.designs import CAPACITY


@dataclasses.dataclass(frozen=True)
class Standing:
    """A person at the evening of a forecast.

    Attributes:
        timeline: the records as they are known then.
        now: the evening, with its time zone.
        remarks: sentences on what was set aside.
        history: the days up to that evening.
        batch: one row for a model, its pool what the person could be asked.
        candidates: those of the pool.
    """

    timeline: Timeline
    now: datetime
    remarks: tuple[str, ...]
    history: DayHistory
    batch: dict
    candidates: list[Candidate]


def standing_of(timeline: Timeline, today: datetime, evening: str | None = None) -> Standing:
    """Where somebody with these records stands.

    Args:
        timeline: not empty.
        today: the present moment, with its time zone.
        evening: an evening in the past, as an ISO date or time; None for the last one that the
            records support.

    Raises:
        InputError: no such evening, or one that is not within the records.
    """
    stand = standpoint(timeline, evening, today)
    history = _days(stand.timeline, stand.now)
    batch, candidates = history_batch(history, answerable(history))
    return Standing(stand.timeline, stand.now, stand.remarks, history, batch, candidates)


def history_at(timeline: Timeline, now: datetime) -> DayHistory:
    """The days of somebody up to an evening, with all of these records in hand.

    Args:
        timeline: possibly empty.
        now: the evening, with its time zone.
    """
    return _days(in_hand(timeline, now), now)


def _days(timeline: Timeline, now: datetime) -> DayHistory:
    return day_history(recent(timeline, now, CAPACITY), now, CAPACITY)
