"""FHIR R4: observations in a Bundle, one resource, or one a line (NDJSON), as a timeline.

| LOINC | becomes | day it belongs to |
|---|---|---|
| 8867-4 heart rate | heart_rate, the mean of each hour and device | |
| 40443-4 resting heart rate | resting_hr | |
| 80404-7 R-R interval standard deviation | sdnn | |
| 9279-1 respiratory rate | respiratory_rate | |
| 93832-4 sleep duration | sleep_hours | that of waking; the longest sleep of a day is the night |
| 55423-8, 41950-7 steps | steps | |
| 72514-3 pain severity 0-10 | pain | |

Observations that this project wrote carry the name of their channel and come back exactly
(`aline_tf.migraine.records.fhir_export`). Units are read, never assumed, and converted. A value
that is absent because the person was asked and declined is "not answered". Components count as
observations of their own. Resources that are no observations, or whose code is not above, are
counted by type and code, and everything they say of patients and places is passed over. Devices
are told apart and numbered.

Of an observation that was amended or corrected the last version counts; one that was entered in
error or cancelled is withdrawn, with its earlier versions, in whichever file they are.

An observation is known from when it was issued, or else from the end of its period. Times in "Z"
say nothing of the wall clock: they take it from other times of the same files, when nothing else
is known, and else are days of UTC, which is noted.
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers.account import Account
from aline_tf.migraine.records.importers.documents import Document
from aline_tf.migraine.records.importers.fhir_files import (
    has_versions,
    is_fhir_head,
    resources,
    unwrapped,
)
from aline_tf.migraine.records.importers.fhir_values import Skip, Unused, channel_of, value_of
from aline_tf.migraine.records.importers.fhir_versions import Version, order_of
from aline_tf.migraine.records.importers.json_stream import OversizedElement
from aline_tf.migraine.records.importers.sleep_sources import implausible
from aline_tf.migraine.records.timeline import DAY_S, KINDS, OBSERVED, ImportSummary, Timeline
from aline_tf.migraine.records.wall_clock import WallClock, wall_midnight

#: FHIR statuses of observations that stand, and of those that were taken back.
_STANDING = ("final", "amended", "corrected", "appended", "preliminary")
_WITHDRAWN = ("entered-in-error", "cancelled")
#: Channels that a date without a time of day is enough for.
_DAILY = ("resting_hr", "sdnn", "respiratory_rate", "sleep_hours", "steps")
_REPLACED = "replaced by a later version"
EVENING_S = 18 * 3600
HOUR_S = 3600
#: What is stated of a longer time is of a day, and not of the time in bed.
LONGEST_NIGHT_S = 20 * HOUR_S
LONGEST_S = {"heart_rate": DAY_S, "steps": 2 * DAY_S, "pain": 7 * DAY_S, "attack": 7 * DAY_S}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_FIRST_YEAR, _LAST_YEAR = 1990, 2199


def read_fhir(document: Document, clock: WallClock | None = None) -> Timeline:
    """Read one file. Arguments and errors as for `read_observations`."""
    timeline, _ = read_observations([document], clock)
    return timeline


def read_observations(
    documents: Sequence[Document], clock: WallClock | None = None
) -> tuple[Timeline, list[ImportSummary]]:
    """Read bundles, resources and lines of resources of one person.

    Args:
        documents: JSON or NDJSON files.
        clock: tells the offset of dates that have none. None takes them as UTC.

    Returns:
        the timeline of all of them, and what was read of each.

    Raises:
        InputError: a file is not JSON, breaks off, or is not FHIR.
    """
    reader = _Observations(clock or WallClock(), any(map(has_versions, documents)))
    for document in documents:
        reader.open(document)
        try:
            with document.opener() as stream:
                found = False
                for resource in resources(stream, document.suffix in (".jsonl", ".ndjson")):
                    found = found or (isinstance(resource, dict) and "resourceType" in resource)
                    reader.read(resource)
        except InputError as error:
            if document.shown in str(error):
                raise
            raise InputError(f"{error}, in {document.shown}") from error
        if not found and not is_fhir_head(document.head()):
            raise InputError(
                f"expected a FHIR bundle or resource; received {document.shown}, without resources"
            )
    return reader.timeline()


class _Observations:
    """Turns resources into rows of a timeline, keeping the account of each file."""

    def __init__(self, clock: WallClock, versions: bool) -> None:
        self._clock = clock
        self._accounts: list[Account] = []
        self._account = Account()
        # Number -> row and the account it was counted in; numbers count observations.
        self._rows: dict[int, tuple[tuple, Account]] = {}
        self._sleeps: list[int] = []
        # (source, hour, offset) -> [sum, count, last known second]; offset None: to be found.
        self._hours: dict[tuple[str, int, int | None], list[float]] = {}
        self._versions: dict[tuple[str, str], Version] | None = {} if versions else None
        self._short: list[int] = []
        # Number of a row without a wall clock -> whether it is a whole day, and no moment.
        self._unset: dict[int, bool] = {}
        self._sources: dict[str, str] = {}
        # The same by how a device is spelt, which is quicker to look up.
        self._spelt: dict[str, str] = {}
        self._subjects: set[str] = set()
        self._number = 0

    def open(self, document: Document) -> None:
        """Count what follows for this file."""
        self._account, self._subjects = Account(), set()
        self._accounts.append(self._account)

    def read(self, resource: Any) -> None:
        """Take in a resource: an observation, or anything else, which is counted.

        Bundles inside a bundle are opened, and so are observations inside another resource.
        """
        inner = resource.get("contained") if isinstance(resource, dict) else None
        for part in inner if isinstance(inner, list) else ():
            if isinstance(part, dict) and part.get("resourceType") == "Observation":
                self.read(part)
        if isinstance(resource, dict) and resource.get("resourceType") == "Bundle":
            entries = resource.get("entry")
            for entry in entries if isinstance(entries, list) else ():
                self.read(unwrapped(entry))
            return
        parts = [(resource, None)]
        if isinstance(resource, dict) and isinstance(resource.get("component"), list):
            parts = [(c, resource) for c in resource["component"]]
            # Of a panel only the components say something.
            if any(name.startswith(("value", "dataAbsent")) for name in resource) or not parts:
                parts.append((resource, None))
        for part, whole in parts:
            self._account.cells += 1
            self._number += 1
            try:
                self._observation(part, whole)
            except Unused as name:
                self._account.pass_over(str(name))
            except Skip as skip:
                self._account.skip(str(skip), skip.example)

    def timeline(self) -> tuple[Timeline, list[ImportSummary]]:
        """What was read, and the account of each file."""
        self._drop_naps()
        self._put_into_hours()
        clock = self._clock
        hours_unset = any(key[2] is None for key in self._hours)
        if not clock.is_known and (self._unset or hours_unset):
            seen = [row for n, (row, _) in self._rows.items() if n not in self._unset and row[3]]
            clock = WallClock(None, [row[0] for row in seen], [row[3] for row in seen])
            if not clock.is_known:
                self._accounts[-1].note(
                    "no time zone is known for the FHIR observations: days are those of UTC"
                    " (--zone names one)"
                )
        rows = [
            self._set(row, clock, self._unset[number]) if number in self._unset else row
            for number, (row, _) in self._rows.items()
        ]
        for (source, hour, offset), (total, count, known) in self._hours.items():
            begin = hour * HOUR_S - 60 * (offset or 0)
            offset = clock.offset_at(begin) if offset is None else offset
            value, unit = total / count, KINDS["heart_rate"].unit
            span = (begin, begin + HOUR_S, max(int(known), begin), offset, offset)
            rows.append((*span, "heart_rate", value, unit, OBSERVED, source))
        summaries = [account.summary() for account in self._accounts]
        return Timeline.from_rows(rows, sum(summaries, ImportSummary())), summaries

    @staticmethod
    def _set(row: tuple, clock: WallClock, is_day: bool) -> tuple:
        """A row on a wall clock that was found later."""
        time, end, known, *_, channel, value, unit, status, source = row
        if is_day:
            (time, offset), (end, end_offset) = clock.utc_of_wall(time), clock.utc_of_wall(end)
            known = max(known, end)
        else:
            offset = clock.offset_at(time)
            end_offset = clock.offset_at(time if end is None else end)
        known = max(known, time)
        return (time, end, known, offset, end_offset, channel, value, unit, status, source)

    def _observation(self, resource: Any, whole: Any) -> None:
        if isinstance(resource, OversizedElement):
            raise Skip("resources of more than 1 MiB")
        frame = resource if whole is None else whole
        if not isinstance(frame, dict) or not isinstance(frame.get("resourceType"), str):
            raise Skip("entries that are no resources")
        if frame["resourceType"] != "Observation":
            raise Unused(frame["resourceType"])
        if not isinstance(resource, dict):
            raise Skip("components that are none")
        channel, is_ours = channel_of(resource.get("code"))
        withdrawn = frame.get("status") in _WITHDRAWN
        if not withdrawn and frame.get("status") not in _STANDING:
            raise Skip(f"{channel}: not final", frame.get("status"))
        if withdrawn:
            if self._versions is not None:
                self._is_newest(frame, channel, None)
            raise Skip(f"{channel}: withdrawn")
        value, status = value_of(resource, channel)
        time, end, offset, end_offset = self._when(frame, channel, is_ours)
        known = self._known(frame, time if end is None else end)
        if channel == "sleep_hours" and not is_ours:
            length = 0 if end is None else end - time
            reason = implausible(HOUR_S * value, length) if 0 < length < LONGEST_NIGHT_S else None
            if status == OBSERVED and reason:
                raise Skip(f"sleep_hours: {reason}", value)
            time = end = _waking(time, end, offset, value)
            offset = end_offset
        source = self._source(frame, is_ours)
        if self._versions is not None and not self._is_newest(frame, channel, time):
            raise Skip(f"{channel}: {_REPLACED}")
        is_short = channel == "heart_rate" and end is not None and end - time <= HOUR_S
        # With versions each reading has to be found again, so that there hours wait for the end.
        if is_short and not is_ours and self._versions is None:
            self._hour(source, time, None if self._is_unset(frame) else offset, value, known)
        else:
            unit = KINDS[channel].unit
            row = (time, end, max(known, time), offset, end_offset, channel, value, unit, status)
            self._rows[self._number] = ((*row, source), self._account)
            if not is_ours and self._is_unset(frame):
                self._unset[self._number] = len(_moment_of(frame)) == 10
            if not is_ours and channel == "sleep_hours":
                self._sleeps.append(self._number)
            elif is_short and not is_ours:
                self._short.append(self._number)
        self._account.use(channel)
        if not is_ours:
            self._look_at_subject(frame.get("subject"))

    def _look_at_subject(self, subject: Any) -> None:
        """Say so when a file is of several people, whose names are not kept."""
        reference = subject.get("reference") if isinstance(subject, dict) else None
        if isinstance(reference, str) and len(self._subjects) < 2:
            self._subjects.add(reference)
            if len(self._subjects) == 2:
                self._account.note(
                    "the observations of a file are of several patients, and were read as those of"
                    " one person: take out what is of others"
                )

    def _is_newest(self, resource: dict, channel: str, time: int | None) -> bool:
        """Whether this version is the last so far of its observation; an earlier one goes."""
        name = resource.get("id")
        if not isinstance(name, str):
            return True
        order = order_of(resource)
        kept = self._versions.get((name, channel))
        if kept is not None:
            # Two readings under one name, with nothing that says which came later, are two.
            if order == kept.order and time != kept.time:
                return True
            if order <= kept.order:
                return False
            if kept.number is not None:
                _, account = self._rows.pop(kept.number)
                self._unset.pop(kept.number, None)
                account.use(channel, -1)
                account.skip(f"{channel}: {'withdrawn' if time is None else _REPLACED}")
        number = None if time is None else self._number
        self._versions[name, channel] = Version(order, time, number)
        return True

    def _hour(self, source: str, time: int, offset: int | None, value: float, known: int) -> None:
        key = (source, (time + 60 * (offset or 0)) // HOUR_S, offset)
        kept = self._hours.get(key)
        if kept is None:
            self._hours[key] = [value, 1, max(known, time)]
        else:
            kept[0] += value
            kept[1] += 1
            kept[2] = max(kept[2], known, time)

    def _put_into_hours(self) -> None:
        """Readings that were kept one by one, as long as a later version could replace them."""
        for number in self._short:
            found = self._rows.pop(number, None)
            if found is not None:
                time, _, known, offset, *_ = row = found[0]
                self._hour(row[9], time, None if number in self._unset else offset, row[6], known)
                self._unset.pop(number, None)

    def _drop_naps(self) -> None:
        """Keep the longest sleep that ended on a day; the others were naps."""
        days: dict[tuple[str, int], list[int]] = defaultdict(list)
        for number in self._sleeps:
            if number in self._rows:
                row = self._rows[number][0]
                days[row[9], (row[1] + 60 * row[4]) // DAY_S].append(number)
        for numbers in days.values():
            longest = max(numbers, key=lambda n: (self._rows[n][0][6], -self._rows[n][0][0]))
            for number in numbers:
                if number != longest:
                    _, account = self._rows.pop(number)
                    account.use("sleep_hours", -1)
                    account.skip("sleep_hours: shorter than another of the same day")

    def _is_unset(self, resource: dict) -> bool:
        """Whether its time is one of UTC or a day, and nothing known puts it on a wall clock."""
        moment = "" if self._clock.is_known else _moment_of(resource)
        return moment.endswith("Z") or len(moment) == 10

    def _when(
        self, resource: dict, channel: str, is_ours: bool
    ) -> tuple[int, int | None, int, int]:
        """Start, end (None for an attack that has none) and their offsets."""
        period = resource.get("effectivePeriod")
        if isinstance(period, dict):
            begin, _, offset = self._moment(period.get("start"), channel)
            if period.get("end") is None and channel == "attack":
                return begin, None, offset, self._issued_offset(resource, offset)
            if period.get("end") is None:
                raise Skip(f"{channel}: a period without an end")
            _, end, end_offset = self._moment(period.get("end"), channel)
        else:
            moment = resource.get("effectiveDateTime", resource.get("effectiveInstant"))
            begin, end, offset = self._moment(moment, channel)
            end_offset = offset
            if end > begin:
                end_offset = self._clock.offset_at(end) if self._clock.is_known else offset
        if end < begin:
            raise Skip(f"{channel}: ends before it starts", _moment_of(resource))
        if not is_ours and end - begin > LONGEST_S.get(channel, 2 * DAY_S):
            raise Skip(f"{channel}: lasts too long", f"{(end - begin) // HOUR_S} hours")
        return begin, end, offset, end_offset

    def _moment(self, text: Any, channel: str) -> tuple[int, int, int]:
        """First and last second that a FHIR dateTime covers, and its offset."""
        if not isinstance(text, str) or not _DATE.match(text):
            raise Skip(f"{channel}: without a date", text)
        try:
            if len(text) == 10:
                if channel not in _DAILY:
                    raise Skip(f"{channel}: a date without a time of day", text)
                day = date.fromisoformat(text)
                if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
                    raise ValueError("not a year in which anything was recorded")
                midnight = wall_midnight(day)
                begin, offset = self._clock.utc_of_wall(midnight)
                return begin, self._clock.utc_of_wall(midnight + DAY_S)[0], offset
            moment = datetime.fromisoformat(text)
            if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
                raise ValueError("not a year in which anything was recorded")
        except (ValueError, OverflowError):
            raise Skip(f"{channel}: an invalid date", text) from None
        if moment.tzinfo is None:
            raise Skip(f"{channel}: a time of day without a time zone", text)
        second = math.floor(moment.timestamp())
        offset = round(moment.utcoffset().total_seconds() / 60)
        # "Z" says when it was and not what the clock on the wall showed.
        if text.endswith("Z") and self._clock.is_known:
            offset = self._clock.offset_at(second)
        if abs(offset) > 16 * 60:
            raise Skip(f"{channel}: an invalid date", text)
        return second, second, offset

    def _known(self, resource: dict, end: int) -> int:
        try:
            issued = datetime.fromisoformat(resource["issued"])
            if issued.tzinfo is None or not _FIRST_YEAR <= issued.year <= _LAST_YEAR:
                return end
            return math.floor(issued.timestamp())
        except (KeyError, TypeError, ValueError, OverflowError):
            return end

    def _issued_offset(self, resource: dict, otherwise: int) -> int:
        try:
            moment = datetime.fromisoformat(resource["issued"])
            return round(moment.utcoffset().total_seconds() / 60)
        except (AttributeError, KeyError, TypeError, ValueError):
            return otherwise

    def _source(self, resource: dict, is_ours: bool) -> str:
        device = resource.get("device")
        if not is_ours and (spelt := repr(device)) in self._spelt:
            return self._spelt[spelt]
        name = json.dumps(device, sort_keys=True)[:1000] if isinstance(device, dict) else ""
        if is_ours and isinstance(device, dict) and isinstance(device.get("display"), str):
            return device["display"][:200]
        if name not in self._sources:
            self._sources[name] = f"fhir/{len(self._sources) + 1}" if name else "fhir"
        if len(self._spelt) < 1000:
            self._spelt[repr(device)] = self._sources[name]
        return self._sources[name]


def _moment_of(resource: dict) -> str:
    """When it was, as it is written; "" where nothing is."""
    period = resource.get("effectivePeriod")
    moment = period.get("start") if isinstance(period, dict) else None
    moment = moment or resource.get("effectiveDateTime", resource.get("effectiveInstant"))
    return moment if isinstance(moment, str) else ""


def _waking(time: int, end: int | None, offset: int, hours: float) -> int:
    """When a sleep ended: the end of its period; an instant in the evening is its beginning."""
    if end is not None and end > time:
        return end - 1 if (end + 60 * offset) % DAY_S == 0 and end - time >= DAY_S - 7200 else end
    evening = (time + 60 * offset) % DAY_S >= EVENING_S
    return time + round(3600 * hours) if evening else time
