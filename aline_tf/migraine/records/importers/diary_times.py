"""Times in a row of a diary: times of day, whole moments, and how long an attack took.

All are seconds of the wall clock after the midnight of the row. Where a cell states a moment by its
offset, or a length says when something ended, that moment is kept beside the wall time: a clock
that is put back in autumn shows an hour twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aline_tf.migraine.records.importers.diary_cells import length_s
from aline_tf.migraine.records.importers.diary_clock import Clock, is_pointed, read_clock
from aline_tf.migraine.records.importers.diary_columns import Column
from aline_tf.migraine.records.importers.diary_dates import BadDate, DateReader, Moment
from aline_tf.migraine.records.importers.diary_words import Words
from aline_tf.migraine.records.timeline import DAY_S
from aline_tf.migraine.records.wall_clock import WallClock, wall_midnight

LONGEST_ATTACK_S = 7 * DAY_S
#: Within so much after an hour that a clock shows twice it has shown it again.
LONGEST_CHANGE_S = 3 * 3600
START, END, LENGTH = "attack_start", "attack_end", "attack_duration"
#: An end within so much of a stated length agrees with it.
_AGREES_S = 600
_LENGTH_WORDS = ("minutes", "hours", "minuten", "stunden", "minutos", "horas", "minuti", "ore")


class RowTimes:
    """Reads the times of one row after the other.

    Args:
        dates: reads days and moments.
        words: what words mean.
        clock: of the person.
        decimal: fields of times whose points may be of decimal hours.
        skip: learns of a field and the reason why its cell is not used.
    """

    def __init__(
        self,
        dates: DateReader,
        words: Words,
        clock: WallClock,
        decimal: frozenset[str],
        skip: Callable[[str, str], None],
    ) -> None:
        self._dates, self._words, self._clock = dates, words, clock
        self._decimal, self._skip = decimal, skip
        self._midnight = 0
        # Field -> the moment that its cell states, in seconds since 1970 UTC.
        self._stated: dict[str, int] = {}

    def begin(self, moment: Moment) -> int:
        """Go on to the row of a day; seconds of wall time since 1970 at which the day begins."""
        self._stated = {}
        self._midnight = wall_midnight(moment.day)
        if moment.clock is not None and moment.clock.offset is not None:
            self._midnight = self._wall(self._midnight, moment.clock) // DAY_S * DAY_S
        return self._midnight

    def clock_of(self, texts: Mapping[str, str], field: str) -> int | None:
        """Seconds after midnight of a time of day, None when blank or unreadable."""
        moment = self.moment(texts, field)
        return None if moment is None else moment % DAY_S if moment != DAY_S else DAY_S

    def moment(self, texts: Mapping[str, str], field: str) -> int | None:
        """Seconds after midnight of a time of day, or of a whole date and time."""
        text = texts.get(field, "")
        if not text:
            return None
        if self._words.is_blank(text):
            self._skip(field, "says that it is not known")
            return None
        if field in self._decimal and is_pointed(text):
            self._skip(field, "a time that may be of decimal hours")
            return None
        clock = read_clock(text)
        if clock is not None:
            if clock.offset is None or not self._clock.is_known:
                return clock.seconds
            return (self._wall(self._midnight, clock) - self._midnight) % DAY_S
        try:
            moment = self._dates.moment(text)
        except BadDate:
            self._skip(field, "not a time like 08:30 or 2025-01-31 08:30")
            return None
        if moment.clock is None:
            self._skip(field, "a day without a time")
            return None
        midnight = wall_midnight(moment.day)
        seconds = self._wall(midnight, moment.clock) - self._midnight
        # An attack of a day begins by its end, or in the night that follows.
        latest = DAY_S + DAY_S // 2 if field == START else 30 * DAY_S
        if not -DAY_S < seconds < latest:
            self._skip(field, "far from the date of its row")
            return None
        if moment.clock.offset is not None and self._clock.is_known:
            self._stated[field] = midnight + moment.clock.seconds - 60 * moment.clock.offset
        return seconds

    def length(self, texts: Mapping[str, str], column: Column | None) -> float | None:
        """Seconds that an attack lasted; None when no cell says."""
        text = texts.get(LENGTH, "")
        if not text or column is None:
            return None
        if self._words.is_blank(text):
            self._skip(LENGTH, "says that it is not known")
            return None
        unit = column.unit or next(
            (word for word in _LENGTH_WORDS if word in column.name.casefold()), ""
        )
        length = length_s(text, unit)
        if length is None:
            self._skip(
                LENGTH,
                "not a length with its unit, like 90 min (or name the column like"
                " attack_duration (min))",
            )
        return length

    def is_one(self, begin: int, end: int | None) -> bool:
        """Whether start and end of an attack are the same moment."""
        return begin == end and self._stated.get(START) == self._stated.get(END)

    def ended(
        self, texts: Mapping[str, str], begin: int, end: int | None, length: float | None
    ) -> tuple[int | None, tuple[int | None, int | None]]:
        """When an attack ended, by its end or else its length; None when nobody noted it.

        A length is time that went by, whatever was done to the clocks meanwhile.

        Returns:
            the wall time, and the moments of start and end as far as they are known.
        """
        began, stated = self._moment_of(START, begin), self._stated.get(START)
        moment = self._stated.get(END)
        if end is not None and end < begin and read_clock(texts[END]) is not None:
            end += DAY_S
        if end is not None and moment is None and began >= self._moment_of(END, end):
            # The clock may have shown this hour twice, and the attack have begun meanwhile.
            moment = self._again(end, began)
            if moment is not None:
                self._stated[END] = moment
        if end is not None and not began < self._moment_of(END, end) <= began + LONGEST_ATTACK_S:
            self._skip(END, "before the start, or over a week after it")
            end = moment = None
        if length == 0:
            self._skip(LENGTH, "of no length")
        if length and length > LONGEST_ATTACK_S:
            self._skip(LENGTH, "over a week")
            length = None
        if not length:
            return end, (stated, moment)
        over = began + round(length)
        if end is None:
            return self._shown(over), (began, over)
        if abs(self._moment_of(END, end) - over) > _AGREES_S:
            shown = self._shown(over)
            if moment is None and abs(end - shown) <= _AGREES_S:
                # The clock showed this hour twice, and the length says which of them it was.
                return end, (stated, over + end - shown)
            self._skip(LENGTH, "another length than from start to end")
        return end, (stated, moment)

    def _moment_of(self, field: str, wall: int) -> int:
        """Seconds since 1970 UTC of a wall time, as its cell states it or else the clock."""
        stated = self._stated.get(field)
        return self._clock.utc_of_wall(self._midnight + wall)[0] if stated is None else stated

    def _again(self, wall: int, after: int) -> int | None:
        """The moment after another one at which the clock shows a wall time for the second time."""
        first, before = self._clock.utc_of_wall(self._midnight + wall)
        moment = first + 60 * (before - self._clock.offset_at(first + LONGEST_CHANGE_S))
        twice = moment > first and self._shown(moment) == wall
        return moment if twice and moment > after else None

    def _shown(self, second: int) -> int:
        """What the wall clock shows at a moment, in seconds after midnight."""
        return second + 60 * self._clock.offset_at(second) - self._midnight

    def _wall(self, midnight: int, clock: Clock) -> int:
        """The wall time of a clock on a day; one with an offset as the person's clock shows it."""
        stated = midnight + clock.seconds
        if clock.offset is None or not self._clock.is_known:
            return stated
        second = stated - 60 * clock.offset
        return second + 60 * self._clock.offset_at(second)
