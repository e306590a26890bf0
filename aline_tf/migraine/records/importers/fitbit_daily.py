"""Values of a Fitbit export that are of a whole day or night: one a day, and when they stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aline_tf.migraine.records.importers.account import Account
from aline_tf.migraine.records.importers.fitbit_sleep import Night
from aline_tf.migraine.records.intervals import Interval
from aline_tf.migraine.records.timeline import DAY_S
from aline_tf.migraine.records.wall_clock import WallClock

NOON_S = 12 * 3600


class DailyValues:
    """One value a day and channel; of the older and the newer form of a file the newer counts.

    Args:
        account: of the export.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        # (channel, local midnight) -> (value, rank)
        self._values: dict[tuple[str, int], tuple[float, int]] = {}

    def note(self, channel: str, midnight: int, value: float, rank: int) -> None:
        """A value; `rank` is larger for the newer form of a file."""
        kept = self._values.get((channel, midnight))
        if kept is not None:
            self._account.skip(f"{channel}: the same day again")
        else:
            self._account.use(channel)
        if kept is None or rank >= kept[1]:
            self._values[channel, midnight] = (value, rank)

    def fill(self, channel: str, midnight: int, value: float, count: int) -> None:
        """A value made of `count` readings, where no file states one."""
        if (channel, midnight) in self._values:
            self._account.skip(f"{channel}: also in the daily files", count=count)
        else:
            self._values[channel, midnight] = (value, 0)
            self._account.use(channel, count)

    def rows(
        self, nights: Iterable[Night], clock: WallClock
    ) -> Iterator[tuple[str, Interval, Interval, float]]:
        """Channel, span, its offsets and the value.

        Nightly values stand at waking; a resting heart rate is complete when the day is.
        """
        waking: dict[int, tuple[int, int]] = {}
        for night in nights:
            if night.main:
                day = (night.end + 60 * night.end_offset) // DAY_S
                waking[day] = max(waking.get(day, (0, 0)), (night.end, night.end_offset))
        for (channel, midnight), (value, _) in self._values.items():
            begin, offset = clock.utc_of_wall(midnight)
            if channel == "resting_hr":
                end, end_offset = clock.utc_of_wall(midnight + DAY_S)
            else:
                noon = clock.utc_of_wall(midnight + NOON_S)
                begin, offset = waking.get(midnight // DAY_S, noon)
                end, end_offset = begin, offset
            yield channel, (begin, end), (offset, end_offset), value
