"""What the cells and the rows of a diary say, before the person's time zone is known."""

from __future__ import annotations

import dataclasses

from aline_tf.migraine.records.timeline import KINDS
from aline_tf.migraine.records.wall_clock import WallClock


@dataclasses.dataclass(frozen=True)
class Entry:
    """What a cell says: `value` of `channel` from `begin` to `end` (None: nobody noted it), known
    from `known` on; wall time. `row` is its place in the diary, `of_attack` whether it was said
    about an attack. `moments` are begin and end in seconds since 1970 UTC, where the diary tells
    them: a wall clock shows an hour of autumn twice."""

    begin: int
    end: int | None
    known: int
    channel: str
    value: float
    status: int
    row: int
    of_attack: bool = False
    moments: tuple[int | None, int | None] = (None, None)


@dataclasses.dataclass(frozen=True)
class Statement:
    """What a row says of attacks on a day: `attack` or none, and whether the time at which it was
    said is `stated`."""

    day: int
    attack: bool
    known: int
    row: int
    stated: bool


def timed_row(entry: Entry, clock: WallClock, source: str = "diary") -> tuple:
    """An entry as a row of a timeline.

    Args:
        entry: in wall time.
        clock: of the person.
        source: where it came from.
    """
    began, ended = entry.moments
    time, offset = _placed(entry.begin, began, clock)
    stop, ended = (entry.begin, began) if entry.end is None else (entry.end, ended)
    end, end_offset = _placed(stop, ended, clock)
    known, _ = clock.utc_of_wall(entry.known)
    return (
        time,
        None if entry.end is None else max(end, time),
        # A change of the clock may put what came later before what came first.
        max(known, time),
        offset,
        end_offset,
        entry.channel,
        entry.value,
        KINDS[entry.channel].unit,
        entry.status,
        source,
    )


def _placed(wall: int, moment: int | None, clock: WallClock) -> tuple[int, int]:
    """A wall time as seconds since 1970 UTC, and the offset of the clock then."""
    return clock.utc_of_wall(wall) if moment is None else (moment, clock.offset_at(moment))
