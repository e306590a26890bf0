"""Oura: what its members' hub exports and what its API (version 2) answers, as a timeline.

| document of the API | becomes |
|---|---|
| sleep: total_sleep_duration, efficiency | sleep_hours, sleep_efficiency |
| sleep: average_hrv, average_breath, lowest_heart_rate | rmssd, respiratory_rate, resting_hr |
| sleep: sleep_phase_5_min | asleep, awake intervals, instead of the hours |
| readiness.temperature_deviation (of a night or a day) | skin_temperature |
| daily_activity: steps | steps of the day |
| heartrate: bpm | heart_rate, the mean of each hour |

A file is one answer ({"data": [...]}), an export of many ({"sleep": [...], ...}) or the table of
trends that the hub writes, a row a day. The heart rate at rest is the lowest of the night: Oura
states no other. Scores are Oura's own, and counted as unused with all else.
"""

from __future__ import annotations

import csv
import io
from typing import Any

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers.documents import Document
from aline_tf.migraine.records.importers.gathered import Gathered, Moment, Refused
from aline_tf.migraine.records.importers.sleep_sources import AWAKE, STAGE
from aline_tf.migraine.records.timeline import Timeline
from aline_tf.migraine.records.wall_clock import WallClock

MAX_BYTES = 256 << 20
SOURCE = "oura"
_PHASE_S = 300
_PHASES = {"1": ("asleep", STAGE), "2": ("asleep", STAGE), "3": ("asleep", STAGE)}
_PHASES["4"] = ("awake", AWAKE)
#: Field of a sleep -> channel.
_OF_SLEEP = {
    "average_hrv": "rmssd",
    "average_breath": "respiratory_rate",
    "lowest_heart_rate": "resting_hr",
}
#: Column of the table of trends -> channel and the unit it is stated in.
_TRENDS = {
    "total sleep duration": ("sleep_hours", "s"),
    "sleep efficiency": ("sleep_efficiency", "%"),
    "average hrv": ("rmssd", "ms"),
    "lowest resting heart rate": ("resting_hr", "bpm"),
    "respiratory rate": ("respiratory_rate", "/min"),
    "temperature deviation (\u00b0c)": ("skin_temperature", "C"),
    "steps": ("steps", "count"),
}
#: Nights of less than half an hour are stated in minutes or hours, hundredths of a per cent shares.
_LEAST = {"sleep_hours": 0.5, "sleep_efficiency": 0.0101}
_TELLING = ("total sleep duration", "average hrv", "lowest resting heart rate")


def is_oura_head(head: bytes) -> bool:
    """Whether a JSON file that begins like this is of Oura."""
    marks = (
        b'"bedtime_start"',
        b'"total_sleep_duration"',
        b'"contributors"',
        b'"sleep_phase_5_min"',
    )
    return any(mark in head for mark in marks) or (
        b'"bpm"' in head and b'"source"' in head and b'"timestamp"' in head
    )


def is_oura_table(head: bytes) -> bool:
    """Whether a CSV file that begins like this is Oura's table of trends."""
    line = head.split(b"\n", 1)[0].decode("utf-8-sig", "replace").lower()
    return "date" in line and sum(name in line for name in _TELLING) >= 2


def read_oura(document: Document, clock: WallClock | None = None) -> Timeline:
    """Read a file of Oura.

    Args:
        document: JSON, or the CSV table of trends.
        clock: the wall clock, for days that name no offset.

    Raises:
        InputError: it is too large, or neither.
    """
    found = Gathered(SOURCE, clock or WallClock())
    if document.suffix == ".csv":
        _Trends(found).read(document)
        return found.timeline()
    loaded = document.json(MAX_BYTES)
    reader = _Documents(found)
    parts = loaded if isinstance(loaded, dict) else {"data": loaded}
    for name, entries in parts.items():
        if isinstance(entries, dict) and isinstance(entries.get("data"), list):
            entries = entries["data"]
        for entry in entries if isinstance(entries, list) else ():
            reader.read(name, entry)
    return found.timeline()


class _Documents:
    """Documents of the API, told apart by what they hold."""

    def __init__(self, found: Gathered) -> None:
        self._found = found

    def read(self, name: str, entry: Any) -> None:
        account = self._found.account
        account.cells += 1
        try:
            if not isinstance(entry, dict):
                raise Refused(f"{name}: not an object", entry)
            if "bedtime_start" in entry:
                channel = self._sleep(entry)
            elif "bpm" in entry:
                channel = self._pulse(entry)
            elif "steps" in entry and "day" in entry:
                channel = self._steps(entry)
            elif "temperature_deviation" in entry:
                channel = self._temperature(entry)
            else:
                account.pass_over(name if name != "data" else ", ".join(sorted(entry)[:4]))
                return
            account.use(channel)
        except Refused as reason:
            account.skip(str(reason), reason.example)

    def _sleep(self, entry: dict[str, Any]) -> str:
        found = self._found
        begin, end = (found.moment(entry.get(f"bedtime_{n}"), "sleep") for n in ("start", "end"))
        if entry.get("type") in ("deleted", "rest"):
            raise Refused("sleep: withdrawn")
        phases = entry.get("sleep_phase_5_min")
        is_nap = entry.get("type") not in (None, "long_sleep")
        if isinstance(phases, str) and phases:
            found.sleep("in_bed", "", begin, end)
            self._phases(phases, begin, end)
        elif not is_nap:
            self._length(entry, begin, end)
            found.sleep("in_bed", "", begin, end)
        stated = {channel: entry.get(field) for field, channel in _OF_SLEEP.items()}
        readiness = entry.get("readiness")
        if isinstance(readiness, dict):
            stated["skin_temperature"] = readiness.get("temperature_deviation")
        for channel, value in stated.items():
            # Of a nap and of the night the night speaks for the day.
            if value is not None and not is_nap:
                self._at_waking(channel, value, end)
        return "sleep"

    def _at_waking(self, channel: str, value: Any, end: Moment) -> None:
        """A value of the night, counted by itself."""
        found = self._found
        found.account.cells += 1
        try:
            found.add(channel, end, end, found.number(value, channel))
            found.account.use(channel)
        except Refused as reason:
            found.account.skip(str(reason), reason.example)

    def _phases(self, phases: str, begin: Moment, end: Moment) -> None:
        place = 0
        while place < len(phases):
            stop = place
            while stop < len(phases) and phases[stop] == phases[place]:
                stop += 1
            kind = _PHASES.get(phases[place])
            start = begin[0] + place * _PHASE_S
            until = min(begin[0] + stop * _PHASE_S, end[0])
            if kind is not None and until > start:
                offsets = (begin[1] if at < end[0] else end[1] for at in (start, until))
                self._found.sleep(*kind, *zip((start, until), offsets, strict=True))
            place = stop

    def _length(self, entry: dict[str, Any], begin: Moment, end: Moment) -> None:
        found = self._found
        hours = found.number(entry.get("total_sleep_duration"), "sleep_hours", "s")
        found.night(begin, end, hours)

    def _pulse(self, entry: dict[str, Any]) -> str:
        found = self._found
        at = found.moment(entry.get("timestamp"), "heart_rate")
        found.add("heart_rate", at, at, found.number(entry["bpm"], "heart_rate"))
        return "heart_rate"

    def _steps(self, entry: dict[str, Any]) -> str:
        begin, end = self._found.day(entry["day"], "steps")
        self._found.add("steps", begin, end, self._found.number(entry["steps"], "steps"))
        return "steps"

    def _temperature(self, entry: dict[str, Any]) -> str:
        if entry["temperature_deviation"] is None:
            raise Refused("skin_temperature: days without a value")
        at = self._found.noon(entry.get("day"), "skin_temperature")
        value = self._found.number(entry["temperature_deviation"], "skin_temperature")
        self._found.add("skin_temperature", at, at, value)
        return "skin_temperature"


class _Trends:
    """The table of trends: a row a day, a column a value."""

    def __init__(self, found: Gathered) -> None:
        self._found = found

    def read(self, document: Document) -> None:
        text = document.text(MAX_BYTES, others=True)
        rows = csv.reader(io.StringIO(text, newline=""))
        header = [name.strip().lower() for name in next(rows, [])]
        if "date" not in header:
            raise InputError(f"expected a column date in {document.shown}; received none")
        for row in rows:
            cells = dict(zip(header, (cell.strip() for cell in row), strict=False))
            for name, cell in cells.items():
                if name != "date" and cell:
                    self._cell(name, cell, cells["date"], len(row) > len(header))

    def _cell(self, name: str, cell: str, day: str, is_ragged: bool) -> None:
        found = self._found
        found.account.cells += 1
        if name not in _TRENDS:
            found.account.pass_over(name)
            return
        channel, unit = _TRENDS[name]
        try:
            if is_ragged:
                raise Refused(f"{channel}: more cells than the header", cell)
            value = found.number(cell, channel, unit)
            if 0 < value < _LEAST.get(channel, 0.0):
                raise Refused(f"{channel}: another unit than {unit}", cell)
            begin, end = found.day(day, channel)
            if channel != "steps":
                begin = end = found.noon(day, channel)
            found.add(channel, begin, end, value)
            found.account.use(channel)
        except Refused as reason:
            found.account.skip(str(reason), reason.example)
