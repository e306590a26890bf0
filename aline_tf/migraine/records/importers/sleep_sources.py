"""Sleep that several apps wrote down: where one measured stages, a coarser record fills no gaps.

A watch tells light, deep and REM sleep apart and knows when its wearer lay awake; an app or a
mattress beside it says "asleep" for the whole night. Their union would call the waking hours
sleep. So, in this order:

- records of a source that lie closer than three hours, with a stage among them, are one measured
  night; of two measured nights that overlap for more than half of one, that of a watch counts,
  else the longer one;
- what a source itself calls awake is taken out of what it calls asleep;
- a record without a stage of which more than half lies in a measured night is dropped, whichever
  source it is from; of any other the part outside the measured nights is kept.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence

from aline_tf.migraine.records.intervals import Interval, union, without

NIGHT_GAP_S = 3 * 3600
#: By so much what is rounded may be longer asleep than in bed.
_ROUNDED_S = 120
#: Of less of the time in bed the number is of another unit, or of a night without the device.
_LEAST_ASLEEP = 0.1
STAGE, AWAKE, GENERIC = "stage", "awake", "generic"


def implausible(asleep_s: float, bed_s: float) -> str | None:
    """Why nobody sleeps for so many seconds of a night in bed; None where one may."""
    if asleep_s > bed_s + _ROUNDED_S:
        return "longer asleep than in bed"
    return "hardly any of the time in bed" if asleep_s < _LEAST_ASLEEP * bed_s else None


@dataclasses.dataclass(frozen=True)
class SleepRecord:
    """One record of sleep.

    Attributes:
        begin, end: seconds since 1970 UTC.
        kind: `STAGE` (light, deep, REM), `AWAKE` or `GENERIC` (asleep, no more is said).
        source: label of the device; that of a watch has the word in it.
    """

    begin: int
    end: int
    kind: str
    source: str


def finest(records: Sequence[SleepRecord]) -> list[list[Interval]]:
    """What counts of each record: its own interval, parts of it, or nothing.

    Args:
        records: of all sources, in any order.
    """
    kept: list[list[Interval]] = [[(record.begin, record.end)] for record in records]
    nights = _measured_nights(records)
    # Watches first, then the longer nights; names settle what is left, so that order does not.
    nights.sort(key=lambda n: ("watch" not in n.source, n.begin - n.end, n.source, n.begin))
    covered: list[Interval] = []
    for night in nights:
        if 2 * _overlap(covered, (night.begin, night.end)) > night.end - night.begin:
            for place in night.places:
                kept[place] = []
        else:
            _cover(covered, (night.begin, night.end))
    for place, record in enumerate(records):
        span = (record.begin, record.end)
        inside = _overlap(covered, span) if record.kind == GENERIC else 0
        if 2 * inside > record.end - record.begin:
            kept[place] = []
        elif inside:
            kept[place] = without([span], _near(covered, span))
    for place, awake in _own_wakings(records).items():
        # A record that is sleep and waking all through says neither.
        kept[place] = without(kept[place], awake) or kept[place]
    return kept


def _own_wakings(records: Sequence[SleepRecord]) -> dict[int, list[Interval]]:
    """Place of a record of sleep -> when its own source says that the sleeper was awake."""
    awake: dict[str, list[Interval]] = defaultdict(list)
    for record in records:
        if record.kind == AWAKE:
            awake[record.source].append((record.begin, record.end))
    joined = {source: union(spans) for source, spans in awake.items()}
    return {
        place: _near(joined[record.source], (record.begin, record.end))
        for place, record in enumerate(records)
        if record.kind != AWAKE and record.source in joined
    }


@dataclasses.dataclass(frozen=True)
class _Night:
    begin: int
    end: int
    source: str
    places: tuple[int, ...]


def _measured_nights(records: Sequence[SleepRecord]) -> list[_Night]:
    by_source: dict[str, list[int]] = defaultdict(list)
    for place, record in enumerate(records):
        if record.kind != GENERIC:
            by_source[record.source].append(place)
    nights = []
    for source, places in by_source.items():
        places.sort(key=lambda place: (records[place].begin, records[place].end))
        group: list[int] = []
        stop = 0
        for place in [*places, None]:
            if group and (place is None or records[place].begin - stop > NIGHT_GAP_S):
                if any(records[member].kind == STAGE for member in group):
                    nights.append(_Night(records[group[0]].begin, stop, source, tuple(group)))
                group, stop = [], 0
            if place is not None:
                group.append(place)
                stop = max(stop, records[place].end)
    return nights


def _cover(covered: list[Interval], span: Interval) -> None:
    """Add a span to disjoint, sorted intervals, in place."""
    near = _near(covered, span)
    joined = union([*near, span])
    for interval in near:
        covered.remove(interval)
    at = bisect_left(covered, span)
    covered[at:at] = joined


def _near(covered: list[Interval], span: Interval) -> list[Interval]:
    """Those of disjoint, sorted intervals that overlap a span."""
    first = max(bisect_left(covered, span) - 1, 0)
    found = []
    for begin, end in covered[first:]:
        if begin >= span[1]:
            break
        if end > span[0]:
            found.append((begin, end))
    return found


def _overlap(covered: list[Interval], span: Interval) -> int:
    near = _near(covered, span)
    return sum(min(end, span[1]) - max(begin, span[0]) for begin, end in near)
