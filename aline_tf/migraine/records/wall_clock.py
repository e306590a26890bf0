"""Which offset from UTC a person's wall clock had, at any time.

A diary says "08:30" and a calendar "14:00", and neither says where. Other records do: a phone
writes the offset beside every reading, a tracker that of every night. `WallClock` puts together
what is known: sightings (moments at which the offset was seen) and, where one is named, a time
zone. Days and slots are local wall time, so a person who travels, and a clock that changes, have
to come out right.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from aline_tf.errors import InputError

#: A sighting speaks for the day and a half around it; beyond, the named time zone does.
REACH_S = 36 * 3600
#: Offsets change on quarters of an hour.
QUARTER_S = 900
_EPOCH = datetime(1970, 1, 1)


def time_zone(name: str) -> ZoneInfo:
    """The time zone of a name such as Europe/Berlin.

    Raises:
        InputError: no such time zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        shown = "".join(c for c in name if c.isprintable())[:40]
        raise InputError(
            f"expected the name of a time zone, like Europe/Berlin; received {shown!r}"
        ) from error


class WallClock:
    """Offsets of the wall clock, in minutes ahead of UTC.

    At any time the nearest sighting within 36 hours decides, unless it agrees with the named time
    zone: then the zone does, which knows when the clocks change. Further from any sighting the
    zone decides, without a zone the nearest sighting does, and when nothing is known it is UTC.
    A wall time that occurs twice in an autumn is taken as the first; one that a spring leaves out
    is read with the offset before the change.

    Args:
        zone: the time zone the person is in when nothing else is known.
        seconds: [n] moments in seconds since 1970 UTC.
        offsets: [n] minutes ahead of UTC that were seen then.

    Example:
        >>> from aline_tf.migraine.records import WallClock, time_zone
        >>> winter, summer = 1_736_899_200, 1_752_537_600  # 2025-01-15 and 2025-07-15
        >>> clock = WallClock(time_zone("Europe/Berlin"))
        >>> clock.offset_at(winter), clock.offset_at(summer)
        (60, 120)
    """

    def __init__(
        self,
        zone: ZoneInfo | None = None,
        seconds: Iterable[int] = (),
        offsets: Iterable[int] = (),
    ) -> None:
        seconds = np.fromiter(seconds, np.int64)
        offsets = np.fromiter(offsets, np.int64)
        order = np.argsort(seconds, kind="stable")
        self.zone = zone
        self._utc, self._offsets = seconds[order], offsets[order]
        wall = self._utc + 60 * self._offsets
        order = np.argsort(wall, kind="stable")
        self._wall, self._wall_offsets = wall[order], self._offsets[order]
        self._of_instant: dict[int, int] = {}
        self._of_wall: dict[int, int] = {}

    def extended(
        self, zone: ZoneInfo | None, seconds: Iterable[int], offsets: Iterable[int]
    ) -> WallClock:
        """This clock with more sightings, and `zone` as its time zone.

        Args:
            zone: None for none.
            seconds: moments, since 1970 UTC.
            offsets: minutes ahead of UTC at each of them.
        """
        return WallClock(zone, [*self._utc, *seconds], [*self._offsets, *offsets])

    @property
    def is_known(self) -> bool:
        """Whether there is a zone or a sighting at all."""
        return self.zone is not None or len(self._utc) > 0

    def offset_at(self, second: int) -> int:
        """Minutes ahead of UTC at a moment, seconds since 1970 UTC."""
        quarter = second // QUARTER_S
        if quarter not in self._of_instant:
            self._of_instant[quarter] = self._decide(quarter * QUARTER_S, local=False)
        return self._of_instant[quarter]

    def offset_of_wall(self, wall: int) -> int:
        """Minutes ahead of UTC when the wall clock shows `wall`, in seconds since 1970 local."""
        quarter = wall // QUARTER_S
        if quarter not in self._of_wall:
            self._of_wall[quarter] = self._decide(quarter * QUARTER_S, local=True)
        return self._of_wall[quarter]

    def utc_of_wall(self, wall: int) -> tuple[int, int]:
        """The moment, in seconds since 1970 UTC, at which the clock shows `wall`; its offset."""
        offset = self.offset_of_wall(wall)
        return wall - 60 * offset, offset

    def utc_of_walls(self, walls: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`utc_of_wall` for [n] int64 wall times: two arrays [n]."""
        offsets = np.fromiter((self.offset_of_wall(w) for w in walls.tolist()), np.int64)
        return walls - 60 * offsets, offsets

    def _decide(self, second: int, local: bool) -> int:
        times = self._wall if local else self._utc
        offsets = self._wall_offsets if local else self._offsets
        of_zone = None if self.zone is None else _zone_offset(self.zone, second, local)
        if not len(times):
            return of_zone or 0
        after = min(int(np.searchsorted(times, second)), len(times) - 1)
        before = max(after - 1, 0)
        nearest = before if abs(times[before] - second) <= abs(times[after] - second) else after
        seen, distance = int(offsets[nearest]), abs(int(times[nearest]) - second)
        if of_zone is None:
            return seen
        if distance > REACH_S or seen == _zone_offset(self.zone, int(times[nearest]), local):
            return of_zone
        return seen


def _zone_offset(zone: ZoneInfo, second: int, local: bool) -> int:
    moment = _EPOCH + timedelta(seconds=second)
    moment = moment.replace(tzinfo=zone) if local else moment.replace(tzinfo=UTC).astimezone(zone)
    return round(moment.utcoffset().total_seconds() / 60)


def wall_midnight(day: date) -> int:
    """Seconds of wall time since 1970 at which a day begins."""
    return (day - date(1970, 1, 1)).days * 86_400
