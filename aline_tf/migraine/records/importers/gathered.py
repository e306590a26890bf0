"""Rows of a timeline gathered from exports that state single readings, days and intervals.

What every such importer needs: moments with an offset or without one, readings put into hours,
sleep of several sources, ranges checked, and the account kept.
"""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Any

from aline_tf.migraine.records.importers.account import Account
from aline_tf.migraine.records.importers.sleep_sources import SleepRecord, finest, implausible
from aline_tf.migraine.records.timeline import DAY_S, KINDS, OBSERVED, Timeline
from aline_tf.migraine.records.units import convert
from aline_tf.migraine.records.wall_clock import WallClock, wall_midnight

HOUR_S = 3600
NOON_S = 12 * HOUR_S
FIRST_YEAR, LAST_YEAR = 1990, 2199
#: Most minutes that a clock is ahead of UTC or behind it.
FURTHEST = 16 * 60
#: Steps counted over longer than this are the total of a day.
TOTAL_FROM_S = 12 * HOUR_S
LONGEST_S = 24 * HOUR_S
_MEANS = ("heart_rate",)
#: Steps a second that nobody walks.
_FASTEST = 7
#: Values of a night as a whole: of a day there is one, and a nap is none.
_OF_NIGHTS = ("sleep_hours", "sleep_efficiency")

#: A moment: seconds since 1970 UTC, and minutes the wall clock was ahead of UTC then.
Moment = tuple[int, int]


class Refused(Exception):
    """What cannot be used: the reason, and what stands there instead."""

    def __init__(self, reason: str, example: object = None) -> None:
        super().__init__(reason)
        self.example = example


class Gathered:
    """Collects rows and the account of one export.

    Args:
        name: of the export, in the labels of its devices.
        clock: the wall clock, for times that have no offset.

    Example:
        >>> from aline_tf.migraine.records import WallClock
        >>> from aline_tf.migraine.records.importers.gathered import Gathered
        >>> found = Gathered("ring", WallClock())
        >>> moment = found.moment("2025-03-03 07:00:00 +0100", "resting_hr")
        >>> found.add("resting_hr", moment, moment, 58)
        >>> found.timeline().frame["value"].tolist()
        [58.0]
    """

    def __init__(self, name: str, clock: WallClock) -> None:
        self.account = Account()
        self.clock = clock
        self._name = name
        self._rows: list[tuple] = []
        # (channel, source, hour, offset) -> [sum, count, last known second]
        self._hours: dict[tuple[str, str, int, int], list[float]] = {}
        self._sleeps: list[tuple[str | None, str, tuple]] = []
        self._sources: dict[str, str] = {}
        self._unset = False
        self._counted: set[int] = set()

    def wall_times(self) -> None:
        """Say that times were read that name no time zone."""
        self._unset |= not self.clock.is_known

    def moment(self, text: Any, channel: str) -> Moment:
        """A date and time as text, with an offset, "Z" or neither.

        Raises:
            Refused: it is none.
        """
        try:
            stated = datetime.fromisoformat(text.replace(" +", "+").replace(" -", "-"))
            if not FIRST_YEAR <= stated.year <= LAST_YEAR:
                raise ValueError("not a year in which anything was recorded")
        except (AttributeError, TypeError, ValueError):
            raise Refused(f"{channel}: an invalid date", text) from None
        if stated.tzinfo is None:
            wall = round((stated - datetime(1970, 1, 1)).total_seconds())
            self._unset |= not self.clock.is_known
            return self.clock.utc_of_wall(wall)
        second = math.floor(stated.timestamp())
        minutes = round(stated.utcoffset().total_seconds() / 60)
        return self.instant(second, channel, None if text.endswith("Z") else minutes)

    def instant(self, second: float, channel: str, offset: int | None = None) -> Moment:
        """Seconds since 1970 UTC; the clock tells the offset where nothing states it.

        Raises:
            Refused: it is in no year in which anything was recorded, or on no clock there is.
        """
        second = math.floor(second)
        year = 1970 + second / (365.2425 * DAY_S)
        if not FIRST_YEAR <= year < LAST_YEAR + 1:
            raise Refused(f"{channel}: an invalid date", second)
        if offset is not None and abs(offset) > FURTHEST:
            raise Refused(f"{channel}: an invalid offset from UTC", f"{offset} min")
        if offset is None:
            self._unset |= not self.clock.is_known
            offset = self.clock.offset_at(second)
        return second, offset

    def day(self, text: Any, channel: str) -> tuple[Moment, Moment]:
        """The beginning and the end of a local day, as 2025-03-03.

        Raises:
            Refused: it is none.
        """
        try:
            day = date.fromisoformat(text[:10])
            if not FIRST_YEAR <= day.year <= LAST_YEAR:
                raise ValueError("not a year in which anything was recorded")
        except (TypeError, ValueError):
            raise Refused(f"{channel}: an invalid date", text) from None
        self._unset |= not self.clock.is_known
        midnight = wall_midnight(day)
        return self.clock.utc_of_wall(midnight), self.clock.utc_of_wall(midnight + DAY_S)

    def noon(self, text: Any, channel: str) -> Moment:
        """Noon of a local day: where values of a night stand that name no time.

        Raises:
            Refused: it is no day.
        """
        (begin, offset), _ = self.day(text, channel)
        return self.clock.utc_of_wall(begin + 60 * offset + NOON_S)

    def number(self, value: Any, channel: str, unit: str | None = None) -> float:
        """A number in the unit of its channel.

        Args:
            value: as it is stated.
            channel: what it is of.
            unit: as it is stated; None when it is that of the channel.

        Raises:
            Refused: it is no number, in another unit or out of the range of its channel.
        """
        kind = KINDS[channel]
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise Refused(f"{channel}: not a number", value)
        try:
            number = float(value)
            if unit is not None:
                number = convert(number, unit, kind.unit)
        except KeyError:
            raise Refused(f"{channel}: unit {unit[:12]} instead of {kind.unit}", value) from None
        except (ValueError, OverflowError):
            raise Refused(f"{channel}: not a number", value) from None
        if not (math.isfinite(number) and kind.low <= number <= kind.high):
            raise Refused(f"{channel}: a value out of range", value)
        return number

    def night(self, begin: Moment, end: Moment, hours: float) -> None:
        """A night of so many hours asleep, in bed from `begin` to `end`.

        Raises:
            Refused: it lasts too long or not at all, is longer asleep than in bed, or hardly
                asleep.
        """
        length = end[0] - begin[0]
        if not 0 < length <= LONGEST_S:
            raise Refused("sleep_hours: lasts too long, or not at all", hours)
        if reason := implausible(HOUR_S * hours, length):
            raise Refused(f"sleep_hours: {reason}", hours)
        self.add("sleep_hours", end, end, hours)
        self.add("sleep_efficiency", end, end, min(HOUR_S * hours / length, 1.0))

    def add(self, channel: str, begin: Moment, end: Moment, value: float, source: str = "") -> None:
        """A row as it is; readings of heart rate and steps go into hours.

        Raises:
            Refused: it ends before it starts, or is a count of steps that was there before or that
                nobody walks in that time.
        """
        if end[0] < begin[0]:
            raise Refused(f"{channel}: ends before it starts")
        label = self._label(source)
        length = end[0] - begin[0]
        if channel == "steps" and length < TOTAL_FROM_S:
            if length >= HOUR_S and value > _FASTEST * length:
                raise Refused("steps: more than anybody walks in that time", value)
            same = hash((label, begin[0], end[0], value))
            if same in self._counted:
                raise Refused("steps: the same record again")
            self._counted.add(same)
            self._spread(label, begin, end, value)
        elif channel in _MEANS and length <= HOUR_S:
            self._hour(channel, label, begin, value, end[0])
        else:
            self._rows.append(self._row(channel, begin, end, value, label))

    def sleep(
        self,
        channel: str,
        kind: str,
        begin: Moment,
        end: Moment,
        source: str = "",
        counted: str | None = None,
    ) -> None:
        """An interval asleep, awake or in bed.

        Args:
            channel: of the timeline.
            kind: as in `sleep_sources`, "" for in bed.
            begin, end: of the interval.
            source: the device.
            counted: under which name the importer counts it, when it is a record of its own.

        Raises:
            Refused: it has no length, or more than a day.
        """
        if not 0 < end[0] - begin[0] <= LONGEST_S:
            raise Refused("sleep: lasts too long, or not at all")
        label = self._label(source)
        self._sleeps.append((counted, kind, self._row(channel, begin, end, 1.0, label)))

    def timeline(self) -> Timeline:
        """What was gathered, with its account."""
        rows = self.rows()
        return Timeline.from_rows(rows, self.account.summary())

    def rows(self) -> list[tuple]:
        """The rows of `timeline`, once; its account is complete afterwards."""
        rows = self._nights() + self._finest_sleep()
        for (channel, source, hour, offset), (total, count, known) in self._hours.items():
            value = total / count if channel in _MEANS else total
            begin = (hour * HOUR_S - 60 * offset, offset)
            if KINDS[channel].low <= value <= KINDS[channel].high:
                end = (begin[0] + HOUR_S, offset)
                row = self._row(channel, begin, end, value, source)
                rows.append((*row[:2], max(int(known), begin[0]), *row[3:]))
            else:
                self.account.note(f"{channel}: hours that add up to more than can be are left out")
        if self._unset and rows:
            self.account.note(
                f"no time zone is known for some times of {self._name}: they were taken as UTC"
                " (--zone names one)"
            )
        return rows

    def _nights(self) -> list[tuple]:
        """The rows, of each device with the last word on a night and without naps beside it."""
        # A night that is stated again is corrected.
        stated = {_night_of(row): row for row in self._rows if row[5] in _OF_NIGHTS}
        longest: dict[tuple, tuple] = {}
        for row in stated.values():
            if row[5] == "sleep_hours":
                day = row[9], _last_day(row)
                longest[day] = max(longest.get(day, row), row, key=lambda n: (n[6], -n[1]))
        rows = [
            row
            for row in self._rows
            if row[5] not in _OF_NIGHTS
            or (
                stated[_night_of(row)] is row
                and longest.get((row[9], _last_day(row)), row)[1] == row[1]
            )
        ]
        nights = sum(row[5] == "sleep_hours" for row in self._rows)
        if nights > len(longest):
            self.account.note(
                f"{self._name}: of several sleeps that end on one day the longest is the night; set"
                f" aside: {nights - len(longest)}"
            )
        return rows

    def _finest_sleep(self) -> list[tuple]:
        asleep = [sleep for sleep in self._sleeps if sleep[1]]
        rows = [row for _, kind, row in self._sleeps if not kind]
        records = [SleepRecord(row[0], row[1], kind, row[9]) for _, kind, row in asleep]
        parts = 0
        for (counted, _, row), spans in zip(asleep, finest(records), strict=True):
            if not spans and counted is not None:
                self.account.use(counted, -1)
                self.account.skip("sleep: beside a finer record of the same time")
            parts += not spans and counted is None
            rows += [(begin, end, max(row[2], begin), *row[3:]) for begin, end in spans]
        if parts:
            self.account.note(
                f"{self._name}: intervals of sleep beside finer ones of the same time are set"
                f" aside: {parts}"
            )
        return rows

    def _row(self, channel: str, begin: Moment, end: Moment, value: float, label: str) -> tuple:
        unit = KINDS[channel].unit
        span = (begin[0], end[0], end[0], begin[1], end[1])
        return (*span, channel, value, unit, OBSERVED, label)

    def _hour(self, channel: str, label: str, begin: Moment, value: float, known: int) -> None:
        second, offset = begin
        key = (channel, label, (second + 60 * offset) // HOUR_S, offset)
        kept = self._hours.setdefault(key, [0.0, 0, 0])
        kept[0] += value
        kept[1] += 1
        kept[2] = max(kept[2], known)

    def _spread(self, label: str, begin: Moment, end: Moment, value: float) -> None:
        """Share steps between the hours they were counted in, evenly in time."""
        (start, offset), stop = begin, end[0]
        first = (start + 60 * offset) // HOUR_S
        last = (max(start, stop - 1) + 60 * offset) // HOUR_S
        for hour in range(first, last + 1):
            from_ = max(start, hour * HOUR_S - 60 * offset)
            to = min(stop, (hour + 1) * HOUR_S - 60 * offset)
            part = value * (to - from_) / (stop - start) if stop > start else value
            self._hour("steps", label, (from_, offset), part, max(to, from_))

    def _label(self, source: str) -> str:
        """A device by kind and number: its name, often that of a person, goes no further."""
        if not source:
            return self._name
        if source not in self._sources:
            lower = source.lower()
            kind = "watch" if "watch" in lower else "phone" if "phone" in lower else "other"
            number = 1 + sum(f"/{kind}-" in label for label in self._sources.values())
            self._sources[source] = f"{self._name}/{kind}-{number}"
        return self._sources[source]


def _night_of(row: tuple) -> tuple:
    """Channel, end and device of a row."""
    return row[5], row[1], row[9]


def _last_day(row: tuple) -> int:
    """The local day on which a row ends."""
    return (row[1] + 60 * row[4]) // DAY_S
