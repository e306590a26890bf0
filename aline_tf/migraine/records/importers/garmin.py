"""Garmin: the archive with all of one's data that Garmin sends on request, as a timeline.

| file (DI_CONNECT) | becomes |
|---|---|
| *_sleepData.json | sleep_hours, sleep_efficiency, respiratory_rate of the night |
| UDSFile_*.json | steps of the day, resting_hr |

Sleep is stated in seconds of each stage between two moments in UTC; the day of the calendar tells
the wall clock where nothing else does. Stress is Garmin's own score of 0 to 100, measured and not
felt, and is not read as a person's stress. Everything else is counted by name.
"""

from __future__ import annotations

from typing import Any

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers.documents import Document
from aline_tf.migraine.records.importers.gathered import Gathered, Moment, Refused
from aline_tf.migraine.records.timeline import Timeline
from aline_tf.migraine.records.wall_clock import WallClock

MAX_BYTES = 64 << 20
SOURCE = "garmin"
_STAGES = ("deepSleepSeconds", "lightSleepSeconds", "remSleepSeconds")


def is_garmin_head(head: bytes) -> bool:
    """Whether a JSON file that begins like this is of Garmin's archive, and read."""
    return b'"sleepStartTimestampGMT"' in head or (
        b'"calendarDate"' in head and (b'"totalSteps"' in head or b'"restingHeartRate"' in head)
    )


def read_garmin(document: Document, clock: WallClock | None = None) -> Timeline:
    """Read a file of sleeps or of days.

    Args:
        document: JSON.
        clock: the wall clock of the person.

    Raises:
        InputError: it is too large, not JSON, or not a list.
    """
    loaded = document.json(MAX_BYTES)
    if not isinstance(loaded, list):
        raise InputError(f"expected a JSON array in {document.shown}; received another value")
    found = Gathered(SOURCE, clock or WallClock())
    for entry in loaded:
        if not isinstance(entry, dict):
            found.account.cells += 1
            found.account.skip("entries that are no objects", entry)
        elif "sleepStartTimestampGMT" in entry:
            found.account.cells += 1
            _take(found, "sleep_hours", _sleep, entry)
        elif "calendarDate" in entry:
            _day(found, entry)
        else:
            found.account.cells += 1
            found.account.pass_over(", ".join(sorted(entry)[:4]))
    return found.timeline()


def _take(found: Gathered, channel: str, read, *arguments: Any) -> None:
    try:
        read(found, *arguments)
        found.account.use(channel)
    except Refused as reason:
        found.account.skip(str(reason), reason.example)


def _sleep(found: Gathered, entry: dict[str, Any]) -> None:
    stages = [entry.get(name) for name in _STAGES]
    if all(stage is None for stage in stages):
        raise Refused("sleep_hours: days without a value", entry.get("calendarDate"))
    hours = sum(found.number(s, "sleep_hours", "s") for s in stages if s is not None)
    if not hours:
        raise Refused("sleep_hours: days without a value", entry.get("calendarDate"))
    begin, end = (_utc(found, entry.get(f"sleep{n}TimestampGMT")) for n in ("Start", "End"))
    found.night(begin, end, found.number(hours, "sleep_hours"))
    if entry.get("averageRespiration") is not None:
        found.account.cells += 1
        _take(found, "respiratory_rate", _breath, entry["averageRespiration"], end)


def _breath(found: Gathered, stated: Any, end: Moment) -> None:
    found.add("respiratory_rate", end, end, found.number(stated, "respiratory_rate"))


def _utc(found: Gathered, text: Any) -> Moment:
    """A moment of UTC that is written without saying so."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        return found.instant(text / 1000, "sleep_hours")
    if isinstance(text, str) and len(text) >= 16:
        return found.moment(text[:19] + "Z", "sleep_hours")
    raise Refused("sleep_hours: an invalid date", text)


def _day(found: Gathered, entry: dict[str, Any]) -> None:
    """A day: the fields that are read are a cell each, the others one together."""
    found.account.cells += 1
    found.account.pass_over("other fields of a day")
    day = entry["calendarDate"]
    # In older archives a date is an object with the text inside.
    day = day.get("date") if isinstance(day, dict) else day
    for field, channel in (("totalSteps", "steps"), ("restingHeartRate", "resting_hr")):
        if entry.get(field) is not None:
            found.account.cells += 1
            _take(found, channel, _of_day, channel, entry[field], day)


def _of_day(found: Gathered, channel: str, stated: Any, day: Any) -> None:
    value = found.number(stated, channel)
    begin, end = found.day(day, channel)
    found.add(channel, begin, end, value)
