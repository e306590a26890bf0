"""The gateway's own JSON: readings one by one.

    {"readings": [
      {"id": "7f3a", "channel": "stress", "value": 7, "time": "2025-03-10T20:00:00+01:00"},
      {"channel": "sleep_hours", "value": 7.5, "time": "2025-03-09T23:10:00+01:00",
       "end": "2025-03-10T06:50:00+01:00", "source": "watch"},
      {"channel": "attack", "time": "2025-03-09T07:30:00+01:00"},
      {"channel": "pain", "time": "2025-03-10T20:00:00+01:00", "answered": false}]}

Channels, units and ranges are those of `aline_tf.migraine.records.timeline.KINDS`; another unit may
be named by "unit". Intervals have an "end". An attack without one is one whose end nobody noted,
and has no value. "answered": false says that it was asked and not answered. A reading with an "id"
that was there before takes the place of the earlier one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aline_tf.errors import InputError
from aline_tf.migraine.records.import_summary import ImportSummary
from aline_tf.migraine.records.importers.gathered import Gathered, Refused
from aline_tf.migraine.records.importers.sleep_sources import AWAKE, GENERIC
from aline_tf.migraine.records.timeline import KINDS, NOT_ANSWERED, OBSERVED, Timeline
from aline_tf.migraine.records.wall_clock import WallClock

SOURCE = "gateway"
#: Intervals of sleep -> which kind of record they are (see `sleep_sources`).
_SLEEP = {"asleep": GENERIC, "awake": AWAKE, "in_bed": ""}
_FIELDS = ("id", "channel", "value", "unit", "time", "end", "source", "answered")


def readings_of(document: Any) -> list[Any]:
    """The readings of a document.

    Raises:
        InputError: it is none.
    """
    readings = document.get("readings") if isinstance(document, Mapping) else None
    if not isinstance(readings, list):
        raise InputError('expected {"readings": [...]}; received another form')
    return readings


def readings_timeline(readings: Iterable[Any], clock: WallClock) -> Timeline:
    """The timeline of readings, with an account of each.

    Args:
        readings: as above; what cannot be used is skipped and counted.
        clock: tells the offset of times that have none.
    """
    found, others = _gathered(readings, clock)
    timeline = found.timeline()
    return timeline.merge(Timeline.from_rows(others)) if others else timeline


def readings_summary(readings: Iterable[Any], clock: WallClock) -> ImportSummary:
    """The account of `readings_timeline`, without the timeline: most of its time is spent there.

    Args:
        readings, clock: as for `readings_timeline`.
    """
    found, _ = _gathered(readings, clock)
    found.rows()
    return found.account.summary()


def _gathered(readings: Iterable[Any], clock: WallClock) -> tuple[Gathered, list[tuple]]:
    """What was gathered, and the rows beside it."""
    found, others = Gathered(SOURCE, clock), []
    for reading in readings:
        found.account.cells += 1
        try:
            _add(found, others, reading)
        except Refused as reason:
            found.account.skip(str(reason), reason.example)
    return found, others


def _add(found: Gathered, others: list[tuple], reading: Any) -> None:
    if not isinstance(reading, Mapping):
        raise Refused("reading: not an object", type(reading).__name__)
    channel = reading.get("channel")
    if not isinstance(channel, str):
        raise Refused("reading: no channel")
    if channel not in KINDS:
        found.account.pass_over(channel)
        return
    unknown = sorted(set(map(str, reading)) - set(_FIELDS))
    if unknown:
        raise Refused(f"{channel}: an unknown field", unknown[0])
    begin = found.moment(reading.get("time"), channel)
    end = found.moment(reading["end"], channel) if reading.get("end") is not None else None
    if end is not None and end[0] < begin[0]:
        raise Refused(f"{channel}: ends before it starts", reading["end"])
    answered, source = reading.get("answered", True), reading.get("source", "")
    if not isinstance(answered, bool):
        raise Refused(f"{channel}: answered is neither true nor false", answered)
    if not isinstance(source, str):
        raise Refused(f"{channel}: a source that is no text", source)
    if channel == "attack" or not answered:
        others.append(_row(channel, begin, end, reading, answered))
    elif channel in _SLEEP:
        if end is None:
            raise Refused(f"{channel}: no end")
        _number(found, channel, reading, 1)
        found.sleep(channel, _SLEEP[channel], begin, end, source, channel)
    else:
        value = _number(found, channel, reading)
        found.add(channel, begin, end or begin, value, source)
    found.account.use(channel)


def _number(found: Gathered, channel: str, reading: Mapping, default: Any = None) -> float:
    value, unit = reading.get("value", default), reading.get("unit")
    if isinstance(value, bool) and not KINDS[channel].unit:
        value = int(value)
    if isinstance(value, str) or (unit is not None and not isinstance(unit, str)):
        raise Refused(f"{channel}: not a number", value)
    return found.number(value, channel, unit)


def _row(channel: str, begin, end, reading: Mapping, answered: bool) -> tuple:
    """An attack, whose end may be open, or a question that was not answered."""
    value = reading.get("value")
    if value not in (None, 1) or (value is not None and not answered):
        raise Refused(f"{channel}: a value where none is expected", value)
    last = end or begin
    stop = None if channel == "attack" and end is None and answered else last[0]
    status, number = (OBSERVED, 1.0) if answered else (NOT_ANSWERED, 0.0)
    span = (begin[0], stop, last[0], begin[1], last[1])
    return (*span, channel, number, KINDS[channel].unit, status, SOURCE)
