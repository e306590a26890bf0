"""Health Connect: the database that Android's own export writes, as a timeline.

The export is a zip with `health_connect_export.db` in it, a SQLite database. Times are milliseconds
since 1970 UTC beside the offset of the wall clock in seconds.

| table | becomes |
|---|---|
| heart_rate_record_series_table | heart_rate, the mean of each hour and app |
| steps_record_table | steps |
| resting_heart_rate_record_table, respiratory_rate_record_table | resting_hr, respiratory_rate |
| heart_rate_variability_rmssd_record_table | rmssd |
| sleep_session_record_table with sleep_stages_table | in_bed, asleep, awake intervals |
| menstruation_flow_record_table | menstrual_flow |

Other tables of records are counted by name. A database has to be read from a file: the one inside
an archive is copied to a temporary place and removed when it has been read.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers.documents import Document
from aline_tf.migraine.records.importers.gathered import Gathered, Moment, Refused
from aline_tf.migraine.records.importers.sleep_sources import AWAKE, GENERIC, STAGE
from aline_tf.migraine.records.timeline import Timeline
from aline_tf.migraine.records.wall_clock import WallClock

MAX_BYTES = 4 << 30
SOURCE = "health_connect"
MAGIC = b"SQLite format 3\0"

#: Table of single readings -> channel and the column of its value.
_READINGS = {
    "resting_heart_rate_record_table": ("resting_hr", "beats_per_minute"),
    "respiratory_rate_record_table": ("respiratory_rate", "rate"),
    "heart_rate_variability_rmssd_record_table": ("rmssd", "heart_rate_variability_millis"),
}
_STEPS, _FLOW = "steps_record_table", "menstruation_flow_record_table"
_PULSE, _PULSES = "heart_rate_record_table", "heart_rate_record_series_table"
_SLEEP, _STAGES = "sleep_session_record_table", "sleep_stages_table"
_USED = (*_READINGS, _STEPS, _FLOW, _PULSE, _PULSES, _SLEEP, _STAGES)
#: By so much a stage may begin before its sleep or end after it.
_ROUNDED_S = 120
#: Stage of sleep, as Android numbers them -> channel and kind of record; others say nothing.
_STAGE_KINDS = {
    1: ("awake", AWAKE),
    2: ("asleep", GENERIC),
    3: ("awake", AWAKE),
    4: ("asleep", STAGE),
    5: ("asleep", STAGE),
    6: ("asleep", STAGE),
    7: ("awake", AWAKE),
}


def is_health_connect(document: Document) -> bool:
    """Whether a document is such a database: by its name and its first bytes."""
    return document.suffix == ".db" and document.head().startswith(MAGIC)


def read_health_connect(document: Document, clock: WallClock | None = None) -> Timeline:
    """Read a database of Health Connect.

    Args:
        document: health_connect_export.db.
        clock: tells the offset of times that have none.

    Raises:
        InputError: it is too large, damaged, or not of Health Connect.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "records.db")
        with document.opener() as stream, path.open("wb") as out:
            shutil.copyfileobj(stream, out, 1 << 20)
            if out.tell() > MAX_BYTES:
                raise InputError(
                    f"expected at most {MAX_BYTES >> 30} GiB in {document.shown}; received more"
                )
        try:
            uri = f"file:{path}?mode=ro&immutable=1"
            with closing(sqlite3.connect(uri, uri=True)) as base:
                base.row_factory = sqlite3.Row
                return _Reader(base, Gathered(SOURCE, clock or WallClock())).timeline(document)
        except (sqlite3.Error, UnicodeError) as error:
            raise InputError(
                f"expected an undamaged database in {document.shown}; received one that cannot be"
                " read"
            ) from error


class _Reader:
    def __init__(self, base: sqlite3.Connection, found: Gathered) -> None:
        self._base = base
        self._found = found
        names = base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        self._tables = {row[0] for row in names}

    def timeline(self, document: Document) -> Timeline:
        if not self._tables.intersection(_USED):
            raise InputError(
                f"expected a database of Health Connect; received {document.shown}, another one"
            )
        for table in sorted(self._tables):
            if table.endswith("_record_table") and table not in _USED:
                (count,) = self._base.execute(f'SELECT COUNT(*) FROM "{table}"').fetchone()
                self._found.account.cells += count
                if count:
                    self._found.account.pass_over(table.removesuffix("_record_table"), count)
        for table, (channel, column) in _READINGS.items():
            for row in self._rows(table):
                self._take(channel, self._reading, row, channel, column)
        for row in self._rows(_STEPS):
            self._take("steps", self._steps, row)
        for row in self._rows(_FLOW):
            self._take("menstrual_flow", self._flow, row)
        self._pulses()
        self._nights()
        return self._found.timeline()

    def _rows(self, table: str) -> Iterator[dict[str, Any]]:
        if table in self._tables:
            for row in self._base.execute(f'SELECT * FROM "{table}"'):
                self._found.account.cells += 1
                yield dict(row)

    def _take(self, channel: str, read, *arguments) -> None:
        try:
            read(*arguments)
            self._found.account.use(channel)
        except Refused as reason:
            self._found.account.skip(str(reason), reason.example)
        except (KeyError, TypeError, ValueError, OverflowError):
            self._found.account.skip(f"{channel}: an invalid date or number")

    def _moment(self, row: dict[str, Any], time: str, offset: str, channel: str) -> Moment:
        stated = row.get(offset)
        minutes = None if stated is None else round(int(stated) / 60)
        return self._found.instant(int(row[time]) / 1000, channel, minutes)

    def _reading(self, row: dict[str, Any], channel: str, column: str) -> None:
        at = self._moment(row, "time", "zone_offset", channel)
        value = self._found.number(row[column], channel)
        self._found.add(channel, at, at, value, _app(row))

    def _steps(self, row: dict[str, Any]) -> None:
        begin = self._moment(row, "start_time", "start_zone_offset", "steps")
        end = self._moment(row, "end_time", "end_zone_offset", "steps")
        self._found.add("steps", begin, end, self._found.number(row["count"], "steps"), _app(row))

    def _flow(self, row: dict[str, Any]) -> None:
        at = self._moment(row, "time", "zone_offset", "menstrual_flow")
        # Unknown, light, medium, heavy: all are bleeding.
        self._found.add("menstrual_flow", at, at, 1.0, _app(row))

    def _pulses(self) -> None:
        parents = {row["row_id"]: row for row in self._rows(_PULSE) if "row_id" in row}
        self._found.account.cells -= len(parents)
        for row in self._rows(_PULSES):
            self._take("heart_rate", self._pulse, row, parents.get(row.get("parent_key"), {}))

    def _pulse(self, row: dict[str, Any], parent: dict[str, Any]) -> None:
        offset = parent.get("start_zone_offset")
        minutes = None if offset is None else round(int(offset) / 60)
        at = self._found.instant(int(row["epoch_millis"]) / 1000, "heart_rate", minutes)
        value = self._found.number(row["beats_per_minute"], "heart_rate")
        self._found.add("heart_rate", at, at, value, _app(parent))

    def _nights(self) -> None:
        sessions = {row["row_id"]: row for row in self._rows(_SLEEP) if "row_id" in row}
        staged = set()
        for row in self._rows(_STAGES):
            parent = sessions.get(row.get("parent_key"))
            self._take("sleep stages", self._stage, row, parent, staged)
        for number, row in sessions.items():
            self._take("sleep", self._session, row, number in staged)

    def _stage(self, row: dict[str, Any], parent: dict[str, Any] | None, staged: set) -> None:
        if parent is None:
            raise Refused("sleep: a stage of no sleep")
        channel, kind = _STAGE_KINDS.get(int(row["stage_type"]), (None, ""))
        if channel is None:
            raise Refused("sleep: an unknown stage", row["stage_type"])
        spans = []
        for time, offset in (("stage_start_time", "start"), ("stage_end_time", "end")):
            stated = parent.get(f"{offset}_zone_offset")
            minutes = None if stated is None else round(int(stated) / 60)
            spans.append(self._found.instant(int(row[time]) / 1000, "sleep", minutes))
        bounds = (parent.get("start_time"), parent.get("end_time"))
        first, last = (int(bound) // 1000 for bound in bounds)
        if not first - _ROUNDED_S <= spans[0][0] <= spans[1][0] <= last + _ROUNDED_S:
            raise Refused("sleep: a stage outside of its sleep")
        self._found.sleep(channel, kind, *spans, _app(parent), "sleep stages")
        staged.add(row["parent_key"])

    def _session(self, row: dict[str, Any], is_staged: bool) -> None:
        begin = self._moment(row, "start_time", "start_zone_offset", "sleep")
        end = self._moment(row, "end_time", "end_zone_offset", "sleep")
        self._found.sleep("in_bed", "", begin, end, _app(row))
        if not is_staged:
            self._found.sleep("asleep", GENERIC, begin, end, _app(row))


def _app(row: dict[str, Any]) -> str:
    """The app or device a record is from, by number."""
    return f"{row.get('app_info_id', '')}-{row.get('device_info_id', '')}"
