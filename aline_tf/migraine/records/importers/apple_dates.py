"""The dates of an Apple Health export, and what they leave out: where the person was.

Every date carries an offset, which is that of the time zone the phone was in when it exported, on
that date. Of a week abroad the instants are right and the wall clock is not. Some records, those of
sleep above all, name the time zone they were made in; theirs is the wall clock around them.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import date

from aline_tf.errors import InputError
from aline_tf.migraine.records.wall_clock import WallClock, time_zone


class Travel:
    """Where the wall clock was not that of the offsets written in the export.

    `away` tells whether it ever was.
    """

    REACH = 36 * 3600

    def __init__(self) -> None:
        self.away = False
        # Half hour since 1970 -> minutes that the wall clock was ahead of what is written.
        self._shifts: dict[int, int] = {}
        self._offsets: dict[tuple[str, int], int | None] = {}
        self._order: list[int] = []

    def sight(self, zone: str, second: int, written: int) -> int:
        """The offset at a moment in the zone that a record names; `written` when there is none."""
        key = (zone, second // 900)
        if key not in self._offsets:
            offset = _offset_in(zone, second)
            if len(self._offsets) < 1_000_000:
                self._offsets[key] = offset
        else:
            offset = self._offsets[key]
        if offset is None:
            return written
        if len(self._shifts) < 1_000_000:
            self._shifts[second // 1800] = offset - written
        self.away |= offset != written
        return offset

    def moved(self, row: tuple) -> tuple:
        """A row of a timeline, with the offsets of the nearest sighting."""
        begin, end, known, offset, end_offset, *rest = row
        offset += self._shift(begin)
        end_offset += self._shift(end)
        return (begin, end, known, offset, end_offset, *rest)

    def _shift(self, second: int) -> int:
        if not self._order:
            self._order = sorted(self._shifts)
        place = bisect_left(self._order, second // 1800)
        near = self._order[max(place - 1, 0) : place + 1]
        nearest = min(near, key=lambda half: abs(1800 * half - second))
        return self._shifts[nearest] if abs(1800 * nearest - second) <= self.REACH else 0


def _offset_in(zone: str, second: int) -> int | None:
    """Minutes ahead of UTC in a time zone, None for one that is not known."""
    try:
        return WallClock(time_zone(zone)).offset_at(second)
    except InputError:
        return None


class RecordDates:
    """Reads "2025-01-01 06:00:00 +0200": days and offsets repeat, so both are remembered."""

    def __init__(self) -> None:
        self._days: dict[str, int] = {}
        self._offsets: dict[str, int] = {}

    def read(self, text: str) -> tuple[int, int]:
        """Seconds since 1970 UTC, and the offset in minutes.

        Raises:
            ValueError: not a date of this form.
        """
        day = self._days.get(text[:10])
        if day is None:
            day = self._remember(self._days, text[:10], _midnight(text[:10]))
        offset = self._offsets.get(text[19:])
        if offset is None:
            offset = self._remember(self._offsets, text[19:], _offset(text[19:]))
        hour, minute, second = int(text[11:13]), int(text[14:16]), int(text[17:19])
        if not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 61 and text[13] == ":"):
            raise ValueError("not a time of day")
        return day + 3600 * hour + 60 * minute + second - 60 * offset, offset

    @staticmethod
    def _remember(store: dict[str, int], key: str, value: int) -> int:
        if len(store) < 100_000:
            store[key] = value
        return value


def _midnight(text: str) -> int:
    day = date.fromisoformat(text)
    if not 1990 <= day.year <= 2200:
        raise ValueError("not a year in which a phone recorded anything")
    return (day.toordinal() - date(1970, 1, 1).toordinal()) * 86_400


def _offset(text: str) -> int:
    text = text.strip().replace(":", "")
    if len(text) != 5 or text[0] not in "+-" or not text[1:].isdigit():
        raise ValueError("not an offset from UTC")
    minutes = int(text[1:3]) * 60 + int(text[3:5])
    if minutes > 16 * 60:
        raise ValueError("not an offset from UTC")
    return -minutes if text[0] == "-" else minutes
