"""Apple Health: the export.zip that the Health app on a phone writes, as a timeline.

| record type | becomes | unit |
|---|---|---|
| HeartRateVariabilitySDNN | sdnn | ms |
| HeartRateVariabilityRMSSD | rmssd | ms |
| RestingHeartRate | resting_hr | bpm |
| HeartRate | heart_rate, the mean of each hour and device | bpm |
| StepCount | steps, the sum of each hour and device; totals of a day as they are | count |
| RespiratoryRate | respiratory_rate | /min |
| AppleSleepingWristTemperature | wrist_temperature | C |
| SleepAnalysis | asleep, in_bed, awake intervals | |
| MenstrualFlow | menstrual_flow (0 none, 1 bleeding), cycle_start | |
| Headache | pain: mild 2, moderate 5, severe 8 (middles of the customary bands) | 0-10 |

Units are converted. Where a device measured stages of sleep, what a coarser one says of the same
time does not count (`aline_tf.migraine.records.importers.sleep_sources`). What is dated after the
export itself is set aside. Every other type of record is counted by its name.

A headache is not taken for a migraine attack: attacks come from a diary. A record is known once it
has ended and was written down (`creationDate`), whichever is later. Devices are told apart and
numbered; their names, which are often the names of people, go no further than this module.

Dates carry the offset of the time zone the phone was in when it exported, also for days spent
elsewhere. Records of sleep and some others name the zone they were made in (`HKTimeZone`); theirs
is the wall clock of the day and a half around them.

Memory grows with the months recorded, not with the size of the file: heart rate and steps, which
are nearly all of it, are kept as one number an hour.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from zipfile import ZipFile, ZipInfo

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers.account import Account
from aline_tf.migraine.records.importers.apple_dates import RecordDates, Travel
from aline_tf.migraine.records.importers.apple_types import (
    CATEGORY,
    FLOW,
    PAIN,
    QUANTITIES,
    QUANTITY,
    SLEEP,
    STAGES,
    category,
    conversion,
)
from aline_tf.migraine.records.importers.archive import open_archive, open_member
from aline_tf.migraine.records.importers.health_xml import (
    MAX_PROLOG,
    Contents,
    is_health_export,
    read_health_records,
)
from aline_tf.migraine.records.importers.losses import refuse_losses
from aline_tf.migraine.records.importers.sleep_sources import (
    AWAKE,
    GENERIC,
    STAGE,
    SleepRecord,
    finest,
)
from aline_tf.migraine.records.timeline import KINDS, OBSERVED, Timeline

#: A count over so long is an app's total of a day, and is not shared between its hours.
TOTAL_FROM_S = 12 * 3600
#: Nobody takes so many steps a minute: what was counted faster is a total, put at one moment.
FASTEST_STEPS = 400
TOTAL_FROM_STEPS = 2000
#: Records dated so long after the export were made by a clock that was wrong.
GRACE_S = 86_400
#: Counts that are remembered, to know the same one again: it stands close to the first.
MOST_COUNTED = 1 << 18
_HOURLY = ("heart_rate", "steps")
LONGEST_S = dict.fromkeys(("steps", "asleep", "in_bed", "awake"), 24 * 3600)
LONGEST_S["pain"] = 7 * 24 * 3600


def read_apple_health(path: str | Path, accept_losses: bool = False) -> Timeline:
    """Read an Apple Health export.

    Args:
        path: export.zip, or an export.xml taken out of it.
        accept_losses: read also an export of which most of a channel cannot be read.

    Returns:
        The timeline, with a summary of what was read, skipped and unused.

    Raises:
        InputError: no such file, a truncated or unsafe archive, no export.xml in it, an export.xml
            that breaks off, declares entities or is not a health export, or one of which most of a
            channel is lost.
    """
    with _open_export(Path(path)) as stream:
        timeline = read_export(stream)
    refuse_losses(Path(path).name, timeline.summary, accept_losses)
    return timeline


def read_export(stream: BinaryIO) -> Timeline:
    """Read the bytes of an export.xml. Raises InputError as `read_apple_health` does."""
    collector = _Collector()
    contents = read_health_records(stream, collector.selected, collector.record, collector.begin)
    return collector.timeline(contents)


@contextmanager
def _open_export(path: Path) -> Iterator[BinaryIO]:
    """Yield the bytes of export.xml, out of its archive or beside it."""
    if path.suffix.lower() == ".xml" and path.is_file():
        try:
            stream = path.open("rb")
        except OSError as error:
            raise InputError(
                f"expected an export.xml that can be read; received {error.strerror}"
            ) from error
        with stream:
            yield stream
        return
    with open_archive(path) as archive, open_member(archive, _find(archive)) as stream:
        yield stream


def _find(archive: ZipFile) -> ZipInfo:
    """The export among the members: its name is localised on many phones, its root is not."""

    def is_candidate(member: ZipInfo) -> bool:
        name = PurePosixPath(member.filename)
        return (
            name.suffix.lower() == ".xml"
            and len(name.parts) <= 2
            and not name.stem.lower().endswith("_cda")
        )

    candidates = [member for member in archive.infolist() if is_candidate(member)]
    candidates.sort(key=lambda member: PurePosixPath(member.filename).name != "export.xml")
    for member in candidates[:20]:
        with open_member(archive, member) as stream:
            if is_health_export(stream.read(2 * MAX_PROLOG)):
                return member
    # A damaged export.xml is still the one that was meant: its own error says more.
    for member in candidates[:1]:
        if PurePosixPath(member.filename).name == "export.xml":
            return member
    raise InputError(
        "expected apple_health_export/export.xml in the archive, as the Health app writes it;"
        f" received {len(archive.infolist())} files and none of that kind"
    )


class _Skip(Exception):
    """A record that cannot be used: the reason, and what stands there instead."""

    def __init__(self, reason: str, example: str | None = None) -> None:
        super().__init__(reason)
        self.example = example


class _Collector:
    """Turns records into rows, keeping the account of what was used and what was not."""

    def __init__(self) -> None:
        self.rows: list[tuple] = []
        self.account = Account()
        self._read = self.account.read
        self._handlers: dict[str, Callable[[dict, dict], None]] = {}
        for name in QUANTITIES:
            self._handlers[QUANTITY + name] = self._quantity
        self._handlers[CATEGORY + "SleepAnalysis"] = self._sleep
        self._handlers[CATEGORY + "MenstrualFlow"] = self._menstruation
        self._handlers[CATEGORY + "Headache"] = self._headache
        self.selected = frozenset(self._handlers)
        self._units: dict[tuple[str, str], tuple[float, float] | None] = {}
        self._dates = RecordDates()
        self._sources: dict[str, str] = {}
        self._device_counts: Counter[str] = Counter()
        self._travel = Travel()
        self._zone: str | None = None
        self._latest = math.inf
        # Numbers of the rows whose record named its time zone itself.
        self._zoned: set[int] = set()
        # (channel, source, hour, offset) -> [sum, count, last known second]
        self._hours: dict[tuple[str, str, int, int], list[float]] = {}
        # Counts of steps, of which an export may hold the same one twice.
        self._counted: set[int] = set()
        # Number of the row -> what kind of record of sleep it is.
        self._sleeps: dict[int, str] = {}

    def begin(self, exported: str) -> None:
        """Take note of when the export was made."""
        try:
            self._latest = self._dates.read(exported)[0] + GRACE_S
        except ValueError:
            self._latest = math.inf

    def record(self, attributes: dict[str, str], metadata: dict[str, str]) -> None:
        self._zone = metadata.get("HKTimeZone")
        try:
            self._handlers[attributes["type"]](attributes, metadata)
        except _Skip as skip:
            self.account.skip(str(skip), skip.example)

    def timeline(self, contents: Contents) -> Timeline:
        account = self.account
        account.cells = contents.handled + sum(contents.others.values())
        for name, count in contents.others.items():
            account.pass_over(name.removeprefix(QUANTITY).removeprefix(CATEGORY), count)
        zoned = self._zoned
        if self._travel.away:
            self.rows = [
                row if number in zoned else self._travel.moved(row)
                for number, row in enumerate(self.rows)
            ]
        rows = self._finest_sleep()
        too_many: Counter[str] = Counter()
        for (channel, source, hour, offset), (total, count, known) in self._hours.items():
            value = total / count if channel == "heart_rate" else total
            begin = hour * 3600 - 60 * offset
            known = max(known, begin)
            kind = KINDS[channel]
            if not kind.low <= value <= kind.high:
                too_many[channel] += 1
                continue
            row = (begin, begin + 3600, known, offset, offset, channel, value, kind.unit, OBSERVED)
            row = (*row, source)
            rows.append(self._travel.moved(row) if self._travel.away else row)
        for channel, hours in too_many.items():
            account.note(f"{channel}: {hours} hours add up to more than can be, and were left out")
        return Timeline.from_rows(rows, account.summary())

    def _finest_sleep(self) -> list[tuple]:
        """The rows, without sleep that a finer record of the same time speaks against."""
        numbers = list(self._sleeps)
        records = [
            SleepRecord(self.rows[n][0], self.rows[n][1], self._sleeps[n], self.rows[n][9])
            for n in numbers
        ]
        kept = dict(zip(numbers, finest(records), strict=True))
        rows = []
        for number, row in enumerate(self.rows):
            spans = kept.get(number)
            if spans is None or spans == [row[:2]]:
                rows.append(row)
                continue
            if not spans:
                self._read[row[5]] -= 1
                self.account.skip("sleep: beside a finer record of the same time")
            for begin, end in spans:
                rows.append((begin, end, max(row[2], begin), *row[3:]))
        return rows

    def _quantity(self, attributes: dict[str, str], metadata: dict[str, str]) -> None:
        channel = QUANTITIES[attributes["type"][len(QUANTITY) :]]
        unit = attributes.get("unit", "")
        key = (channel, unit)
        if key not in self._units:
            self._units[key] = conversion(unit, KINDS[channel].unit)
        pair = self._units[key]
        if pair is None:
            reason = f"{channel}: unit {_plain(unit)} instead of {KINDS[channel].unit}"
            raise _Skip(reason, attributes.get("value"))
        try:
            value = float(attributes["value"]) * pair[0] + pair[1]
        except (KeyError, ValueError):
            raise _Skip(f"{channel}: not a number", attributes.get("value")) from None
        kind = KINDS[channel]
        if not (math.isfinite(value) and kind.low <= value <= kind.high):
            raise _Skip(f"{channel}: a value out of range", attributes["value"])
        span = self._span(channel, attributes)
        if channel == "steps":
            same = hash((attributes.get("sourceName"), span[0], span[1], value))
            if same in self._counted:
                raise _Skip("steps: the same record again", attributes["startDate"])
            if len(self._counted) >= MOST_COUNTED:
                self._counted.clear()
            self._counted.add(same)
            self._steps(span, value, attributes)
        elif channel == "heart_rate":
            self._hour(channel, span, value, attributes)
        else:
            self._append(channel, span, value, attributes)
        self._read[channel] += 1

    def _sleep(self, attributes: dict[str, str], metadata: dict[str, str]) -> None:
        stage = category("SleepAnalysis", attributes.get("value", ""))
        channel = SLEEP.get(stage)
        if channel is None:
            raise _Skip("sleep: an unknown stage", attributes.get("value"))
        begin, end, *_ = span = self._span(channel, attributes)
        if end == begin:
            raise _Skip("sleep: an interval without length", attributes.get("startDate"))
        if channel == "asleep":
            self._sleeps[len(self.rows)] = STAGE if stage in STAGES else GENERIC
        elif channel == "awake":
            self._sleeps[len(self.rows)] = AWAKE
        self._append(channel, span, 1.0, attributes)
        self._read[channel] += 1

    def _menstruation(self, attributes: dict[str, str], metadata: dict[str, str]) -> None:
        flow = FLOW.get(category("MenstrualFlow", attributes.get("value", "")))
        if flow is None:
            raise _Skip("menstrual_flow: an unknown value", attributes.get("value"))
        span = self._span("menstrual_flow", attributes)
        self._append("menstrual_flow", span, flow, attributes)
        self._read["menstrual_flow"] += 1
        mark = metadata.get("HKMenstrualCycleStart")
        if mark is not None and flow:
            started = mark.strip().lower() in ("1", "true", "yes")
            self._append("cycle_start", span, float(started), attributes)

    def _headache(self, attributes: dict[str, str], metadata: dict[str, str]) -> None:
        pain = PAIN.get(category("Headache", attributes.get("value", "")))
        if pain is None:
            raise _Skip("headache: severity not given", attributes.get("value"))
        self._append("pain", self._span("pain", attributes), pain, attributes)
        self._read["pain"] += 1

    def _span(self, channel: str, attributes: dict[str, str]) -> tuple[int, int, int, int, int]:
        """Start, end, the moment known (seconds UTC), and the offsets of start and end."""
        try:
            begin, offset = self._dates.read(attributes["startDate"])
            end, end_offset = self._dates.read(attributes["endDate"])
            created = attributes.get("creationDate")
            known = max(end, self._dates.read(created)[0]) if created else end
        except (KeyError, ValueError):
            raise _Skip(f"{channel}: an invalid date", attributes.get("startDate")) from None
        if begin > self._latest:
            raise _Skip(f"{channel}: dated after the export", attributes["startDate"])
        if self._zone:
            there = [
                self._travel.sight(self._zone, at, written)
                for at, written in ((begin, offset), (end, end_offset))
            ]
            # Readings of many an hour are put together by what is written, and moved as a whole.
            if channel not in _HOURLY:
                offset, end_offset = there
        if end < begin:
            raise _Skip(f"{channel}: ends before it starts", attributes["startDate"])
        if end - begin > LONGEST_S.get(channel, 2 * 86_400):
            raise _Skip(f"{channel}: lasts too long", attributes["startDate"])
        return begin, end, known, offset, end_offset

    def _append(self, channel: str, span: tuple, value: float, attributes: dict[str, str]) -> None:
        begin, end, known, offset, end_offset = span
        if self._zone:
            self._zoned.add(len(self.rows))
        self.rows.append(
            (
                begin,
                end,
                known,
                offset,
                end_offset,
                channel,
                value,
                KINDS[channel].unit,
                OBSERVED,
                self._source(attributes),
            )
        )

    def _hour(self, channel: str, span: tuple, value: float, attributes: dict[str, str]) -> None:
        begin, _, known, offset, _ = span
        key = (channel, self._source(attributes), (begin + 60 * offset) // 3600, offset)
        kept = self._hours.get(key)
        if kept is None:
            self._hours[key] = [value, 1, known]
        else:
            kept[0] += value
            kept[1] += 1
            kept[2] = max(kept[2], known)

    def _steps(self, span: tuple, value: float, attributes: dict[str, str]) -> None:
        """Put steps in their hours, or keep the total of a day as one."""
        begin, end, known, offset, end_offset = span
        if end - begin >= TOTAL_FROM_S:
            self._append("steps", span, value, attributes)
        elif value >= TOTAL_FROM_STEPS and value * 60 > FASTEST_STEPS * (end - begin):
            midnight = begin - (begin + 60 * offset) % 86_400
            if end - midnight >= TOTAL_FROM_S:
                whole = (midnight, end, known, offset, end_offset)
                self._append("steps", whole, value, attributes)
            else:
                self._spread("steps", span, value, attributes)
        else:
            self._spread("steps", span, value, attributes)

    def _spread(self, channel: str, span: tuple, value: float, attributes: dict[str, str]) -> None:
        """Share a sum between the hours it was counted in, evenly in time."""
        begin, end, known, offset, _ = span
        first, last = (begin + 60 * offset) // 3600, max(begin, end - 1) + 60 * offset
        if first == last // 3600:
            self._hour(channel, span, value, attributes)
            return
        for hour in range(first, last // 3600 + 1):
            start = max(begin, hour * 3600 - 60 * offset)
            stop = min(end, (hour + 1) * 3600 - 60 * offset)
            part = value * (stop - start) / (end - begin)
            self._hour(channel, (start, stop, known, offset, offset), part, attributes)

    def _source(self, attributes: dict[str, str]) -> str:
        name = attributes.get("sourceName", "")
        label = self._sources.get(name)
        if label is None:
            text = name + attributes.get("device", "")
            kind = "watch" if "Watch" in text else "phone" if "iPhone" in text else "other"
            self._device_counts[kind] += 1
            label = f"apple_health/{kind}-{self._device_counts[kind]}"
            self._sources[name] = label
        return label


def _plain(text: str) -> str:
    return "".join(c for c in text if c.isprintable())[:12] or "(none)"
