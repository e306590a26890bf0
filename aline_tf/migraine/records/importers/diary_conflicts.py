"""Two answers for one place of a diary: the newest statement wins, and every conflict is counted.

Newest is what was known last; of what was known at the same time, what stands further down. Several
answers in the course of a day about attacks do not contradict each other: a day on which one of
them tells of an attack had one. But a row that states no other time than another one, or was
written on a later day, speaks for the whole day again and replaces what was said of it. What rows
say of attacks that began at different times does not contradict either: of a part of the day that
they share, the worst counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from aline_tf.migraine.records.importers.diary_entries import Entry, Statement
from aline_tf.migraine.records.timeline import DAY_S, OBSERVED

_OF_DAYS = ("attack", "attack_report")


def settle(entries: Iterable[Entry], statements: Sequence[Statement]) -> tuple[list[Entry], int]:
    """What is left when every place has one answer.

    Args:
        entries: what the cells say.
        statements: what the rows say of attacks.

    Returns:
        the entries that stand, and the number of places that had several answers.
    """
    withdrawn, conflicts = _withdrawn(statements)
    places: dict[tuple, list[Entry]] = defaultdict(list)
    began: dict[int, int] = {}
    for entry in entries:
        if entry.row in withdrawn and (entry.channel in _OF_DAYS or entry.of_attack):
            continue
        if entry.channel == "attack":
            began[entry.row] = entry.begin
        # Several attacks of a day begin at several times.
        end = None if entry.channel == "attack" else entry.end
        value = entry.value if entry.channel == "attack_report" else None
        places[entry.channel, entry.begin, end, value].append(entry)
    kept = []
    for said in places.values():
        if len({began.get(entry.row) for entry in said if entry.of_attack}) > 1:
            said = worst(said)
        # An answer wins over a question that was not answered.
        newest = max(said, key=lambda entry: (entry.status == OBSERVED, entry.known, entry.row))
        kept.append(newest)
        same = {(entry.end, entry.value) for entry in said if entry.status == OBSERVED}
        conflicts += len(same) > 1
    return kept, conflicts


def worst(said: Sequence[Entry]) -> list[Entry]:
    """Of what is said of one place the largest value, that was known first; [n >= 1] to [1]."""
    return [max(said, key=lambda entry: (entry.status == OBSERVED, entry.value, -entry.known))]


def _withdrawn(statements: Sequence[Statement]) -> tuple[set[int], int]:
    """Rows whose word on attacks is replaced by a newer one, and on how many days that is so."""
    by_day: dict[int, list[Statement]] = defaultdict(list)
    for statement in statements:
        by_day[statement.day].append(statement)
    withdrawn: set[int] = set()
    conflicts = 0
    for day, said in by_day.items():
        if len({statement.attack for statement in said}) < 2:
            continue
        said.sort(key=lambda statement: (statement.known, statement.row))
        newest = said[-1]
        others = [s for s in said if s.attack != newest.attack and _replaces(newest, s, day)]
        withdrawn.update(statement.row for statement in others)
        conflicts += bool(others)
    return withdrawn, conflicts


def _replaces(newer: Statement, older: Statement, day: int) -> bool:
    """Whether the newer statement speaks for the whole day, and not for what came since."""
    in_course = newer.stated and older.stated and newer.known < (day + 1) * DAY_S
    return not in_course or newer.known == older.known
