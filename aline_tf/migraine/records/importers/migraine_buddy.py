"""Migraine Buddy: the CSV that this app exports, as a timeline.

A table of events ("Date", "Time Period", "Description", "Notes") stands first, then a blank line,
then one row an attack:

| column | becomes |
|---|---|
| Started, Start UTC Offset (min) | the start of an attack, at the wall clock of that place |
| Lasted, End UTC Offset (min) | its end, so much time later; blank: nobody noted it |
| Pain Level, 0-10 | pain in the slots of the attack, known at its end |
| four columns of medication | medication in the slot of the start; "No medication" is none |
| Premonitory Symptoms | prodrome in the slot before the start, known from the start |
| Potential Triggers: a missed meal, menstruation | missed_meal, menstrual_flow of that day |

Of several attacks in one slot the worst pain known so far counts, and so for the others.

An attack that is said to be of other types alone, such as a tension headache, gives its pain and
no attack of migraine. The app notes attacks and nothing else: of other days nothing is known, and
they are not free. Where a person was and what they wrote (Geohash, Notes) is private and is
dropped; other columns have no use here and are counted by name.
"""

from __future__ import annotations

from collections.abc import Mapping

from aline_tf.errors import InputError
from aline_tf.migraine.records.import_summary import ImportSummary
from aline_tf.migraine.records.importers.account import Account
from aline_tf.migraine.records.importers.diary_cells import length_s
from aline_tf.migraine.records.importers.diary_dates import ORDERS, BadDate, DateReader
from aline_tf.migraine.records.importers.diary_table import records_of
from aline_tf.migraine.records.importers.diary_words import Words, folded
from aline_tf.migraine.records.timeline import DAY_S, KINDS, OBSERVED, SLOT_S
from aline_tf.migraine.records.wall_clock import wall_midnight

SOURCE = "diary/migraine_buddy"
_STARTED, _LASTED = "Started", "Lasted"
_OFFSET, _END_OFFSET = "Start UTC Offset (min)", "End UTC Offset (min)"
_PAIN, _SIGNS, _TRIGGERS = "Pain Level", "Premonitory Symptoms", "Potential Triggers"
_NUMBER, _TYPES = "#", "Attack Types"
#: Words of types of headache that are not migraine.
_OTHER_TYPES = ("tension", "cluster", "sinus", "rebound", "hangover", "caffeine", "exertion")
#: What the name of a column of medication has in it, and that of other relief.
_MEDICATION, _OTHER_RELIEF = "medication", "non-"
_NONE = frozenset(("no medication", "none", "no medications", "nothing", "no"))
_OF_SLOTS = ("pain", "medication", "prodrome")
_PUBLISHED = "month-first"
_LONGEST_S = 7 * DAY_S
_MEALS = ("skipped meal", "missed meal", "skipped meals", "fasting", "hunger")
_FLOW = ("menstruation", "period", "menstrual")
#: Most minutes that a clock is ahead of UTC or behind it.
_FURTHEST = 14 * 60


def is_migraine_buddy(text: str) -> bool:
    """Whether the text of a table is such an export: by the columns of its attacks."""
    return _STARTED in text and _OFFSET in text and _LASTED in text


def migraine_buddy_rows(
    text: str, name: str, words: Words, dates: str | None = None
) -> tuple[list[tuple], ImportSummary]:
    """Rows of a timeline, and the account of every cell.

    Args:
        text: of the file.
        name: of the file.
        words: what words mean.
        dates: order of day and month; by default that which the attacks show, or month first.

    Raises:
        InputError: no table of attacks.
    """
    header = next((line for line in text.splitlines() if _STARTED in line), "")
    separator = max(",;\t", key=header.count)
    records = [[cell.strip() for cell in record] for record in records_of(text, separator, name)]
    place = next((n for n, record in enumerate(records) if _STARTED in record), None)
    if place is None:
        raise InputError(
            f"expected a table of attacks with a column {_STARTED}; received {name} without one"
        )
    account = Account()
    header, attacks = records[place], records[place + 1 :]
    for record in records[:place]:
        count = sum(map(bool, record))
        account.cells += count
        account.pass_over("events before the attacks", count)
    started = header.index(_STARTED)
    texts = [record[started] for record in attacks if len(record) > started]
    reader = _Reader(header, _dates_of(texts, dates, account), words, account)
    for record in attacks:
        reader.read(record)
    account.note(f"{name} holds attacks alone: of other days nothing is known")
    return _worst_so_far(reader.rows), account.summary()


def _worst_so_far(rows: list[tuple]) -> list[tuple]:
    """The rows, with the largest answer for a slot that was known by each."""
    largest: dict[tuple, float] = {}
    found = []
    for row in sorted(rows, key=lambda row: row[2]):
        begin, channel, value = row[0], row[5], row[6]
        if channel in _OF_SLOTS:
            value = largest[begin, channel] = max(value, largest.get((begin, channel), value))
        found.append((*row[:6], value, *row[7:]))
    return found


def _dates_of(texts: list[str], order: str | None, account: Account) -> DateReader:
    """The order that the attacks show, or that is named, or else that of the published form."""
    try:
        return DateReader(texts, order)
    except InputError:
        if order is not None:
            raise
        # The order that the app publishes, unless it makes no dates of what another one does.
        orders = (_PUBLISHED, *(other for other in ORDERS if other != _PUBLISHED))
        readers = [DateReader(texts, each) for each in orders]
        reader = min(readers, key=lambda each: sum(not _is_date(each, text) for text in texts))
        account.note(f"dates were read {reader.order} (--dates names another order)")
        return reader


def _is_date(reader: DateReader, text: str) -> bool:
    try:
        reader.moment(text)
    except BadDate:
        return False
    return True


class _Reader:
    """Reads the rows of attacks."""

    def __init__(
        self, header: list[str], dates: DateReader, words: Words, account: Account
    ) -> None:
        self.rows: list[tuple] = []
        self._header, self._dates, self._words, self._account = header, dates, words, account
        self._reasons: dict[str, str] = {}
        self._used: set[str] = set()

    def read(self, record: list[str]) -> None:
        """Add one attack, and count each of its cells."""
        count = sum(map(bool, record))
        self._account.cells += count
        if len(record) != len(self._header):
            self._account.skip("row: another number of cells than the header", record[0], count)
            return
        cells = dict(zip(self._header, record, strict=True))
        try:
            begin, offset, end_offset = self._start(cells)
        except BadDate as error:
            self._account.skip(f"row: the start is {error}", cells[_STARTED], count)
            return
        self._reasons, self._used = {}, {_NUMBER, _STARTED, _OFFSET}
        end = self._end(cells, begin)
        if cells.get(_END_OFFSET) and end is not None:
            self._used.add(_END_OFFSET)
        if _is_other(cells.get(_TYPES, "")):
            self._reasons[_TYPES] = "another headache than migraine"
        else:
            self._add("attack", begin, end, begin, 1.0, offset, end_offset)
        self._pain(cells, begin, end, offset)
        self._medication(cells, begin, offset)
        self._signs(cells, begin, offset)
        self._triggers(cells, begin, offset)
        for column, text in cells.items():
            if not text:
                continue
            if column in self._reasons:
                self._account.skip(f"{column}: {self._reasons[column]}", text)
            elif column in self._used:
                self._account.use(column)
            else:
                self._account.pass_over(column)

    def _start(self, cells: Mapping[str, str]) -> tuple[int, int, int]:
        """When an attack began, and the minutes the clock was ahead of UTC then and at its end."""
        moment = self._dates.moment(cells[_STARTED])
        if moment.clock is None:
            raise BadDate("a day without a time")
        offset = _minutes(cells.get(_OFFSET, ""))
        if offset is None:
            raise BadDate("without a UTC offset")
        midnight = wall_midnight(moment.day)
        end_offset = _minutes(cells.get(_END_OFFSET, ""))
        begin = midnight + moment.clock.seconds - 60 * offset
        return begin, offset, offset if end_offset is None else end_offset

    def _end(self, cells: Mapping[str, str], begin: int) -> int | None:
        text = cells.get(_LASTED, "")
        if not text:
            return None
        length = length_s(text)
        if length is None or not 0 < length <= _LONGEST_S:
            self._reasons[_LASTED] = "not a length of at most a week"
            return None
        self._used.add(_LASTED)
        return begin + round(length)

    def _pain(self, cells, begin: int, end: int | None, offset: int) -> None:
        text = cells.get(_PAIN, "")
        if not text:
            return
        try:
            level = float(text.replace(",", "."))
        except ValueError:
            self._reasons[_PAIN] = "not a number"
            return
        if not 0 <= level <= 10:
            self._reasons[_PAIN] = "outside 0 to 10"
            return
        self._used.add(_PAIN)
        last = begin if end is None else end - 1
        for slot in range(_slot(begin, offset), _slot(last, offset) + 1):
            self._add_slot("pain", slot, last, float(round(level)), offset)

    def _medication(self, cells: Mapping[str, str], begin: int, offset: int) -> None:
        answers = {
            column: text
            for column, text in cells.items()
            if text and _MEDICATION in column.lower() and _OTHER_RELIEF not in column.lower()
        }
        if not answers:
            return
        none = {
            column
            for column, text in answers.items()
            if folded(text) in _NONE or self._words.is_not_taken(text)
        }
        doubtful = [c for c, text in answers.items() if self._words.is_doubtful(text)]
        for column in {*doubtful} - none:
            self._reasons[column] = "it may not have been taken"
            del answers[column]
        if not answers:
            return
        self._used.update(answers)
        taken = not none.issuperset(answers)
        self._add_slot("medication", _slot(begin, offset), begin, float(taken), offset)

    def _signs(self, cells: Mapping[str, str], begin: int, offset: int) -> None:
        text = cells.get(_SIGNS, "")
        if not text:
            return
        self._used.add(_SIGNS)
        seen = self._words.yes_or_no(text) != 0.0
        self._add_slot("prodrome", _slot(begin, offset) - 1, begin, float(seen), offset)

    def _triggers(self, cells: Mapping[str, str], begin: int, offset: int) -> None:
        listed = {folded(part) for part in cells.get(_TRIGGERS, "").split(",")}
        day = (begin + 60 * offset) // DAY_S * DAY_S - 60 * offset
        for channel, named in (("missed_meal", _MEALS), ("menstrual_flow", _FLOW)):
            if not listed.isdisjoint(named):
                self._used.add(_TRIGGERS)
                self._add(channel, day, day + DAY_S, begin, 1.0, offset, offset)

    def _add_slot(self, channel: str, slot: int, known: int, value: float, offset: int) -> None:
        begin = slot * SLOT_S - 60 * offset
        self._add(channel, begin, begin + SLOT_S, known, value, offset, offset)

    def _add(self, channel, begin, end, known, value, offset, end_offset) -> None:
        unit = KINDS[channel].unit
        known = max(known, begin)
        self.rows.append(
            (begin, end, known, offset, end_offset, channel, value, unit, OBSERVED, SOURCE)
        )


def _slot(second: int, offset: int) -> int:
    return (second + 60 * offset) // SLOT_S


def _is_other(types: str) -> bool:
    """Whether all of the types that are named are other headaches than migraine."""
    named = [name for name in types.lower().split(",") if name.strip()]
    return bool(named) and all(any(word in name for word in _OTHER_TYPES) for name in named)


def _minutes(text: str) -> int | None:
    """Minutes ahead of UTC in a cell; None when it holds none."""
    try:
        minutes = int(float(text))
    except (ValueError, OverflowError):
        return None
    return minutes if abs(minutes) <= _FURTHEST else None
