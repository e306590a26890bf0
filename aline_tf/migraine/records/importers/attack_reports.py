"""What one source says in one file of the attacks of each day.

All times are seconds of the local wall clock since 1970.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Sequence

import numpy as np

from aline_tf.migraine.records.timeline import DAY_S, OBSERVED, SLOT_S, Timeline

OF_ATTACKS = ("attack", "attack_report")
#: What the sources of diaries begin with, and the source of a table that no app wrote.
OF_DIARIES, TABLE = "diary", "diary"

#: Begin and end; the end None where nobody noted it.
Span = tuple[int, int | None]


@dataclasses.dataclass(frozen=True)
class DayReport:
    """What a source says of the attacks that begin on a day.

    Attributes:
        hours: attacks, and parts of the day that had one; those that touch are one.
        rows: the rows of the file that say so.
        anywhen: spans of whole days that had an attack at an hour nobody noted.
        free: times without an attack.
        known: when the last word on the day was given.
    """

    hours: tuple[Span, ...] = ()
    rows: tuple[int, ...] = ()
    anywhen: tuple[Span, ...] = ()
    free: tuple[Span, ...] = ()
    known: int = 0

    @property
    def is_attack(self) -> bool:
        """Whether there was one."""
        return bool(self.hours or self.anywhen)


@dataclasses.dataclass(frozen=True)
class SourceReports:
    """What a source says in a file.

    Attributes:
        part: number of the file.
        name: of the source; of devices that of their export.
        is_import: the file is a timeline or a bundle, of an earlier import.
        last: when its last word on anything was known: of two exports the later one goes on longer.
        days: day since 1970 -> what is told of it.
    """

    part: int
    name: str
    is_import: bool
    last: int
    days: dict[int, DayReport]


def source_reports(parts: Sequence[Timeline], imports: Collection[int]) -> list[SourceReports]:
    """What each source says in each file that tells of attacks.

    Args:
        parts: one a file.
        imports: numbers of those that are no diaries.
    """
    found = []
    for number, part in enumerate(parts):
        about = part.frame["channel"].isin(OF_ATTACKS) & (part.frame["status"] == OBSERVED)
        if not about.any():
            continue
        sources, known = exports(part), walls(part)[2]
        for source in sorted(set(sources[about])):
            own = sources == source
            days = _days(part, np.flatnonzero(about & own))
            last = int(known[own].max())
            found.append(SourceReports(number, source, number in imports, last, days))
    return found


def exports(part: Timeline) -> np.ndarray:
    """The source of each row; of devices their export alone."""
    sources = part.frame["source"]
    names = {
        name: name if name.startswith(OF_DIARIES) else name.partition("/")[0]
        for name in sources.unique()
    }
    return sources.map(names).to_numpy(dtype=object)


def walls(part: Timeline) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Begin, end and time of knowing of each row."""
    offset, end_offset = (60 * part.frame[name].to_numpy() for name in ("offset", "end_offset"))
    time, end, known = (part.seconds(name) for name in ("time", "end", "known"))
    return time + offset, end + end_offset, known + end_offset


def slots_of(spans: Sequence[Span]) -> set[int]:
    """Slots since 1970 that spans overlap."""
    return {
        slot
        for begin, end in spans
        for slot in range(begin // SLOT_S, (_stop((begin, end)) - 1) // SLOT_S + 1)
    }


def overlap(one: Span, other: Span) -> bool:
    """Whether two spans share time; of one without an end its begin counts."""
    return one[0] < _stop(other) and other[0] < _stop(one)


def _days(part: Timeline, rows: np.ndarray) -> dict[int, DayReport]:
    """Day -> what some rows tell of it."""
    frame = part.frame.iloc[rows]
    wall, end, known = (each[rows] for each in walls(part))
    timed: list[tuple[Span, int]] = []
    reports: dict[int, dict] = defaultdict(lambda: {"anywhen": [], "free": [], "known": []})
    entries = zip(frame["channel"], frame["value"], frame["end"].isna(), strict=True)
    for place, (channel, value, is_open) in enumerate(entries):
        day = int(wall[place]) // DAY_S
        span = int(wall[place]), None if is_open else int(end[place])
        of_day = reports[day]
        if channel == "attack":
            # An attack is known from its start on, whenever it was reported.
            timed.append((span, int(rows[place])))
            continue
        of_day["known"].append(int(known[place]))
        is_whole = is_open or span[1] <= span[0] or len(slots_of([span])) == DAY_S // SLOT_S
        whole = day * DAY_S, (day + 1) * DAY_S
        if value <= 0.5:
            of_day["free"].append(whole if is_whole else span)
        elif is_whole:
            of_day["anywhen"].append(whole)
        else:
            timed.append((span, int(rows[place])))
    attacks = _joined([span for span, _ in timed])
    begins = [begin for begin, _ in attacks]
    hours, saying, on = defaultdict(list), defaultdict(list), defaultdict(list)
    for span in attacks:
        hours[span[0] // DAY_S].append(span)
        # A day that nobody reported on is told of by its attack.
        reports[span[0] // DAY_S]
        for day in range(span[0] // DAY_S, (_stop(span) - 1) // DAY_S + 1):
            on[day].append(span)
    for (begin, _), row in timed:
        saying[begins[bisect_right(begins, begin) - 1] // DAY_S].append(row)
    return {
        day: DayReport(
            tuple(hours[day]),
            tuple(saying[day]),
            tuple(of_day["anywhen"]),
            tuple(_without(of_day["free"], on[day])),
            max(of_day["known"], default=day * DAY_S),
        )
        for day, of_day in reports.items()
    }


def _joined(spans: Sequence[Span]) -> list[Span]:
    """Spans in order, those that touch as one."""
    found: list[Span] = []
    for begin, end in sorted(spans, key=lambda span: (span[0], -(span[1] or 0))):
        if found and found[-1][1] is not None and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end or begin)
        elif not found or found[-1][0] != begin:
            found.append((begin, end))
    return found


def _without(spans: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """What is left of spans outside of others."""
    left = list(spans)
    for begin, end in others:
        stop = _stop((begin, end))
        left = [
            piece
            for start, over in left
            for piece in ((start, min(over, begin)), (max(start, stop), over))
            if piece[0] < piece[1]
        ]
    return left


def _stop(span: Span) -> int:
    """Where a span ends; one of no length lasts a second."""
    begin, end = span
    return begin + 1 if end is None else max(end, begin + 1)
