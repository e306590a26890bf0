"""Fitbit, as its own export or as "Google Health" in a Google Takeout, as a timeline.

| file | becomes |
|---|---|
| sleep-*.json, UserSleeps with UserSleepStages | in_bed, asleep, awake intervals |
| heart_rate-*.json, heart_rate_*.csv | heart_rate, the mean of each hour and device |
| steps-*.json, steps_*.csv | steps, the sum of each hour and device |
| resting_heart_rate-*.json, daily_resting_heart_rate.csv | resting_hr |
| Daily Heart Rate Variability Summary, daily_heart_rate_variability.csv | rmssd |
| heart_rate_variability_*.csv, Heart Rate Variability Details | rmssd, the median of a night |
| daily_respiratory_rate.csv, Daily Respiratory Rate Summary | respiratory_rate |
| Computed Temperature, daily_sleep_temperature_derivations.csv | wrist_temperature |
| menstrual_health_cycles.csv | menstrual_flow, cycle_start; what was predicted is left out |

Time zones: sleep is written in wall time without an offset, the newer CSV files in UTC. Offsets
come from UserSleeps, from other records of the same person, from a time zone that is named, or
from the one in Profile.csv, in this order. Minutes of the older JSON files are UTC, which nobody
documents; when they put steps into sleep that wall time would not, they are read as wall time.

The older and the newer files repeat each other: on a day for which both have readings the newer
ones count. Fitbit's scores of sleep, stress and readiness are its own and not read.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers.account import Account
from aline_tf.migraine.records.importers.documents import Document
from aline_tf.migraine.records.importers.fitbit_daily import DailyValues
from aline_tf.migraine.records.importers.fitbit_files import (
    Dates,
    csv_rows,
    family_of,
    instant,
    json_list,
    offset_minutes,
)
from aline_tf.migraine.records.importers.fitbit_hrv import HrvNights
from aline_tf.migraine.records.importers.fitbit_readings import Readings
from aline_tf.migraine.records.importers.fitbit_sleep import (
    BadNight,
    Night,
    read_night,
    read_row,
    read_stages,
)
from aline_tf.migraine.records.intervals import Interval, union
from aline_tf.migraine.records.timeline import DAY_S, KINDS, OBSERVED, Timeline
from aline_tf.migraine.records.wall_clock import WallClock, time_zone

HOUR_S = 3600
EVENING_S = 20 * HOUR_S
SOURCE = "fitbit"


def read_fitbit(documents: Sequence[Document], clock: WallClock | None = None) -> Timeline:
    """Read the files of a Fitbit export; those of other kinds are passed over.

    Args:
        documents: its files, in any order.
        clock: what other records, or the person, say of the time zone.

    Raises:
        InputError: a file of a known kind is damaged, or none is of one.
    """
    files: dict[str, list[Document]] = defaultdict(list)
    for document in documents:
        family = family_of(document)
        if family is not None:
            files[family].append(document)
    if not files:
        raise InputError("expected files of a Fitbit export; received none that is read")
    export = _Export(files, clock or WallClock())
    export.read()
    return export.timeline()


class _Export:
    """Collects rows from the files of an export."""

    def __init__(self, files: dict[str, list[Document]], clock: WallClock) -> None:
        self._files = files
        self._dates = Dates()
        self._rows: list[tuple] = []
        self._account = Account()
        self._read = self._account.read
        self._nights: dict[object, Night] = {}
        self._daily = DailyValues(self._account)
        self._sources: dict[str, str] = {}
        self._sleeps = [row for name in files["sleeps_csv"] for row in self._table(name)]
        self._clock = self._best_clock(clock)
        self._readings = Readings(self._clock)
        self._hrv = HrvNights(self._clock, self._dates)

    def read(self) -> None:
        """All files, the ones that others depend on first."""
        for name, read in (
            ("sleep_json", self._sleep_file),
            ("resting_json", self._resting_json),
            ("heart_json", self._heart_json),
            ("steps_json", self._steps_json),
            ("temperature", self._temperature),
            ("cycles", self._cycles),
        ):
            for document in self._files[name]:
                read(document)
        self._sleeps_table()
        for name, channel, column in (
            ("heart_csv", "heart_rate", "beats per minute"),
            ("steps_csv", "steps", "steps"),
        ):
            for document in self._files[name]:
                self._readings_table(document, channel, column)
        for name, rank, channel, column in (
            ("resting_csv", 1, "resting_hr", "beats per minute"),
            ("hrv_csv", 1, "rmssd", "average heart rate variability milliseconds"),
            ("hrv_summary", 0, "rmssd", "rmssd"),
            ("breath_csv", 1, "respiratory_rate", "breaths per minute"),
            ("breath_summary", 0, "respiratory_rate", "daily_respiratory_rate"),
            ("temperature_csv", 1, "wrist_temperature", "nightly temperature celsius"),
        ):
            for document in self._files[name]:
                self._daily_table(document, rank, channel, column)
        for name, column in (
            ("hrv_readings", "root mean square of successive differences milliseconds"),
            ("hrv_details", "rmssd"),
        ):
            for document in self._files[name]:
                self._hrv_table(document, column)
        self._nights_of_hrv()

    def timeline(self) -> Timeline:
        """What was read."""
        if self._readings.settle(list(self._nights.values()), SOURCE):
            self._account.note(
                "minutes of the older Fitbit files were read as wall time: as UTC they would put"
                " steps into sleep"
            )
        for night in self._nights.values():
            self._night_rows(night)
        for channel, span, offsets, value in self._daily.rows(self._nights.values(), self._clock):
            self._row(channel, span, offsets, value, span[1])
        for channel, source, span, offset, value, known in self._readings.hours():
            if KINDS[channel].low <= value <= KINDS[channel].high:
                self._row(channel, span, (offset, offset), value, known, source)
            else:
                self._account.note(f"{channel}: hours that add up to more than can be are left out")
        if not self._clock.is_known:
            self._account.note(
                "no time zone is known for the Fitbit files: their wall times were taken as UTC"
                " (--zone names one)"
            )
        for channel, count in self._readings.read.items():
            self._account.use(channel, count)
        for reason, count in self._readings.skipped.items():
            self._account.skip(reason, count=count)
        return Timeline.from_rows(self._rows, self._account.summary())

    # What files hold.

    def _list(self, document: Document) -> list:
        entries = json_list(document)
        self._account.cells += len(entries)
        return entries

    def _table(self, document: Document) -> Iterator[dict[str, str]]:
        for row in csv_rows(document):
            self._account.cells += 1
            yield row

    # Time zones.

    def _best_clock(self, clock: WallClock) -> WallClock:
        zone = clock.zone or self._profile_zone()
        seconds, offsets = [], []
        for row in self._sleeps:
            for edge in ("start", "end"):
                try:
                    offset = offset_minutes(row[f"{edge}_utc_offset"])
                    second = instant(row[f"sleep_{edge}"])
                except (KeyError, ValueError, OverflowError):
                    continue
                # "+00:00" also stands where the offset was not recorded.
                if offset or zone is None:
                    seconds.append(second)
                    offsets.append(offset)
        return clock.extended(zone, seconds, offsets)

    def _profile_zone(self):
        for row in chain.from_iterable(csv_rows(name) for name in self._files["profile"]):
            if row.get("timezone"):
                try:
                    return time_zone(row["timezone"])
                except InputError:
                    self._skip("profile: an unknown time zone")
        return None

    # Sleep.

    def _sleep_file(self, document: Document) -> None:
        for log in self._list(document):
            try:
                if not isinstance(log, dict):
                    raise BadNight("sleep: an invalid date or length")
                night = read_night(log, self._dates, self._clock)
            except BadNight as reason:
                self._skip(str(reason))
                continue
            # A night on the border of two files is in both.
            key = log.get("logId")
            key = key if isinstance(key, int | str) else (night.begin, night.end)
            if key in self._nights:
                self._skip("sleep: the same log again")
            else:
                self._nights[key] = night
                self._read["sleep"] += 1

    def _sleeps_table(self) -> None:
        """Nights of UserSleeps that no sleep-*.json has."""
        taken = union([(night.begin, night.end) for night in self._nights.values()])
        stages = [row for name in self._files["stages_csv"] for row in self._table(name)]
        counts: Counter[str] = Counter()
        by_id = read_stages(stages, self._skip, counts)
        known = {row.get("sleep_id", "") for row in self._sleeps}
        for name, count in counts.items():
            if name in known:
                self._account.use("sleep stages", count)
            else:
                self._account.skip("sleep stages: of no sleep in these files", count=count)
        for row in self._sleeps:
            try:
                night = read_row(row, by_id, self._clock)
            except BadNight as reason:
                self._skip(str(reason))
                continue
            if any(begin < night.end and end > night.begin for begin, end in taken):
                self._skip("sleep: also in the older files")
            else:
                self._nights[night.begin, night.end] = night
                self._read["sleep"] += 1

    def _night_rows(self, night: Night) -> None:
        bounds, offsets = (night.begin, night.end), (night.offset, night.end_offset)
        self._row("in_bed", bounds, offsets, 1.0, night.end)
        for channel, spans in (("asleep", night.asleep), ("awake", night.awake)):
            for begin, end in spans:
                places = self._offset(begin, night), self._offset(end, night)
                self._row(channel, (begin, end), places, 1.0, night.end)
        if not night.asleep and night.main and night.bed_s:
            at, offset = (night.end, night.end), (night.end_offset, night.end_offset)
            self._row("sleep_hours", at, offset, night.asleep_s / HOUR_S, night.end)
            self._row("sleep_efficiency", at, offset, night.asleep_s / night.bed_s, night.end)

    def _offset(self, second: int, night: Night) -> int:
        return self._clock.offset_at(second) if self._clock.is_known else night.offset

    # Readings of many a minute.

    def _heart_json(self, document: Document) -> None:
        self._readings.open()
        for entry in self._list(document):
            try:
                value = entry["value"]
                bpm, sure = float(value["bpm"]), value.get("confidence", 1)
                second = self._dates.american(entry["dateTime"])
            except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
                self._skip("heart_rate: an invalid date or number", example=entry)
                continue
            # Without a pulse to go by the tracker writes a number and does not trust it.
            if sure == 0:
                self._skip("heart_rate: of no confidence")
            else:
                self._written("heart_rate", second, bpm)

    def _steps_json(self, document: Document) -> None:
        self._readings.open()
        for entry in self._list(document):
            try:
                count = float(entry["value"])
                second = self._dates.american(entry["dateTime"])
            except (KeyError, TypeError, ValueError, OverflowError):
                self._skip("steps: an invalid date or number", example=entry)
                continue
            self._written("steps", second, count)

    def _written(self, channel: str, second: int, value: float) -> None:
        if self._in_range(channel, value):
            self._readings.add_written(channel, second, value)

    def _readings_table(self, document: Document, channel: str, column: str) -> None:
        self._readings.open()
        for row in self._table(document):
            try:
                second, value = instant(row["timestamp"]), float(row[column])
            except (KeyError, ValueError, OverflowError):
                self._skip(f"{channel}: an invalid date or number", example=_shown(row))
                continue
            if self._in_range(channel, value):
                source = self._device(row.get("data source", ""))
                self._readings.add(channel, source, second, value)

    # Values of a day.

    def _resting_json(self, document: Document) -> None:
        for entry in self._list(document):
            try:
                value = entry["value"]
                bpm = float(value["value"])
                if value["date"] is None or bpm == 0:
                    self._skip("resting_hr: days without a value")
                    continue
                midnight = self._dates.american_day(value["date"])
            except (KeyError, TypeError, ValueError, OverflowError):
                self._skip("resting_hr: an invalid date or number", example=entry)
                continue
            if self._in_range("resting_hr", bpm):
                self._daily.note("resting_hr", midnight, bpm, 0)

    def _daily_table(self, document: Document, rank: int, channel: str, column: str) -> None:
        for row in self._table(document):
            origin = row.get("data source", "").lower()
            if channel == "rmssd" and ("health kit" in origin or "apple" in origin):
                self._skip("rmssd: from a source that measures SDNN")
                continue
            cell = row.get(column, "").lower()
            if cell in ("", "nan", "0", "0.0"):
                self._skip(f"{channel}: days without a value")
                continue
            try:
                midnight, value = self._day_of(row["timestamp"]), float(cell)
            except (KeyError, ValueError, OverflowError):
                self._skip(f"{channel}: an invalid date or number", example=_shown(row))
                continue
            if self._in_range(channel, value):
                self._daily.note(channel, midnight, value, rank)

    def _hrv_table(self, document: Document, column: str) -> None:
        for row in self._table(document):
            try:
                day, value = self._hrv.night_of(row["timestamp"]), float(row[column])
            except (KeyError, ValueError, OverflowError):
                self._skip("rmssd: an invalid date or number", example=_shown(row))
                continue
            if self._in_range("rmssd", value):
                self._hrv.add(day, value)

    def _nights_of_hrv(self) -> None:
        """The median of each night for which no file states a value."""
        for day, median, count in self._hrv.medians():
            self._daily.fill("rmssd", day * DAY_S, median, count)

    def _day_of(self, text: str) -> int:
        """The local midnight of a day's stamp; midnight "UTC" is how the day itself is written."""
        if len(text) <= 10 or text[11:16] == "00:00" or not text.endswith("Z"):
            return self._dates.day(text[:10])
        return self._local_day(instant(text)) * DAY_S

    def _temperature(self, document: Document) -> None:
        for row in self._table(document):
            try:
                walls = self._dates.iso(row["sleep_start"]), self._dates.iso(row["sleep_end"])
                value = float(row["nightly_temperature"])
            except (KeyError, ValueError, OverflowError):
                self._skip("wrist_temperature: an invalid date or number", example=_shown(row))
                continue
            if not 0 <= walls[1] - walls[0] <= DAY_S:
                self._skip("wrist_temperature: lasts too long, or not at all")
            elif self._in_range("wrist_temperature", value):
                (begin, offset), (end, end_offset) = map(self._clock.utc_of_wall, walls)
                end = max(end, begin)
                self._row("wrist_temperature", (begin, end), (offset, end_offset), value, end)
                self._read["wrist_temperature"] += 1

    def _cycles(self, document: Document) -> None:
        for row in self._table(document):
            if row.get("period_source", "").lower() not in ("manual", ""):
                self._skip("menstrual_flow: predicted, not noted")
                continue
            try:
                first = self._dates.day(row["period_start_date"])
                last = self._dates.day(row["period_end_date"])
            except (KeyError, ValueError):
                self._skip("menstrual_flow: an invalid date", example=_shown(row))
                continue
            if not 0 <= last - first <= 30 * DAY_S:
                self._skip("menstrual_flow: lasts too long, or ends before it starts")
                continue
            for midnight in range(first, last + 1, DAY_S):
                begin, offset = self._clock.utc_of_wall(midnight)
                known = self._clock.utc_of_wall(midnight + EVENING_S)[0]
                at, offsets = (begin, begin), (offset, offset)
                self._row("menstrual_flow", at, offsets, 1.0, known)
                self._row("cycle_start", at, offsets, float(midnight == first), known)
            self._read["menstrual_flow"] += 1

    # Rows.

    def _in_range(self, channel: str, value: float) -> bool:
        kind = KINDS[channel]
        fits = math.isfinite(value) and kind.low <= value <= kind.high
        if not fits:
            self._skip(f"{channel}: a value out of range", example=value)
        return fits

    def _local_day(self, second: int) -> int:
        return (second + 60 * self._clock.offset_at(second)) // DAY_S

    def _device(self, name: str) -> str:
        label = self._sources.get(name)
        if label is None:
            kind = "phone" if "phone" in name.lower() else "tracker" if name else ""
            stem = f"{SOURCE}/{kind}-"
            number = 1 + sum(known.startswith(stem) for known in self._sources.values())
            label = f"{SOURCE}/{kind}-{number}" if kind else SOURCE
            if len(self._sources) < 1000:
                self._sources[name] = label
        return label

    def _skip(self, reason: str, example: object = None) -> None:
        self._account.skip(reason, example)

    def _row(
        self,
        channel: str,
        span: Interval,
        offsets: tuple[int, int],
        value: float,
        known: int,
        source: str = SOURCE,
    ) -> None:
        (begin, end), (offset, end_offset) = span, offsets
        self._rows.append(
            (
                begin,
                end,
                max(known, begin),
                offset,
                end_offset,
                channel,
                value,
                KINDS[channel].unit,
                OBSERVED,
                source,
            )
        )


def _shown(row: dict[str, str]) -> str:
    """A row of a table as an example."""
    return ", ".join(row.values()) or "more cells than columns"
