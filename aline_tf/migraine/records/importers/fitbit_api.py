"""Fitbit Web API: answers saved as JSON files, as a timeline.

| member of an answer | becomes |
|---|---|
| sleep | in_bed, asleep, awake intervals, as in the export |
| activities-heart | resting_hr; with -intraday heart_rate, the mean of each hour |
| activities-steps | steps of the day, unless -intraday has its hours |
| hrv, br | rmssd, respiratory_rate |
| tempSkin | skin_temperature, which is relative to one's own mean |

All times are those of the wall clock and name no time zone.
"""

from __future__ import annotations

from typing import Any

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers.documents import Document
from aline_tf.migraine.records.importers.fitbit_files import Dates
from aline_tf.migraine.records.importers.fitbit_sleep import BadNight, read_night
from aline_tf.migraine.records.importers.gathered import Gathered, Refused
from aline_tf.migraine.records.importers.sleep_sources import AWAKE, STAGE
from aline_tf.migraine.records.timeline import Timeline
from aline_tf.migraine.records.wall_clock import WallClock

MAX_BYTES = 64 << 20
SOURCE = "fitbit"
#: Member of an answer -> channel and the name of its value.
_NIGHTLY = {
    "hrv": ("rmssd", "dailyRmssd"),
    "br": ("respiratory_rate", "breathingRate"),
    "tempSkin": ("skin_temperature", "nightlyRelative"),
}
_OF_DAYS = {"activities-heart": "resting_hr", "activities-steps": "steps"}
_INTRADAY = {
    "activities-heart-intraday": ("heart_rate", "activities-heart"),
    "activities-steps-intraday": ("steps", "activities-steps"),
}
_MARKS = (b'"activities-heart"', b'"activities-steps"', b'"dailyRmssd"', b'"breathingRate"')
_MORE_MARKS = (b'"nightlyRelative"', b'"dateOfSleep"')


def is_fitbit_api_head(head: bytes) -> bool:
    """Whether a JSON file that begins like this is an answer of the API."""
    return head.lstrip()[:1] == b"{" and any(mark in head for mark in (*_MARKS, *_MORE_MARKS))


def read_fitbit_api(document: Document, clock: WallClock | None = None) -> Timeline:
    """Read an answer of the API.

    Args:
        document: a JSON file.
        clock: the wall clock of the person.

    Raises:
        InputError: it is too large, not JSON, or not an object.
    """
    loaded = document.json(MAX_BYTES)
    if not isinstance(loaded, dict):
        raise InputError(f"expected a JSON object in {document.shown}; received another value")
    reader = _Answer(loaded, Gathered(SOURCE, clock or WallClock()))
    for name, content in loaded.items():
        reader.member(name, content)
    return reader.found.timeline()


class _Answer:
    def __init__(self, loaded: dict[str, Any], found: Gathered) -> None:
        self.found = found
        self._loaded = loaded
        self._dates = Dates()

    def member(self, name: str, content: Any) -> None:
        """All entries of one member."""
        if name in _INTRADAY and isinstance(content, dict):
            channel, days = _INTRADAY[name]
            self._each(channel, content.get("dataset"), self._minute, channel, self._day(days))
        elif name == "sleep":
            self._each("sleep", content, self._night)
        elif name in _OF_DAYS:
            self._each(_OF_DAYS[name], content, self._of_day, _OF_DAYS[name])
        elif name in _NIGHTLY:
            channel, field = _NIGHTLY[name]
            self._each(channel, content, self._nightly, channel, field)
        elif isinstance(content, list):
            self.found.account.cells += len(content)
            if content:
                self.found.account.pass_over(name, len(content))

    def _each(self, channel: str, entries: Any, read, *arguments: Any) -> None:
        account = self.found.account
        for entry in entries if isinstance(entries, list) else ():
            account.cells += 1
            try:
                if not isinstance(entry, dict):
                    raise Refused(f"{channel}: not an object", entry)
                read(entry, *arguments)
                account.use(channel)
            except Refused as reason:
                account.skip(str(reason), reason.example)
            except BadNight as reason:
                account.skip(str(reason), entry.get("startTime"))

    def _day(self, name: str) -> Any:
        """The day that a series of minutes is of, which stands beside it."""
        days = self._loaded.get(name)
        first = days[0] if isinstance(days, list) and days else None
        return first.get("dateTime") if isinstance(first, dict) else None

    def _minute(self, entry: dict[str, Any], channel: str, day: Any) -> None:
        if not isinstance(day, str):
            raise Refused(f"{channel}: an invalid date", day)
        value = self.found.number(entry.get("value"), channel)
        at = self.found.moment(f"{day[:10]}T{entry.get('time')}", channel)
        self.found.add(channel, at, at, value)

    def _of_day(self, entry: dict[str, Any], channel: str) -> None:
        stated = entry.get("value")
        if channel == "resting_hr":
            stated = stated.get("restingHeartRate") if isinstance(stated, dict) else None
        elif self._loaded.get("activities-steps-intraday", {}).get("dataset"):
            raise Refused("steps: also in the finer files", stated)
        if stated is None:
            raise Refused(f"{channel}: days without a value", entry.get("dateTime"))
        value = self.found.number(stated, channel)
        begin, end = self.found.day(entry.get("dateTime"), channel)
        self.found.add(channel, begin, end, value)

    def _nightly(self, entry: dict[str, Any], channel: str, field: str) -> None:
        value = entry.get("value")
        stated = value.get(field) if isinstance(value, dict) else None
        if stated is None:
            raise Refused(f"{channel}: days without a value", entry.get("dateTime"))
        at = self.found.noon(entry.get("dateTime"), channel)
        self.found.add(channel, at, at, self.found.number(stated, channel))

    def _night(self, entry: dict[str, Any]) -> None:
        self.found.wall_times()
        night = read_night(entry, self._dates, self.found.clock)
        bounds = ((night.begin, night.offset), (night.end, night.end_offset))
        self.found.sleep("in_bed", "", *bounds)
        for channel, kind, spans in (
            ("asleep", STAGE, night.asleep),
            ("awake", AWAKE, night.awake),
        ):
            for span in spans:
                self.found.sleep(channel, kind, *((at, night.offset) for at in span))
        if not night.asleep and night.main and night.bed_s:
            end = bounds[1]
            self.found.add("sleep_hours", end, end, night.asleep_s / 3600)
            self.found.add("sleep_efficiency", end, end, night.asleep_s / night.bed_s)
