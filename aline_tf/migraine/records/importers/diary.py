"""A headache diary, one row a day, with a map from its columns to ours: CSV or JSON Lines.

No diary app documents a stable export, so the table is described by a column map, {field: column}.
Without a map the columns are expected under the names of the fields:

- `date` (required): the day, as 2025-01-31.
- `answered_at`: when the row was filled in, HH:MM or a whole time (its date may be a later one);
  20:00 when absent.
- `attack`: yes or no. Without such a column, a row without attack times means a day without one.
  "Yes" without a start is a day with an attack at an hour that is not known: one row of
  `attack_report` over the whole day with the value 1, where "no" has the value 0.
- `attack_start`, `attack_end`: HH:MM on that day, an end before the start being the next morning,
  or whole times as 2025-02-01T06:00. A blank end means that nobody noted it.
- `pain`: worst pain of the day, 0-10, put in the slots of the attack, else in the slot of the
  answer. `stress` 0-10, `prodrome` and `medication` (yes or no), put in the slot of the answer, or
  of `prodrome_time`, `medication_time`.
- The same for a part of the day: `stress_night` (00-06), `stress_morning` (06-12),
  `stress_afternoon` (12-18), `stress_evening` (18-24), and so for `pain`, `prodrome`, `medication`.
- For the day: `alcohol` (drinks), `caffeine` (cups), `missed_meal`, `menstruation` (yes or no),
  `sleep_hours`, `sleep_efficiency` (0-1 or per cent), `resting_hr`, `rmssd` and `sdnn` (ms),
  `spot_rmssd` (ms, of one minute of rest that evening),
  `skin_temperature` (C against one's own mean), `screen_time` and `busy_hours` (h),
  `pressure_change` (hPa against the day before).

A number may have its unit beside it, as "450 min" or "98 %", and is converted to the unit above. A
blank cell is missing, and so is null. "refused", "declined" or "skipped" is asked and not answered.
Everything in a row is known from the time of its answer, an attack from its start.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers.diary_table import match_columns, read_table
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
from aline_tf.migraine.records.units import convert
from aline_tf.migraine.schema.channels import SLOT_NAMES

LONGEST_ATTACK = timedelta(days=7)
ANSWERED_AT_S = 20 * 3600

_SLOT_REPORTS = ("stress", "pain", "prodrome", "medication")
_BY_SLOT = {
    f"{report}_{part}": (report, slot)
    for report in _SLOT_REPORTS
    for slot, part in enumerate(SLOT_NAMES)
}
#: Column of a whole day -> channel of the timeline.
_BY_DAY = {
    "alcohol": "alcohol",
    "caffeine": "caffeine",
    "missed_meal": "missed_meal",
    "menstruation": "menstrual_flow",
    "sleep_hours": "sleep_hours",
    "sleep_efficiency": "sleep_efficiency",
    "resting_hr": "resting_hr",
    "rmssd": "rmssd",
    SPOT_RMSSD: SPOT_RMSSD,
    "sdnn": "sdnn",
    "skin_temperature": "skin_temperature",
    "screen_time": "screen_time",
    "busy_hours": "busy_hours",
    "pressure_change": "pressure_change",
}
_TIMES = ("answered_at", "prodrome_time", "medication_time")
_ATTACK = ("attack", "attack_start", "attack_end")
#: Every field a column can be mapped to.
DIARY_FIELDS = ("date", *_TIMES, *_ATTACK, *_SLOT_REPORTS, *_BY_SLOT, *_BY_DAY)

_QUANTITY = re.compile(r"([+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?)\s*([^\d\s].{0,20})?")
_DIFFERENCES = frozenset({"skin_temperature", "pressure_change"})
_BINARY = frozenset({"missed_meal", "menstrual_flow", "prodrome", "medication"})
_YES = frozenset({"yes", "y", "true", "1", "x"})
_NO = frozenset({"no", "n", "false", "0"})
_REFUSED = frozenset({"refused", "declined", "skipped"})


def read_diary(
    path: str | Path,
    column_map: Mapping[str, str] | str | Path | None = None,
    zone: timezone = UTC,
) -> Timeline:
    """Read a diary.

    Args:
        path: in UTF-8, a CSV file separated by commas, semicolons or tabs, or a file of JSON
            Lines (.jsonl, .ndjson) with an object a row.
        column_map: {field: column name} with fields of `DIARY_FIELDS`, or a JSON file of that.
            None expects columns named like the fields; columns of other names are passed over.
        zone: the fixed offset of the diary's wall clock. `Timeline.anchored_to` replaces it when
            another source knows better.

    Returns:
        The timeline, with a summary of what was read and skipped.

    Raises:
        InputError: no such file, not a table in UTF-8, columns that do not match, or no row with
            a readable date.
    """
    return diary_from(read_table(Path(path)), column_map, zone)


def diary_from(
    table: tuple[list[str], list[list[str]]],
    column_map: Mapping[str, str] | str | Path | None = None,
    zone: timezone = UTC,
) -> Timeline:
    """Read a diary from the header and the rows of its table. Arguments as for `read_diary`."""
    header, rows = table
    columns, unused = match_columns(header, column_map, DIARY_FIELDS)
    reader = _Rows(frozenset(columns), int(zone.utcoffset(None).total_seconds()) // 60)
    example = ""
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        cells = {f: row[i].strip() if i < len(row) else "" for f, i in columns.items()}
        try:
            reader.read_row(cells)
        except _BadDate:
            example = example or cells["date"]
            reader.skipped["row: the date is not like 2025-01-31"] += 1
    if not reader.days:
        received = f"{example[:20]!r}" if example else "no rows"
        raise InputError(
            f"expected rows with a date like 2025-01-31 in column {header[columns['date']]!r};"
            f" received {received}"
        )
    notes = (f"diary columns that are not used: {unused}",) if unused else ()
    summary = ImportSummary(dict(reader.used), dict(reader.skipped), notes)
    return Timeline.from_rows(reader.rows, summary)


class _BadUnit(Exception):
    """A number with a unit that its channel cannot be had from."""


class _BadDate(Exception):
    """A row whose date cannot be read."""


class _Rows:
    """Collects the rows of a timeline from the rows of a diary."""

    def __init__(self, fields: frozenset[str], offset: int) -> None:
        self.rows: list[tuple] = []
        self.used: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self.days = 0
        self._fields = fields
        self._offset = offset
        self._midnight = 0
        self._known = 0

    def read_row(self, cells: Mapping[str, str]) -> None:
        """Add what one day's row says; times are seconds of wall clock until they are stored."""
        try:
            day = date.fromisoformat(cells["date"][:10])
        except ValueError:
            raise _BadDate from None
        if not 1990 <= day.year <= 2200:
            raise _BadDate
        self.days += 1
        self._midnight = (day - date(1970, 1, 1)).days * DAY_S
        answered = self._moment(cells, "answered_at")
        if answered is not None and answered < 0:
            self.skipped["answered_at: before the date of its row"] += 1
            answered = None
        self._known = self._midnight + (ANSWERED_AT_S if answered is None else answered)
        begin, attack = self._attack(cells)
        # What is said about an attack cannot have been known before it began.
        known = max(begin or 0, self._known - self._midnight)
        for field, channel in _BY_DAY.items():
            if field in cells:
                self._answer(field, channel, cells[field], [(0, DAY_S)])
        for field, (channel, slot) in _BY_SLOT.items():
            if field in cells:
                self._answer(field, channel, cells[field], [_slot(slot)], known)
        # Of a row that was filled in on a later day, the last slot of its own.
        now = [_slot(min((self._known - self._midnight) // SLOT_S, len(SLOT_NAMES) - 1))]
        for channel in _SLOT_REPORTS:
            if channel not in cells:
                continue
            at = self._clock(cells, f"{channel}_time")
            slots = [_slot(at // SLOT_S)] if at is not None else now
            about_attack = attack and cells[channel].lower() not in _NO
            if channel == "pain" and about_attack:
                slots = attack
            elif channel == "medication" and about_attack and at is None:
                slots = attack[:1]
            self._answer(channel, channel, cells[channel], slots, known)

    def _attack(self, cells: Mapping[str, str]) -> tuple[int | None, list[tuple[int, int]]]:
        """Record an attack and the report on the day; when it began, and its slots of this day."""
        if not self._fields.intersection(_ATTACK):
            return None, []
        reported = cells.get("attack", "").lower()
        begin = self._moment(cells, "attack_start")
        end = self._moment(cells, "attack_end")
        if begin is None:
            if reported in _NO or ("attack" not in self._fields and not cells.get("attack_start")):
                self._store("attack_report", 0, DAY_S, 0.0)
                self.used["attack_report"] += 1
            elif reported in _YES:
                # Some part of the day was an attack, and nobody says which.
                self._store("attack_report", 0, DAY_S, 1.0)
                self.used["attack"] += 1
            elif reported and reported not in _REFUSED:
                self.skipped["attack: neither yes nor no"] += 1
            return None, []
        if end is not None and end < begin and len(cells["attack_end"]) <= 5:
            end += DAY_S
        if end is not None and not begin < end <= begin + LONGEST_ATTACK.total_seconds():
            self.skipped["attack: ends before it starts, or lasts over a week"] += 1
            end = None
        self._store("attack_report", 0, DAY_S, 0.0)
        self._store("attack", begin, end, 1.0, known=begin)
        self.used["attack"] += 1
        last = DAY_S - 1 if end is not None and end > DAY_S else (end or begin + 1) - 1
        first = max(begin, 0)
        slots = range(first // SLOT_S, max(first, last) // SLOT_S + 1)
        return begin, [_slot(slot) for slot in slots if slot < len(SLOT_NAMES)]

    def _answer(
        self,
        field: str,
        channel: str,
        text: str,
        spans: list[tuple[int, int]],
        known: int | None = None,
    ) -> None:
        """Store what a cell says for each of `spans`, or count why it is not used."""
        if not text:
            return
        if text.lower() in _REFUSED:
            for begin, end in spans:
                self._store(channel, begin, end, 0.0, NOT_ANSWERED, known)
            self.used[field] += 1
            return
        try:
            value = _yes_or_no(text) if channel in _BINARY else _number(text, channel)
        except _BadUnit:
            self.skipped[f"{field}: a unit that is not one of {KINDS[channel].unit}"] += 1
            return
        if value is not None and channel == "sleep_efficiency" and value > 1:
            value /= 100
        kind = KINDS[channel]
        if value is None:
            expected = "yes or no" if channel in _BINARY else "a number"
            self.skipped[f"{field}: not {expected}"] += 1
        elif not kind.low <= value <= kind.high:
            self.skipped[f"{field}: outside {kind.low:g} to {kind.high:g}"] += 1
        else:
            if kind.unit == "0-10":
                value = float(round(value))
            for begin, end in spans:
                self._store(channel, begin, end, value, known=known)
            self.used[field] += 1

    def _store(
        self,
        channel: str,
        begin: int,
        end: int | None,
        value: float,
        status: int = OBSERVED,
        known: int | None = None,
    ) -> None:
        """Add a row; `begin` and `end` are seconds after the midnight of the day."""
        midnight = self._midnight - 60 * self._offset
        time = midnight + begin
        known_s = midnight + known if known is not None else self._known - 60 * self._offset
        self.rows.append(
            (
                time,
                None if end is None else midnight + end,
                max(known_s, time),
                self._offset,
                self._offset,
                channel,
                value,
                KINDS[channel].unit,
                status,
                "diary",
            )
        )

    def _clock(self, cells: Mapping[str, str], field: str) -> int | None:
        """Seconds after midnight of a cell HH:MM, None when blank or unreadable."""
        text = cells.get(field, "")
        if not text:
            return None
        try:
            time = datetime.strptime(text[:5], "%H:%M")
        except ValueError:
            self.skipped[f"{field}: not a time like 08:30"] += 1
            return None
        return 3600 * time.hour + 60 * time.minute

    def _moment(self, cells: Mapping[str, str], field: str) -> int | None:
        """Seconds after midnight of HH:MM or of a whole date and time."""
        text = cells.get(field, "")
        if len(text) <= 10 or not text[:4].isdigit():
            return self._clock(cells, field)
        try:
            moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
        except ValueError:
            self.skipped[f"{field}: not a time like 08:30 or 2025-01-31T08:30"] += 1
            return None
        seconds = int(moment.timestamp()) - self._midnight
        if not -DAY_S < seconds < 30 * DAY_S:
            self.skipped[f"{field}: far from the date of its row"] += 1
            return None
        return seconds


def _slot(slot: int) -> tuple[int, int]:
    return int(slot) * SLOT_S, (int(slot) + 1) * SLOT_S


def _yes_or_no(text: str) -> float | None:
    text = text.lower()
    return 1.0 if text in _YES else 0.0 if text in _NO else None


def _number(text: str, channel: str) -> float | None:
    """A number in the unit of its channel, None when the text is not one.

    Raises:
        _BadUnit: a number with a unit that cannot be converted.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        return None
    value, spelling = float(match[1].replace(",", ".")), match[2]
    if spelling:
        try:
            # Changes of pressure and of temperature are differences: no zero point to move.
            value = convert(value, spelling, KINDS[channel].unit, channel in _DIFFERENCES)
        except KeyError:
            raise _BadUnit from None
    return value if math.isfinite(value) else None
