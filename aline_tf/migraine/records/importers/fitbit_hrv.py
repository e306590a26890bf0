"""Heart rate variability of a Fitbit night, minute by minute, as one value a night."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterator

from aline_tf.migraine.records.importers.fitbit_files import Dates, instant
from aline_tf.migraine.records.timeline import DAY_S
from aline_tf.migraine.records.wall_clock import WallClock

#: From six in the evening on it is the night of the next day.
_TO_MIDNIGHT_S = 6 * 3600


class HrvNights:
    """Readings by the day on which their night ended.

    Args:
        clock: the wall clock of the person.
        dates: reads times of the wall.
    """

    def __init__(self, clock: WallClock, dates: Dates) -> None:
        self._clock = clock
        self._dates = dates
        self._nights: dict[int, list[float]] = defaultdict(list)

    def night_of(self, text: str) -> int:
        """The local day, since 1970, that the night of a time belongs to: "Z" is UTC, else wall.

        Raises:
            ValueError: it is no time.
        """
        wall = self._dates.iso(text)
        if text.endswith("Z"):
            second = instant(text)
            wall = second + 60 * self._clock.offset_at(second)
        return (wall + _TO_MIDNIGHT_S) // DAY_S

    def add(self, day: int, value: float) -> None:
        """A reading, ms, of the night that ended on a day."""
        self._nights[day].append(value)

    def medians(self) -> Iterator[tuple[int, float, int]]:
        """Day, the median of its night, and of how many readings."""
        for day, values in sorted(self._nights.items()):
            yield day, statistics.median(values), len(values)
