"""FHIR R4: observations in a Bundle, one resource, or one a line (NDJSON), as a timeline.

| LOINC | becomes | day it belongs to |
|---|---|---|
| 8867-4 heart rate | heart_rate | |
| 40443-4 resting heart rate | resting_hr | |
| 80404-7 R-R interval standard deviation | sdnn | |
| 9279-1 respiratory rate | respiratory_rate | |
| 93832-4 sleep duration | sleep_hours | that of waking; the longest sleep of a day is the night |
| 55423-8, 41950-7 steps | steps | |
| 72514-3 pain severity 0-10 | pain | |

Observations that this project wrote carry the name of their channel and come back exactly
(`aline_tf.migraine.records.fhir_export`). Units are read, never assumed, and converted. A value
that is absent because the person was asked and declined is "not answered". Resources that are no
observations, or whose code is not above, are counted and passed over, and so is everything they
say of patients and places. Devices are told apart and numbered.

An observation is known from when it was issued, or else from the end of its period.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from io import BufferedReader
from typing import Any

from aline_tf.errors import InputError
from aline_tf.migraine.records.fhir_codes import CHANNEL_OF, LOINC, REFUSALS, SYSTEM
from aline_tf.migraine.records.importers.documents import Document
from aline_tf.migraine.records.importers.json_stream import (
    MAX_ELEMENT,
    OversizedElement,
    elements,
    parse,
)
from aline_tf.migraine.records.timeline import (
    DAY_S,
    KINDS,
    NOT_ANSWERED,
    OBSERVED,
    ImportSummary,
    Timeline,
)
from aline_tf.migraine.records.units import convert
from aline_tf.migraine.records.wall_clock import WallClock

#: FHIR statuses of observations that stand.
_STANDING = ("final", "amended", "corrected", "preliminary")
#: Channels that a date without a time of day is enough for.
_DAILY = ("resting_hr", "sdnn", "respiratory_rate", "sleep_hours", "steps")
EVENING_S = 18 * 3600
LONGEST_S = {"heart_rate": DAY_S, "steps": 2 * DAY_S, "pain": 7 * DAY_S, "attack": 7 * DAY_S}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
MAX_REASONS = 60


def read_fhir(document: Document, clock: WallClock | None = None) -> Timeline:
    """Read a bundle, a resource or lines of resources.

    Args:
        document: a JSON or NDJSON file.
        clock: tells the offset of dates that have none. None takes them as UTC.

    Raises:
        InputError: the file is not JSON, breaks off, or is not FHIR.
    """
    reader = _Observations(clock or WallClock())
    with document.opener() as stream:
        found = False
        for resource in _resources(stream, document.suffix in (".jsonl", ".ndjson")):
            found = found or (isinstance(resource, dict) and "resourceType" in resource)
            reader.read(resource)
    if not found and not is_fhir_head(document.head()):
        raise InputError(
            f"expected a FHIR bundle or resource; received {document.shown}, without resources"
        )
    return reader.timeline()


def is_fhir_head(head: bytes) -> bool:
    """Whether a JSON file that begins like this is FHIR."""
    return b'"resourceType"' in head


def _resources(stream: BufferedReader, by_line: bool) -> Iterator[Any]:
    """The resources of a file; those of a bundle one by one."""
    if by_line:
        while line := stream.readline(MAX_ELEMENT):
            if line.strip():
                yield parse(_decoded(line))
        return
    head = stream.peek(1 << 16)
    if head.lstrip()[:1] == b"[" or b'"entry"' in head or b'"Bundle"' in head[:4096]:
        for entry in elements(stream, "entry"):
            yield _unwrapped(entry)
        return
    data = stream.read(MAX_ELEMENT + 1)
    if len(data) > MAX_ELEMENT:
        raise InputError("expected a FHIR bundle or a resource of at most 1 MiB; received neither")
    resource = parse(_decoded(data))
    if not isinstance(resource, dict) or "resourceType" not in resource:
        raise InputError("expected a FHIR bundle or a resource; received other JSON")
    if resource["resourceType"] != "Bundle":
        yield resource


def _unwrapped(entry: Any) -> Any:
    return entry.get("resource") if isinstance(entry, dict) and "resource" in entry else entry


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("expected FHIR in UTF-8; received another encoding") from error


class _Skip(Exception):
    """A resource that cannot be used; the message is the reason, without its value."""


class _Observations:
    """Turns resources into rows of a timeline, keeping counts."""

    def __init__(self, clock: WallClock) -> None:
        self._clock = clock
        self._rows: list[tuple] = []
        self._nights: dict[tuple[str, int], tuple] = {}
        self._read: Counter[str] = Counter()
        self._skipped: Counter[str] = Counter()
        self._sources: dict[str, str] = {}

    def read(self, resource: Any) -> None:
        try:
            self._observation(resource)
        except _Skip as reason:
            text = str(reason)
            if text not in self._skipped and len(self._skipped) >= MAX_REASONS:
                text = "other reasons"
            self._skipped[text] += 1

    def timeline(self) -> Timeline:
        rows = self._rows + list(self._nights.values())
        return Timeline.from_rows(rows, ImportSummary(dict(self._read), dict(self._skipped)))

    def _observation(self, resource: Any) -> None:
        if isinstance(resource, OversizedElement):
            raise _Skip("resources of more than 1 MiB")
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            raise _Skip("entries that are no resources")
        if resource["resourceType"] != "Observation":
            raise _Skip("resources that are no observations")
        channel, is_ours = _channel(resource.get("code"))
        if resource.get("status") not in _STANDING:
            raise _Skip(f"{channel}: not final, or withdrawn")
        value, status = _value(resource, channel)
        time, end, offset, end_offset = self._when(resource, channel, is_ours)
        known = self._known(resource, time if end is None else end)
        if channel == "sleep_hours" and not is_ours:
            time = end = _waking(time, end, offset, value)
            offset = end_offset
        row = (
            time,
            end,
            max(known, time),
            offset,
            end_offset,
            channel,
            value,
            KINDS[channel].unit,
            status,
            self._source(resource, is_ours),
        )
        if channel == "sleep_hours" and not is_ours:
            self._night(row)
        else:
            self._rows.append(row)
        self._read[channel] += 1

    def _night(self, row: tuple) -> None:
        """Keep the longest sleep that ended on a day; the others were naps."""
        key = (row[9], (row[1] + 60 * row[4]) // DAY_S)
        kept = self._nights.get(key)
        if kept is not None:
            self._read["sleep_hours"] -= 1
            self._skipped["sleep_hours: shorter than another of the same day"] += 1
        if kept is None or row[6] > kept[6]:
            self._nights[key] = row

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
                raise _Skip(f"{channel}: a period without an end")
            _, end, end_offset = self._moment(period.get("end"), channel)
        else:
            moment = resource.get("effectiveDateTime", resource.get("effectiveInstant"))
            begin, end, offset = self._moment(moment, channel)
            end_offset = offset
            if end > begin:
                end_offset = self._clock.offset_at(end) if self._clock.is_known else offset
        if end < begin:
            raise _Skip(f"{channel}: ends before it starts")
        if not is_ours and end - begin > LONGEST_S.get(channel, 2 * DAY_S):
            raise _Skip(f"{channel}: lasts too long")
        return begin, end, offset, end_offset

    def _moment(self, text: Any, channel: str) -> tuple[int, int, int]:
        """First and last second that a FHIR dateTime covers, and its offset."""
        if not isinstance(text, str) or not _DATE.match(text):
            raise _Skip(f"{channel}: without a date")
        try:
            if len(text) == 10:
                if channel not in _DAILY:
                    raise _Skip(f"{channel}: a date without a time of day")
                midnight = (date.fromisoformat(text) - date(1970, 1, 1)).days * DAY_S
                begin, offset = self._clock.utc_of_wall(midnight)
                return begin, self._clock.utc_of_wall(midnight + DAY_S)[0], offset
            moment = datetime.fromisoformat(text)
            if not 1990 <= moment.year <= 2200:
                raise ValueError("not a year in which anything was recorded")
        except (ValueError, OverflowError):
            raise _Skip(f"{channel}: an invalid date") from None
        if moment.tzinfo is None:
            raise _Skip(f"{channel}: a time of day without a time zone")
        second = math.floor(moment.timestamp())
        offset = round(moment.utcoffset().total_seconds() / 60)
        # "Z" says when it was and not what the clock on the wall showed.
        if text.endswith("Z") and self._clock.is_known:
            offset = self._clock.offset_at(second)
        if abs(offset) > 16 * 60:
            raise _Skip(f"{channel}: an invalid date")
        return second, second, offset

    def _known(self, resource: dict, end: int) -> int:
        try:
            issued = datetime.fromisoformat(resource["issued"])
            if issued.tzinfo is None or not 1990 <= issued.year <= 2200:
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
        name = json.dumps(device, sort_keys=True)[:1000] if isinstance(device, dict) else ""
        if is_ours and isinstance(device, dict) and isinstance(device.get("display"), str):
            return device["display"][:200]
        if name not in self._sources:
            self._sources[name] = f"fhir/{len(self._sources) + 1}" if name else "fhir"
        return self._sources[name]


def _channel(code: Any) -> tuple[str, bool]:
    """The channel of a CodeableConcept, and whether this project wrote it."""
    codings = code.get("coding") if isinstance(code, dict) else None
    pairs = [
        (coding.get("system"), coding.get("code"))
        for coding in (codings if isinstance(codings, list) else ())
        if isinstance(coding, dict) and isinstance(coding.get("code"), str)
    ]
    for system, name in pairs:
        if system == SYSTEM and name in KINDS:
            return name, True
    for system, name in pairs:
        if system == LOINC and name in CHANNEL_OF:
            return CHANNEL_OF[name], False
    raise _Skip("observations with codes that are not used")


def _value(resource: dict, channel: str) -> tuple[float, int]:
    """The value in the unit of the channel and its status."""
    kind = KINDS[channel]
    quantity = resource.get("valueQuantity")
    if isinstance(quantity, dict):
        if quantity.get("comparator"):
            raise _Skip(f"{channel}: only a bound on the value")
        value = _converted(quantity, channel)
    elif isinstance(resource.get("valueBoolean"), bool) and kind.unit == "":
        value = float(resource["valueBoolean"])
    elif isinstance(resource.get("valueInteger"), int) and kind.unit in ("0-10", "count"):
        value = float(resource["valueInteger"])
    else:
        reason = resource.get("dataAbsentReason")
        codings = reason.get("coding") if isinstance(reason, dict) else None
        for coding in codings if isinstance(codings, list) else ():
            if isinstance(coding, dict) and coding.get("code") in REFUSALS:
                return 0.0, NOT_ANSWERED
        raise _Skip(f"{channel}: without a value")
    if not (math.isfinite(value) and kind.low <= value <= kind.high):
        raise _Skip(f"{channel}: a value out of range")
    return value, OBSERVED


def _converted(quantity: dict, channel: str) -> float:
    number = quantity.get("value")
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise _Skip(f"{channel}: not a number")
    unit = KINDS[channel].unit
    stated = (quantity.get(name) for name in ("code", "unit"))
    spellings = [text for text in stated if isinstance(text, str)] or [""]
    for spelling in spellings:
        try:
            return convert(float(number), spelling, unit)
        except (KeyError, OverflowError):
            continue
    shown = "".join(c for c in spellings[0] if c.isprintable())[:12] or "(none)"
    raise _Skip(f"{channel}: unit {shown} instead of {unit}")


def _waking(time: int, end: int | None, offset: int, hours: float) -> int:
    """When a sleep ended: the end of its period; an instant in the evening is its beginning."""
    if end is not None and end > time:
        return end - 1 if (end + 60 * offset) % DAY_S == 0 and end - time >= DAY_S - 7200 else end
    evening = (time + 60 * offset) % DAY_S >= EVENING_S
    return time + round(3600 * hours) if evening else time
