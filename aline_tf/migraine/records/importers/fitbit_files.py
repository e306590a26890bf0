"""The files of a Fitbit export: which holds what, and how each writes its dates.

Folders differ from year to year and with the language of the account (`user-site-export`, `Global
Export Data`, `Physical Activity_GoogleData`, `Google Health`), so files are known by their names;
tables whose names are translated too, by their columns. Three ways of writing time occur, and
mixing them up shifts days:

| files | written as | meaning |
|---|---|---|
| sleep-*.json, Computed Temperature, daily summaries | 2025-01-27T23:12:30.000 | local wall time |
| heart_rate-*.json, steps-*.json | 01/27/25 22:12:30 | UTC (undocumented; see `fitbit`) |
| newer CSV files | 2025-01-27T22:12:30Z | UTC |

Files without data hold the words "no data", or a header and nothing else.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers.documents import Document
from aline_tf.migraine.records.importers.json_stream import parse

MAX_JSON_BYTES = 24 << 20
MAX_CSV_BYTES = 64 << 20
#: Brackets and commas of a JSON file: what bounds the memory its values take.
MAX_PARTS = 2_000_000
_DAY_S = 86_400

_DATED = r"[-_ ]*\(?\d{4}-\d{2}(-\(?\d{2}\)?)?.*"
_FAMILIES = tuple(
    (re.compile(pattern, re.IGNORECASE), family)
    for pattern, family in (
        (r"sleep-.*\.json", "sleep_json"),
        (r"resting_heart_rate-.*\.json", "resting_json"),
        (r"heart_rate-.*\.json", "heart_json"),
        (r"steps-.*\.json", "steps_json"),
        (rf"heart_rate{_DATED}\.csv", "heart_csv"),
        (rf"steps{_DATED}\.csv", "steps_csv"),
        (rf"daily_resting_heart_rate({_DATED})?\.csv", "resting_csv"),
        (rf"daily_heart_rate_variability({_DATED})?\.csv", "hrv_csv"),
        (rf"heart_rate_variability{_DATED}\.csv", "hrv_readings"),
        (r"heart rate variability details.*\.csv", "hrv_details"),
        (r"daily heart rate variability summary.*\.csv", "hrv_summary"),
        (rf"daily_respiratory_rate({_DATED})?\.csv", "breath_csv"),
        (r"daily respiratory rate summary.*\.csv", "breath_summary"),
        (r"computed temperature.*\.csv", "temperature"),
        (rf"daily_sleep_temperature_derivations({_DATED})?\.csv", "temperature_csv"),
        (r"usersleeps_.*\.csv", "sleeps_csv"),
        (r"usersleepstages_.*\.csv", "stages_csv"),
        (r"menstrual_health_cycles.*\.csv", "cycles"),
        (r"profile\.csv", "profile"),
    )
)


#: Columns that tell a table whose name is translated, and no table of another kind has.
_HEADERS = (
    (frozenset({"timestamp", "rmssd", "nremhr", "entropy"}), "hrv_summary"),
    (frozenset({"timestamp", "rmssd", "coverage", "low_frequency"}), "hrv_details"),
    (frozenset({"timestamp", "daily_respiratory_rate"}), "breath_summary"),
    (frozenset({"sleep_start", "sleep_end", "nightly_temperature"}), "temperature"),
    (frozenset({"sleep_id", "sleep_stage_type", "sleep_stage_start"}), "stages_csv"),
    (frozenset({"sleep_id", "sleep_start", "minutes_asleep"}), "sleeps_csv"),
    (
        frozenset({"timestamp", "root mean square of successive differences milliseconds"}),
        "hrv_readings",
    ),
    (
        frozenset({"timestamp", "average heart rate variability milliseconds"}),
        "hrv_csv",
    ),
    (frozenset({"timestamp", "breaths per minute"}), "breath_csv"),
    (frozenset({"timestamp", "nightly temperature celsius"}), "temperature_csv"),
    (frozenset({"period_start_date", "period_source"}), "cycles"),
)
_HEADER_BYTES = 4096


def fitbit_family(name: str) -> str | None:
    """What a file of this name holds, None when its name is none of those that are known."""
    for pattern, family in _FAMILIES:
        if pattern.fullmatch(name):
            return family
    return None


def family_of(document: Document) -> str | None:
    """What a file holds by its name or its columns, None when it is none of those that are read.

    Raises:
        InputError: it cannot be read.
    """
    family = fitbit_family(document.name)
    if family is not None or document.suffix != ".csv":
        return family
    line = document.head()[:_HEADER_BYTES].split(b"\n", 1)[0].decode("utf-8-sig", "replace")
    columns = {name.strip().strip('"').lower() for name in line.split(",")}
    return next((family for names, family in _HEADERS if names <= columns), None)


def tells_zone(documents: Iterable[Document]) -> bool:
    """Whether files of an export say in which time zone they were made."""
    return any(family_of(document) in ("sleeps_csv", "profile") for document in documents)


def json_list(document: Document) -> list[Any]:
    """The elements of a file that is a JSON array.

    Raises:
        InputError: it is too large, not JSON, cut short, or not an array.
    """
    text = document.text(MAX_JSON_BYTES)
    if text.count("{") + text.count("[") + text.count(",") > MAX_PARTS:
        raise InputError(f"expected at most {MAX_PARTS} parts in {document.shown}; received more")
    if not text.strip():
        return []
    try:
        loaded = parse(text)
    except InputError as error:
        raise InputError(f"{error}, in {document.shown}") from error
    if not isinstance(loaded, list):
        raise InputError(f"expected a JSON array in {document.shown}; received another value")
    return loaded


def csv_rows(document: Document) -> Iterator[dict[str, str]]:
    """The rows of a CSV file by the names of its columns, in lower case.

    A row with more cells than there are columns is empty: which cell is which cannot be told.

    Raises:
        InputError: it is too large, in another encoding, or no table.
    """
    text = document.text(MAX_CSV_BYTES, others=True).replace("\0", "")
    if text.strip().lower() in ("", "no data"):
        return
    rows = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [name.strip().lower() for name in next(rows)]
        for row in rows:
            if row:
                fits = not any(cell.strip() for cell in row[len(header) :])
                cells = (cell.strip() for cell in row) if fits else ()
                yield dict(zip(header, cells, strict=False))
    except csv.Error as error:
        raise InputError(f"expected a CSV table in {document.shown}; received another") from error


class Dates:
    """Reads the dates of the files; those of the millions of readings repeat and are remembered.

    All methods return seconds since 1970, of UTC or of the wall clock as the file has it, and
    raise ValueError (or TypeError) for what is no date of their form.
    """

    def __init__(self) -> None:
        self._days: dict[str, int] = {}

    def american(self, text: str) -> int:
        """As 01/27/25 22:12:30."""
        day = self._day(text[:8], lambda t: date(2000 + int(t[6:8]), int(t[:2]), int(t[3:5])))
        return day + _time_of_day(text[9:17])

    def iso(self, text: str) -> int:
        """As 2025-01-27T22:12:30, the rest (fractions, Z) being ignored."""
        return self.day(text[:10]) + _time_of_day(text[11:19])

    def day(self, text: str) -> int:
        """As 2025-01-27: its midnight."""
        return self._day(text, date.fromisoformat)

    def american_day(self, text: str) -> int:
        """As 01/27/25: its midnight."""
        return self.american(text[:8] + " 00:00:00")

    def _day(self, text: str, read) -> int:
        second = self._days.get(text)
        if second is None:
            day = read(text)
            if not 1990 <= day.year <= 2199:
                raise ValueError("not a year in which anything was recorded")
            second = (day - date(1970, 1, 1)).days * _DAY_S
            if len(self._days) < 100_000:
                self._days[text] = second
        return second


def instant(text: str) -> int:
    """Seconds since 1970 UTC of a date and time with an offset, as 2025-01-27T22:12:30Z.

    Raises:
        ValueError: it is none, or has no offset.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or not 1990 <= moment.year <= 2199:
        raise ValueError("not an instant")
    return int(moment.timestamp())


def offset_minutes(text: str) -> int:
    """Minutes ahead of UTC of "+02:00". Raises ValueError."""
    if len(text) != 6 or text[0] not in "+-" or text[3] != ":":
        raise ValueError("not an offset from UTC")
    minutes = 60 * int(text[1:3]) + int(text[4:6])
    if minutes > 16 * 60:
        raise ValueError("not an offset from UTC")
    return -minutes if text[0] == "-" else minutes


def _time_of_day(text: str) -> int:
    hour, minute, second = int(text[:2]), int(text[3:5]), int(text[6:8] or 0)
    if not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 61 and text[2] == ":"):
        raise ValueError("not a time of day")
    return 3600 * hour + 60 * minute + second
