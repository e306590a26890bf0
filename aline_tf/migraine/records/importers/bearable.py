"""Bearable: the CSV that this symptom tracker exports, as a timeline.

In long form, a row a measure: date, date formatted, weekday, time of day, category, rating/amount,
detail, notes.

| category, detail | becomes |
|---|---|
| Symptom: a migraine, as "Migraine (Severe)" | an attack within that time of day, and its pain |
| Symptom: a headache | pain: mild 2, moderate 5, severe 8, unbearable 10 |
| medication, by the name of a medicine against attacks | medication in that time of day |

A symptom that is rated none, or 0, tells that there was none, and so does the amount of a medicine.
Days without a row are not known. Of several symptoms at one time of day the worst is its pain.
Times of day: am is 06-12, mid 12-18, pm 18-24, anything else the whole day, of which pain and
medication stand in the evening. Other categories have no use here and are counted by name: the
ratings of sleep, mood and energy are of scales of their own.
"""

from __future__ import annotations

import re
from collections import defaultdict

from aline_tf.errors import InputError
from aline_tf.migraine.records.import_summary import ImportSummary
from aline_tf.migraine.records.importers.account import Account
from aline_tf.migraine.records.importers.diary_conflicts import settle, worst
from aline_tf.migraine.records.importers.diary_dates import BadDate, DateReader
from aline_tf.migraine.records.importers.diary_entries import Entry, timed_row
from aline_tf.migraine.records.importers.diary_rows import ANSWERED_AT_S
from aline_tf.migraine.records.importers.diary_table import Table, column_places
from aline_tf.migraine.records.importers.diary_words import (
    MIGRAINE,
    NEGATIONS,
    Words,
    folded,
)
from aline_tf.migraine.records.timeline import DAY_S, OBSERVED, SLOT_S
from aline_tf.migraine.records.wall_clock import WallClock, wall_midnight

SOURCE = "diary/bearable"
_COLUMNS = ("date formatted", "category", "rating/amount", "detail")
_SLOTS = {"am": 1, "morning": 1, "mid": 2, "midday": 2, "afternoon": 2, "pm": 3, "evening": 3}
_LAST_SLOT = 3
#: Rating of a symptom -> pain.
_RATED = {0: 0.0, 1: 2.0, 2: 5.0, 3: 8.0, 4: 10.0}
_RATING = re.compile(r"\d+(?:\.\d+)?")
_DEGREE = re.compile(r"^(.*?)\s*(?:\(([^()]*)\))?$")
_HEADACHE = frozenset(("headache", "head pain", "head ache", "kopfschmerz", "kopfschmerzen"))


def is_bearable(header: list[str]) -> bool:
    """Whether a table with these columns is such an export."""
    return column_places(header).keys() >= set(_COLUMNS)


def bearable_rows(
    table: Table, clock: WallClock, words: Words
) -> tuple[list[tuple], ImportSummary]:
    """Rows of a timeline, and the account: of rows, as each is one measure.

    Args:
        table: the export.
        clock: of the person.
        words: what words mean.

    Raises:
        InputError: no row has a date that can be read.
    """
    places = column_places(table.header)
    dates = DateReader(row[places["date formatted"]] for row in table.rows)
    account = Account()
    account.cells = len(table.rows) + table.lost_rows
    for reason in table.lost:
        if table.lost_rows and "cells than the header" in reason:
            account.skip(reason, table.examples.get(reason), table.lost_rows)
            break
    # By symptom: two ratings of one contradict each other, those of two do not.
    entries: dict[str, list[Entry]] = defaultdict(list)
    days = 0
    is_rated = _is_rated(table, places)
    for number, row in enumerate(table.rows):
        cells = {name: row[index] for name, index in places.items()}
        try:
            day = dates.moment(cells["date formatted"]).day
        except BadDate as error:
            account.skip(f"row: the date is {error}", cells["date formatted"])
            continue
        days += 1
        midnight = wall_midnight(day)
        symptom = folded(_DEGREE.match(cells["detail"])[1])
        entries[symptom] += _measure(cells, midnight, number, words, account, is_rated)
    if not days:
        raise InputError(f"expected rows with a date; received {table.name} without any")
    settled = [settle(said, ()) for said in entries.values()]
    conflicts = sum(count for _, count in settled)
    kept = _worst_pain([entry for said, _ in settled for entry in said])
    if conflicts:
        account.note(f"two answers for one place, of which the newest was taken: {conflicts}")
    account.note(f"{table.name}: of days without a row about migraine nothing is known")
    return [timed_row(entry, clock, SOURCE) for entry in kept], account.summary()


def _worst_pain(entries: list[Entry]) -> list[Entry]:
    places: dict[tuple, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.channel == "pain":
            places[entry.begin, entry.end].append(entry)
    pains = [entry for said in places.values() for entry in worst(said)]
    return [entry for entry in entries if entry.channel != "pain"] + pains


def _measure(
    cells: dict[str, str], midnight: int, row: int, words: Words, account: Account, is_rated: bool
) -> list[Entry]:
    """What a row tells, and what becomes of it in the account."""
    category = folded(cells["category"])
    name, degree = _DEGREE.match(cells["detail"]).groups()
    name = folded(name)
    slot = _SLOTS.get(folded(cells.get("time of day", "")))
    begin, end = (midnight, midnight + DAY_S)
    if slot is not None:
        begin, end = midnight + slot * SLOT_S, midnight + (slot + 1) * SLOT_S
    known = end if slot is not None else midnight + ANSWERED_AT_S
    report = slot if slot is not None else _LAST_SLOT
    place = midnight + report * SLOT_S, midnight + (report + 1) * SLOT_S

    def entry(channel: str, value: float, span: tuple[int, int]) -> Entry:
        return Entry(*span, max(known, span[0]), channel, value, OBSERVED, row)

    if category.startswith(("med", "supplement")):
        if not words.is_medicine(name):
            account.pass_over(f"{cells['category']}: other medicines")
            return []
        if words.is_doubtful(cells["detail"]) or (degree and words.is_refused(degree)):
            account.skip("medication: it may not have been taken", cells["detail"])
            return []
        account.use("medication")
        return [entry("medication", _amount(cells["rating/amount"]), place)]
    # "No migraine" with a rating is no migraine of that rating.
    is_named = NEGATIONS.isdisjoint(name.split()) and any(w in MIGRAINE for w in name.split())
    is_migraine = name in MIGRAINE or is_named
    if not category.startswith("symptom") or not (is_migraine or name in _HEADACHE):
        account.pass_over(cells["category"] or "no category")
        return []
    pain = _pain(degree, cells["rating/amount"] if is_rated else "", words)
    if pain is None:
        reason = "a rating that is none of 0 to 4" if is_rated else "a rating of another scale"
        account.skip(f"symptom: {reason}", cells["rating/amount"])
        return []
    account.use("attack" if is_migraine else "pain")
    made = [entry("pain", pain, place)]
    if is_migraine:
        made.append(entry("attack_report", float(pain > 0), (begin, end)))
    return made


def _amount(text: str) -> float:
    """1 for a medicine that was taken, 0 for one of which nothing was."""
    try:
        return float(float(text) > 0)
    except ValueError:
        return 1.0


def _is_rated(table: Table, places: dict[str, int]) -> bool:
    """Whether the ratings of symptoms are of 0 to 4: one beyond is of a scale of the person's."""
    ratings = (
        row[places["rating/amount"]]
        for row in table.rows
        if folded(row[places["category"]]).startswith("symptom")
    )
    return all(float(text) <= max(_RATED) for text in ratings if _RATING.fullmatch(text))


def _pain(degree: str | None, rating: str, words: Words) -> float | None:
    """Pain from 0 to 10 of a symptom, by its degree in words, else by its rating."""
    in_words = words.degree(degree) if degree else None
    if in_words is not None:
        return in_words
    try:
        return _RATED.get(float(rating))
    except ValueError:
        return None
