"""One night of a Fitbit export as intervals: in bed, asleep, awake.

A log holds wall times without an offset and the length of each stage in seconds. On the nights on
which clocks change the two disagree, and the lengths are right: stages follow one another from the
start. `shortData` are wakings of less than three minutes that overlap the stages; they are taken
out of sleep, which gives the minutes asleep that Fitbit itself states.
"""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aline_tf.migraine.records.importers.fitbit_files import Dates, instant
from aline_tf.migraine.records.importers.sleep_sources import implausible
from aline_tf.migraine.records.intervals import Interval, union, without
from aline_tf.migraine.records.wall_clock import WallClock

ASLEEP = frozenset({"light", "deep", "rem", "asleep"})
AWAKE = frozenset({"wake", "awake", "restless"})
LONGEST_S = 24 * 3600
NOON_S = 12 * 3600
MAX_STAGES = 5000


@dataclasses.dataclass(frozen=True)
class Night:
    """A sleep: its bounds (seconds since 1970 UTC), their offsets, and what it was made of.

    Attributes:
        begin, end: in bed from and until.
        offset, end_offset: minutes ahead of UTC at each.
        asleep, awake: disjoint intervals within; empty when the log has no stages.
        asleep_s, bed_s: seconds asleep and in bed as the log states them.
        main: it is the night, not a nap.
        wall: wall times of begin and end.
    """

    begin: int
    end: int
    offset: int
    end_offset: int
    asleep: tuple[Interval, ...]
    awake: tuple[Interval, ...]
    asleep_s: int
    bed_s: int
    main: bool
    wall: Interval


class BadNight(Exception):
    """A log that cannot be used; the message is the reason, without its values."""


def read_night(log: dict[str, Any], dates: Dates, clock: WallClock) -> Night:
    """A sleep log as Fitbit writes it.

    Raises:
        BadNight: its times are not those of a sleep.
    """
    try:
        wall_begin = dates.iso(log["startTime"])
        seconds = round(float(log["duration"]) / 1000)
        asleep_s = round(60 * float(log["minutesAsleep"]))
        bed_s = round(60 * float(log["timeInBed"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        raise BadNight("sleep: an invalid date or length") from None
    if not 0 < seconds <= LONGEST_S or not 0 <= asleep_s <= bed_s <= LONGEST_S:
        raise BadNight("sleep: lasts too long, or not at all")
    main = log.get("mainSleep", log.get("isMainSleep", True)) is not False
    begin, offset = clock.utc_of_wall(wall_begin)
    end = begin + seconds
    end_offset = clock.offset_at(end) if clock.is_known else offset
    stages, short = _levels(log, dates, wall_begin, begin)
    stages = [(name, *_clipped(span, begin, end)) for name, *span in stages]
    wakings = [_clipped(span, begin, end) for span in short]
    asleep = without(union([(b, e) for name, b, e in stages if name in ASLEEP]), union(wakings))
    awake = union([(b, e) for name, b, e in stages if name in AWAKE] + wakings)
    if main and not asleep:
        _refuse_implausible(asleep_s, bed_s)
    return Night(
        begin=begin,
        end=end,
        offset=offset,
        end_offset=end_offset,
        asleep=tuple(asleep),
        awake=tuple(without(awake, asleep)),
        asleep_s=asleep_s,
        bed_s=bed_s,
        main=main,
        wall=(wall_begin, wall_begin + seconds),
    )


Stages = tuple[tuple[Interval, ...], tuple[Interval, ...]]


def read_row(row: Mapping[str, str], stages: Mapping[str, Stages], clock: WallClock) -> Night:
    """A row of UserSleeps, in UTC.

    Args:
        row: its cells.
        stages: sleep_id -> intervals asleep and awake, from `read_stages`.
        clock: tells the offsets.

    Raises:
        BadNight: its times are not those of a sleep.
    """
    try:
        begin, end = instant(row["sleep_start"]), instant(row["sleep_end"])
        asleep_s = round(60 * float(row["minutes_asleep"]))
        bed_s = round(60 * float(row["minutes_in_sleep_period"]))
    except (KeyError, ValueError, OverflowError):
        raise BadNight("sleep: an invalid date or length") from None
    if not 0 < end - begin <= LONGEST_S or not 0 <= asleep_s <= bed_s <= LONGEST_S:
        raise BadNight("sleep: lasts too long, or not at all")
    offset, end_offset = clock.offset_at(begin), clock.offset_at(end)
    wall = begin + 60 * offset, end + 60 * end_offset
    is_nap = wall[0] // LONGEST_S == wall[1] // LONGEST_S and wall[0] % LONGEST_S >= NOON_S
    asleep, awake = stages.get(row.get("sleep_id", ""), ((), ()))
    if not asleep and not is_nap:
        _refuse_implausible(asleep_s, bed_s)
    return Night(
        begin=begin,
        end=end,
        offset=offset,
        end_offset=end_offset,
        asleep=asleep,
        awake=awake,
        asleep_s=asleep_s,
        bed_s=bed_s,
        main=not is_nap,
        wall=wall,
    )


def _refuse_implausible(asleep_s: int, bed_s: int) -> None:
    if bed_s and (reason := implausible(asleep_s, bed_s)):
        raise BadNight(f"sleep: {reason}")


def read_stages(
    rows: Iterable[Mapping[str, str]], skip: Callable[[str], None], counts: Counter[str]
) -> dict[str, Stages]:
    """Rows of UserSleepStages by sleep_id.

    Args:
        rows: their cells.
        skip: learns why a row is left out.
        counts: gets how many rows of each sleep_id are used.
    """
    asleep: dict[str, list[Interval]] = defaultdict(list)
    awake: dict[str, list[Interval]] = defaultdict(list)
    for row in rows:
        try:
            span = instant(row["sleep_stage_start"]), instant(row["sleep_stage_end"])
            stage = row["sleep_stage_type"].lower()
        except (KeyError, ValueError, OverflowError):
            skip("sleep: a stage without a time or a length")
            continue
        if stage not in ASLEEP | AWAKE or not 0 < span[1] - span[0] <= LONGEST_S:
            skip("sleep: an unknown stage")
            continue
        (asleep if stage in ASLEEP else awake)[row.get("sleep_id", "")].append(span)
        counts[row.get("sleep_id", "")] += 1
    return {
        name: (tuple(union(asleep[name])), tuple(union(awake[name])))
        for name in set(asleep) | set(awake)
    }


def _levels(
    log: dict[str, Any], dates: Dates, wall_begin: int, begin: int
) -> tuple[list[tuple[str, int, int]], list[Interval]]:
    """Stages (name, from, until) and short wakings, in UTC."""
    levels = log.get("levels")
    if not isinstance(levels, dict):
        return [], []
    shift, jump = wall_begin - begin, _jump(log, dates, wall_begin)
    cursor = begin
    stages, short = [], []
    for wall, seconds, name in _entries(levels.get("data"), dates.iso):
        # After the clock has jumped the wall time is off by as much; stages follow one another.
        start = min(wall - shift, wall - shift - jump, key=lambda at: abs(at - cursor))
        stages.append((name, start, start + seconds))
        cursor = start + seconds
    for wall, seconds, _ in _entries(levels.get("shortData"), dates.iso):
        start = wall - shift
        if jump and not any(begin <= start < end for _, begin, end in stages):
            start -= jump
        short.append((start, start + seconds))
    return stages, short


def _jump(log: dict[str, Any], dates: Dates, wall_begin: int) -> int:
    """Seconds by which the wall clock was put forward during a sleep."""
    try:
        jump = dates.iso(log["endTime"]) - wall_begin - round(float(log["duration"]) / 1000)
    except (KeyError, TypeError, ValueError, OverflowError):
        return 0
    return jump if abs(jump) <= 7200 and abs(jump) >= 1800 else 0


def _entries(entries: Any, read: Callable[[str], int]) -> list[tuple[int, int, str]]:
    if not isinstance(entries, list):
        return []
    try:
        return [
            (read(entry["dateTime"]), int(entry["seconds"]), str(entry["level"]))
            for entry in entries[:MAX_STAGES]
            if 0 < int(entry["seconds"]) <= LONGEST_S
        ]
    except (KeyError, TypeError, ValueError, OverflowError):
        raise BadNight("sleep: a stage without a time or a length") from None


def _clipped(span: Any, begin: int, end: int) -> Interval:
    start, stop = span
    return max(start, begin), min(stop, end)
