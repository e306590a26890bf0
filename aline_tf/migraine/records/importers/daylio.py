"""Daylio: the CSV that this diary of moods exports, as a timeline.

Columns: full_date, date, weekday, time, mood, activities, note_title, note. An entry has
activities, ticked from a list of the person's own and separated by "|":

| activity | becomes |
|---|---|
| migraine, in any of the languages that are known | an attack of that day at an hour not known |
| a medicine against attacks, by name, or "painkiller" | medication in the slot of the entry |
| period, menstruation | menstrual_flow of that day |
| skipped meal, missed meal | missed_meal of that day |

With how bad it was, as "migraine (severe)", it is one too; an entry with more words beside it, as
"migraine diary", says nothing of attacks, and is counted. From the first day on which it is ticked,
entries without migraine say that there was none until then; before it nobody knows whether it was
on the list. Moods and notes have no use here.
"""

from __future__ import annotations

import re
from collections import defaultdict

from aline_tf.errors import InputError
from aline_tf.migraine.records.import_summary import ImportSummary
from aline_tf.migraine.records.importers.account import Account
from aline_tf.migraine.records.importers.diary_clock import read_clock
from aline_tf.migraine.records.importers.diary_dates import BadDate, DateReader
from aline_tf.migraine.records.importers.diary_entries import Entry, timed_row
from aline_tf.migraine.records.importers.diary_rows import ANSWERED_AT_S, EVENING_S
from aline_tf.migraine.records.importers.diary_table import Table, column_places
from aline_tf.migraine.records.importers.diary_words import FLOW, MIGRAINE, Words, folded
from aline_tf.migraine.records.timeline import DAY_S, OBSERVED, SLOT_S
from aline_tf.migraine.records.wall_clock import WallClock, wall_midnight

SOURCE = "diary/daylio"
_COLUMNS = ("full_date", "time", "mood", "activities")
_MEALS = frozenset(("skipped meal", "missed meal", "skipped meals", "no lunch", "no breakfast"))


def is_daylio(header: list[str]) -> bool:
    """Whether a table with these columns is such an export."""
    return column_places(header).keys() >= set(_COLUMNS)


def daylio_rows(table: Table, clock: WallClock, words: Words) -> tuple[list[tuple], ImportSummary]:
    """Rows of a timeline, and the account of every cell.

    Args:
        table: the export.
        clock: of the person.
        words: what words mean.

    Raises:
        InputError: no entry has a date that can be read.
    """
    places = column_places(table.header)
    dates = DateReader(row[places["full_date"]] for row in table.rows)
    account = Account()
    account.cells = table.cells
    for reason, count in table.lost.items():
        account.skip(reason, table.examples.get(reason), count)
    entries: list[Entry] = []
    said: dict[int, list[tuple[int, bool]]] = defaultdict(list)
    for number, row in enumerate(table.rows):
        cells = {name: row[index] for name, index in places.items()}
        try:
            day = dates.moment(cells["full_date"]).day
        except BadDate as error:
            count = sum(map(bool, row))
            account.skip(f"row: the date is {error}", cells["full_date"], count)
            continue
        midnight = wall_midnight(day)
        at = _time_of(cells["time"], account)
        used = _activities(cells["activities"], words)
        if "doubtful" not in used or "attack" in used:
            said[midnight].append((at, "attack" in used))
        for channel in used - {"attack", "doubtful"}:
            begin, end = (midnight, midnight + DAY_S)
            if channel == "medication":
                begin = midnight + at // SLOT_S * SLOT_S
                end = begin + SLOT_S
            entries.append(Entry(begin, end, midnight + at, channel, 1.0, OBSERVED, number))
        account.use("date")
        if "doubtful" in used:
            account.skip("activities: more words beside migraine")
        elif cells["activities"]:
            account.use("activities")
        for name in set(places) - {"full_date", "time", "activities"}:
            if cells[name]:
                account.pass_over(name)
    if not said:
        raise InputError(f"expected entries with a date; received {table.name} without any")
    entries += _attacks({midnight: answers for midnight, answers in said.items() if answers})
    if any(entry.channel == "attack_report" for entry in entries):
        account.note(
            f"{table.name}: from the first migraine on, days with entries and without it count as"
            " days without an attack"
        )
    else:
        account.note(f"{table.name}: no activity is called migraine: of attacks nothing is known")
    return [timed_row(entry, clock, SOURCE) for entry in entries], account.summary()


def _time_of(text: str, account: Account) -> int:
    """Seconds after midnight of an entry."""
    clock = read_clock(text)
    if clock is not None:
        account.use("time")
        return min(clock.seconds, DAY_S - 1)
    if text:
        account.skip("time: not a time like 08:30", text)
    return ANSWERED_AT_S


def _activities(text: str, words: Words) -> set[str]:
    """Channels that the activities of an entry tell of; "attack" among them, and "doubtful" where
    one names a migraine and says more of it than how bad it was."""
    used = set()
    for activity in text.split("|"):
        name = folded(activity)
        is_named = not MIGRAINE.isdisjoint(re.findall(r"\w+", name))
        if name in MIGRAINE:
            used.add("attack")
        elif is_named and not words.is_doubtful(name):
            degree = re.sub(r"[^\w\s]", " ", name).split()
            is_degree = all(word in MIGRAINE or words.degree(word) for word in degree)
            used.add("attack" if is_degree else "doubtful")
        elif name in FLOW:
            used.add("menstrual_flow")
        elif name in _MEALS:
            used.add("missed_meal")
        elif name and words.is_medicine(name):
            used.add("medication")
    return used


def _attacks(said: dict[int, list[tuple[int, bool]]]) -> list[Entry]:
    """A report a day, from the first day with an attack on."""
    with_attack = [midnight for midnight, answers in said.items() if any(a for _, a in answers)]
    if not with_attack:
        return []
    entries = []
    for midnight in sorted(said):
        if midnight < min(with_attack):
            continue
        last = max(at for at, _ in said[midnight])
        attack = midnight in with_attack
        span = DAY_S if attack or last >= EVENING_S else max(last, 1)
        known = min(at for at, yes in said[midnight] if yes) if attack else last
        entries.append(
            Entry(
                midnight,
                midnight + span,
                midnight + known,
                "attack_report",
                float(attack),
                OBSERVED,
                0,
            )
        )
    return entries
