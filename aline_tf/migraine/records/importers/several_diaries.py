"""Several sources of one person that contradict each other: which counts, and on how many days.

Which of two files is the newer one shows in what they hold: in when their rows were filled in, then
in how long they go on (an export that goes on longer was made later); what an earlier import wrote
is older than a file beside it. What they are called, when they were copied and in which order they
were given say nothing. So:

- of two answers of a diary for one place the one known last is used
  (`aline_tf.migraine.records.days`), of two that are as new that of the file that goes on longer,
  else the larger one;
- a day without an attack that was noted on a later day than every word of an attack takes the
  attack back, with what was said of it; else the attack is kept. It is where several apps tell of a
  day: what one knows nothing of, the other was told;
- two files of a diary that give the attacks of a day other hours are not two attacks: the file
  whose word on the day is newer counts, else the one that has all attacks of the other and more,
  else the one that goes on longer, else the one with more hours. What one file says of several
  attacks stays. An end or an hour that only one of them knows contradicts nothing;
- attacks at other hours that different apps tell of are all kept, and so are those beside a diary.

Each is counted and told.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Collection, Sequence
from functools import cached_property

import numpy as np
import pandas as pd

from aline_tf.migraine.records.importers.attack_reports import (
    OF_ATTACKS,
    OF_DIARIES,
    TABLE,
    DayReport,
    SourceReports,
    Span,
    exports,
    overlap,
    slots_of,
    source_reports,
    walls,
)
from aline_tf.migraine.records.timeline import DAY_S, OBSERVED, SLOT_S, Timeline

#: What a diary puts into the slots of an attack.
_BESIDE = ("pain", "medication")
#: Of answers that are of one place all of these are the same.
_PLACE = ["channel", "time", "end"]
#: After all words there are.
_NEVER = 1 << 60


@dataclasses.dataclass(frozen=True)
class Conflicts:
    """How often sources contradict each other.

    Attributes:
        answers: places with several answers.
        kept, taken_back: days with an attack in one source and without in another, by what came of
            it.
        hours: days of which files of one diary give the attacks other hours.
        apps: days with attacks at other hours in several apps.
    """

    answers: int = 0
    kept: int = 0
    taken_back: int = 0
    hours: int = 0
    apps: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """What they are about -> how many there are; of what there is none, nothing."""
        counts = {
            "answers": self.answers,
            "days with or without attack": self.kept + self.taken_back,
            "days with an attack at other hours": self.hours + self.apps,
        }
        return {name: count for name, count in counts.items() if count}

    def sentences(self) -> list[str]:
        """For the person."""
        found = []
        if self.answers:
            found.append(
                f"diaries disagree in {self.answers} answers, of which the newest are used"
            )
        if self.kept:
            found.append(
                f"diaries disagree on {self.kept} days with or without attack: the attack is kept"
            )
        if self.taken_back:
            found.append(
                f"diaries disagree on {self.taken_back} days with an attack that one of them takes"
                " back later: it is left out"
            )
        if self.hours:
            found.append(
                f"diaries disagree on the hours of attacks of {self.hours} days: of each the newest"
                " entry counts, of two as new the one with all attacks of the other, else that of"
                " the file that goes on longer, else that with more hours"
            )
        if self.apps:
            found.append(
                f"different sources tell of attacks at other hours on {self.apps} days: all are"
                " kept"
            )
        return found


def settled(
    parts: Sequence[Timeline], imports: Collection[int] = ()
) -> tuple[list[Timeline], Conflicts]:
    """The files without what others replace or take back, and how often they disagree.

    Args:
        parts: one a file, in any order.
        imports: numbers of those that are no diaries, and have words of some from earlier imports.
    """
    found = source_reports(parts, imports)
    rows = [_Rows(part, number in imports) for number, part in enumerate(parts)]
    answers = _settle_answers(rows)
    days: dict[int, list[_Saying]] = defaultdict(list)
    for source in found:
        for day, report in source.days.items():
            days[day].append((source, report))
    kept = taken_back = hours = apps = 0
    for day, said in days.items():
        if _contradicted(said):
            if _is_taken_back(said):
                taken_back += 1
                for source, report in said:
                    if report.is_attack:
                        rows[source.part].drop_attack(source.name, day, report)
                continue
            kept += 1
        replaced = _replaced(said)
        counting = [saying for saying in said if saying not in replaced]
        hours += bool(replaced)
        for source, report in replaced:
            others = [span for _, other in counting for span in other.hours]
            rows[source.part].drop_hours(source.name, day, report, others)
        apps += _is_told_elsewhere(counting)
    return [each.left() for each in rows], Conflicts(answers, kept, taken_back, hours, apps)


#: A source in a file, and what it tells of a day.
_Saying = tuple[SourceReports, DayReport]


class _Rows:
    """The rows of a file, of which some are dropped."""

    def __init__(self, part: Timeline, is_import: bool) -> None:
        self.part, self.is_import = part, is_import
        self.dropped: set[int] = set()

    @cached_property
    def source(self) -> np.ndarray:
        return exports(self.part)

    @cached_property
    def wall(self) -> np.ndarray:
        return walls(self.part)[0]

    def drop_attack(self, source: str, day: int, report: DayReport) -> None:
        """Drop all that a source says of an attack on a day."""
        of_day = (self.source == source) & (self.wall // DAY_S == day)
        reports = of_day & self.part.frame["channel"].isin(OF_ATTACKS).to_numpy()
        self.dropped.update(np.flatnonzero(reports).tolist())
        self.drop_hours(source, day, report, ())

    def drop_hours(self, source: str, day: int, report: DayReport, others: Sequence[Span]) -> None:
        """Drop the hours of an attack, and what is said of its slots but of those of others."""
        slots = list(slots_of(report.hours) - slots_of(others))
        beside = self.part.frame["channel"].isin(_BESIDE).to_numpy() & (self.source == source)
        beside &= (self.wall // DAY_S == day) & np.isin(self.wall // SLOT_S, slots)
        self.dropped.update(report.rows, np.flatnonzero(beside).tolist())

    def left(self) -> Timeline:
        if not self.dropped:
            return self.part
        return Timeline(self.part.frame.drop(index=sorted(self.dropped)), self.part.summary)


def _contradicted(said: Sequence[_Saying]) -> bool:
    """Whether one tells of an attack where another, which tells of none that day, says none was."""
    none = [span for _, report in said if not report.is_attack for span in report.free]
    return any(
        any(overlap(attack, free) for attack in report.hours for free in none)
        or any(free[0] <= day[0] and day[1] <= free[1] for day in report.anywhen for free in none)
        for _, report in said
    )


def _is_taken_back(said: Sequence[_Saying]) -> bool:
    """Whether a table says on a later day than all who tell of an attack that there was none; an
    app has no word that takes another back or is taken back."""
    none = [
        report.known
        for who, report in said
        if report.free and not report.is_attack and _is_table(who)
    ]
    yes = [report.known if _is_table(who) else _NEVER for who, report in said if report.is_attack]
    return max(none, default=0) // DAY_S > max(yes) // DAY_S


def _is_table(source: SourceReports) -> bool:
    return source.name == TABLE


def _replaced(said: Sequence[_Saying]) -> list[_Saying]:
    """Of what files of one diary say of the hours of attacks on a day what does not count."""
    sources: dict[str, list[_Saying]] = defaultdict(list)
    for source, report in said:
        if report.hours and source.name.startswith(OF_DIARIES):
            sources[source.name].append((source, report))
    replaced: list[_Saying] = []
    for sayings in sources.values():
        ordered = sorted(sayings, key=_rank, reverse=True)
        first = next(one for one in ordered if not any(_adds(other, one) for other in ordered))
        counting = [first]
        for saying in ordered:
            if saying is first:
                continue
            if all(_agree(saying[1].hours, other.hours) for _, other in counting):
                counting.append(saying)
            else:
                replaced.append(saying)
    return replaced


def _rank(saying: _Saying) -> tuple:
    source, report = saying
    length = sum(end - begin for begin, end in report.hours if end is not None)
    return (
        report.known,
        not source.is_import,
        source.last,
        length,
        [(b, e or b) for b, e in report.hours],
    )


def _adds(one: _Saying, other: _Saying) -> bool:
    """Whether one is as new as another and has its attacks and more."""
    (_, report), (_, less) = one, other
    ends = dict(report.hours)
    has_all = all(
        begin in ends and (end is None or ends[begin] in (None, end)) for begin, end in less.hours
    )
    return report.known >= less.known and len(report.hours) > len(less.hours) and has_all


def _agree(one: Sequence[Span], other: Sequence[Span]) -> bool:
    """Whether attacks are the same; an end that one of them does not know contradicts none."""
    return len(one) == len(other) and all(
        begin == start and (end == stop or end is None or stop is None)
        for (begin, end), (start, stop) in zip(one, other, strict=True)
    )


def _is_told_elsewhere(said: Sequence[_Saying]) -> bool:
    """Whether a source tells of an attack where another one, which tells of one too, says that
    there was none: apart from that, or in other slots."""
    return any(
        who.name != other.name
        and less.is_attack
        and any(
            any(overlap(attack, free) for free in less.free)
            and (
                slots_of([attack]) - slots_of(less.hours)
                or not any(overlap(attack, known) for known in less.hours)
            )
            for attack in report.hours
        )
        for who, report in said
        for other, less in said
    )


def _settle_answers(files: Sequence[_Rows]) -> int:
    """Drop what is as new as an answer that counts; places of which files have several answers."""
    parts = [_answers(rows, number) for number, rows in enumerate(files)]
    parts = [part for part in parts if len(part)]
    if len(parts) < 2:
        return 0
    found = pd.concat(parts, ignore_index=True)
    newest = found.sort_values(["known", "value"]).drop_duplicates([*_PLACE, "file"], keep="last")
    conflicts = int((newest.groupby(_PLACE)["value"].nunique() > 1).sum())
    if conflicts:
        moment = [*_PLACE, "source", "known"]
        ordered = found.sort_values(["is_file", "last", "value"])
        counting = ordered.groupby(moment)["value"].transform("last").sort_index()
        for number, row in found.loc[found["value"] != counting, ["file", "row"]].values.tolist():
            files[number].dropped.add(row)
    return conflicts


def _answers(rows: _Rows, number: int) -> pd.DataFrame:
    """The answers of diaries in a file."""
    frame = rows.part.frame
    answers = frame["source"].str.startswith(OF_DIARIES) & (frame["status"] == OBSERVED)
    answers &= ~frame["channel"].isin(OF_ATTACKS)
    found = frame.loc[answers, [*_PLACE, "source", "known", "value"]]
    last = frame.groupby("source")["known"].transform("max")
    is_file = not rows.is_import
    return found.assign(file=number, row=found.index, is_file=is_file, last=last[answers])
