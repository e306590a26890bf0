"""A headache diary, one row a day, with a map from its columns to ours: CSV or JSON Lines.

Few diary apps document a stable export, so the table is described by a column map, {field: column}.
Without a map the columns are expected under the names of the fields:

- `date` (required): the day, in any usual form; the order of day and month is found from all rows,
  by the day of the week where one stands beside the date or in a column of its own.
- `answered_at`: when the row was filled in, HH:MM or a whole time (its date may be a later one);
  when absent, the time that stands beside the date, else 20:00. Before 18:00 of its own day a row
  says of attacks what had passed of the day by then, and no more.
- `attack`: yes or no. Without such a column, a row without attack times means a day without one.
  "Yes" without a start is a day with an attack at an hour that is not known: one row of
  `attack_report` over the whole day with the value 1, where "no" has the value 0. A time that a
  form puts into every row, such as 00:00, says nothing beside a no.
- `attack_start`, `attack_end`: HH:MM on that day, an end before the start being the next morning,
  or whole times as 2025-02-01T06:00. A blank end means that nobody noted it, unless
  `attack_duration` says how long it took, as 90 min, 1h 30m or a number in the unit that the
  column's name says: attack_duration (min).
- `pain`: worst pain of the day, 0-10, put in the slots of the attack, else in the slot of the
  answer. `stress` 0-10, `prodrome` and `medication` (yes or no, or the name of what was taken), put
  in the slot of the answer, or of `prodrome_time`, `medication_time`.
- The same for a part of the day: `stress_night` (00-06), `stress_morning` (06-12),
  `stress_afternoon` (12-18), `stress_evening` (18-24), and so for `pain`, `prodrome`, `medication`.
- For the day: `alcohol` (drinks), `caffeine` (cups), `missed_meal`, `menstruation` (yes or no),
  `sleep_hours`, `sleep_efficiency` (0-1 or per cent), `resting_hr`, `rmssd` and `sdnn` (ms),
  `spot_rmssd` (ms, of one minute of rest that evening),
  `skin_temperature` (C against one's own mean), `screen_time` and `busy_hours` (h),
  `pressure_change` (hPa against the day before).

A number may have its unit beside it, as "450 min" or "98 %", or in the name of its column, and is
converted to the unit above; a scale in the name, as in "stress (0-100)", is brought to 0-10. Words
for yes, no, mild, moderate and severe are known in some twenty languages
(`aline_tf.migraine.records.importers.diary_words`). A blank cell is missing, and so is null.
"refused", "declined" or "skipped" is asked and not answered. Everything in a row is known from the
time of its answer, an attack from its start. A time with an offset or Z is that moment, whatever
the wall clock showed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, timezone
from pathlib import Path

from aline_tf.errors import InputError
from aline_tf.migraine.records.import_summary import ImportSummary
from aline_tf.migraine.records.importers.account import Account
from aline_tf.migraine.records.importers.diary_cells import Cells, Unread
from aline_tf.migraine.records.importers.diary_clock import are_decimal, read_clock
from aline_tf.migraine.records.importers.diary_columns import Column, mapped_names, match_columns
from aline_tf.migraine.records.importers.diary_conflicts import settle
from aline_tf.migraine.records.importers.diary_dates import BadDate, DateReader, is_other_weekday
from aline_tf.migraine.records.importers.diary_entries import Entry, Statement, timed_row
from aline_tf.migraine.records.importers.diary_losses import refuse_losses
from aline_tf.migraine.records.importers.diary_rows import (
    DIARY_FIELDS,
    EVENING_S,
    TIMES,
    RowReader,
    channel_of,
    needs_cells,
)
from aline_tf.migraine.records.importers.diary_table import Table, read_table
from aline_tf.migraine.records.importers.diary_words import (
    WEEKDAYS,
    Words,
    folded,
    read_words,
)
from aline_tf.migraine.records.importers.losses import in_words
from aline_tf.migraine.records.timeline import DAY_S, Timeline
from aline_tf.migraine.records.wall_clock import WallClock

_MOMENTS = ("date", *TIMES, "attack_start", "attack_end")
#: So many answers above 0 show how far a scale goes.
_MANY = 14
_EPOCH = date(1970, 1, 1)


def read_diary(
    path: str | Path,
    column_map: Mapping[str, str] | str | Path | None = None,
    zone: timezone = UTC,
    dates: str | None = None,
    words: Mapping[str, object] | str | Path | None = None,
    accept_losses: bool = False,
) -> Timeline:
    """Read a diary.

    Args:
        path: in any usual encoding, a CSV file separated by commas, semicolons, tabs or bars, or a
            file of JSON Lines (.jsonl, .ndjson) with an object a row.
        column_map: {field: column name} with fields of `DIARY_FIELDS`, or a JSON file of that.
            None expects columns named like the fields; columns of other names are counted unused.
        zone: the fixed offset of the diary's wall clock. `Timeline.anchored_to` replaces it when
            another source knows better.
        dates: "day-first", "month-first" or "year-first", for dates that leave it open.
        words: {meaning: [word, ...]} beside the words that are known, or a JSON file of that.
        accept_losses: read what is left of a diary of which so much is lost that it misleads.

    Returns:
        The timeline, with an account of every cell.

    Raises:
        InputError: no such file, not a table, columns that do not match, no row with a readable
            date, dates whose order is open, or losses that mislead.
    """
    known = read_words(words)
    table = read_table(Path(path), familiar(known, column_map))
    minutes = int(zone.utcoffset(None).total_seconds()) // 60
    clock = WallClock(None, [0], [minutes]) if zone is not UTC else WallClock()
    return diary_from(table, column_map, clock, dates, known, accept_losses)


def familiar(words: Words, column_map: Mapping[str, str] | str | Path | None):
    """Whether a word is one of those that a diary with this column map may hold."""
    names = mapped_names(column_map)
    return lambda word: word in names or words.is_familiar(word)


def diary_from(
    table: Table,
    column_map: Mapping[str, str] | str | Path | None = None,
    clock: WallClock | None = None,
    dates: str | None = None,
    words: Words | None = None,
    accept_losses: bool = False,
) -> Timeline:
    """Read a diary from its table.

    Args:
        table: what is in the file.
        clock: of the person; None when nothing is known of it.
        column_map, dates, words, accept_losses: as for `read_diary`.

    Raises:
        InputError: as for `read_diary`.
    """
    rows, summary = diary_rows(table, column_map, clock, dates, words, accept_losses)
    return Timeline.from_rows(rows, summary)


def diary_rows(
    table: Table,
    column_map: Mapping[str, str] | str | Path | None = None,
    clock: WallClock | None = None,
    dates: str | None = None,
    words: Words | None = None,
    accept_losses: bool = False,
) -> tuple[list[tuple], ImportSummary]:
    """The rows of the timeline of a diary, and its account. Arguments as for `diary_from`."""
    columns = match_columns(table.header, column_map, DIARY_FIELDS)
    words = words or read_words(None)
    texts = {f: [row[c.index] for row in table.rows] for f, c in columns.items()}
    moments = [text for field in _MOMENTS for text in texts.get(field, ()) if text]
    reader = DateReader(moments + _beside_weekdays(table, columns), dates)
    clock = clock if clock is not None and clock.is_known else _stated_clock(moments, reader)
    cells = {
        field: Cells(channel_of(field), columns[field], texts[field], words)
        for field in columns
        if needs_cells(field)
    }
    _block_together(cells)
    defaults = _default_times(texts, cells.get("attack"))
    decimal = frozenset(f for f in _MOMENTS[1:] if f in texts and are_decimal(texts[f]))
    rows = RowReader(columns, cells, reader, words, clock, defaults, decimal)
    rows.dates_are_answers = _tell_times(texts["date"], reader, clock)
    for number, row in enumerate(table.rows):
        rows.read(number, row)
    account = rows.account
    account.cells = table.cells
    for reason, count in table.lost.items():
        account.skip(reason, table.examples.get(reason), count)
    _count_unused(table, columns, reader, account)
    for note in table.notes:
        account.note(note)
    if not rows.days:
        reasons = Counter({r: n for r, n in account.skipped.items() if r.startswith("row: ")})
        received = in_words(account.summary(), reasons) or "no rows"
        raise InputError(
            f"expected rows with a date like 2025-01-31 in column {columns['date'].name!r};"
            f" received {received}"
        )
    entries, conflicts = settle(rows.entries, rows.statements)
    try:
        refuse_losses(rows, entries, rows.unreadable + table.lost_rows, table.name)
    except InputError as error:
        if not accept_losses:
            raise
        account.note(f"losses that were accepted: {error}")
    blank = sum(not text or words.is_blank(text) for text in texts.get("attack", ()))
    if blank and rows.statements and all(statement.attack for statement in rows.statements):
        said = (
            "is blank"
            if not any(map(words.is_blank, filter(None, texts["attack"])))
            else "tells nothing,"
        )
        account.note(
            f"{table.name}: attacks are noted and never a no: of {blank} rows where"
            f" {columns['attack'].name!r} {said} nothing is known"
        )
    if within := _overlapping(entries):
        account.note(f"{table.name}: {within} attacks begin while another one lasts: they are one")
    if early := _early(rows.statements):
        account.note(
            f"{table.name}: {early} days were filled in before {EVENING_S // 3600}:00: of attacks"
            " later on these days nothing is known"
        )
    if rows.early_totals:
        account.note(
            f"{table.name}: {rows.early_totals} rows were filled in before {EVENING_S // 3600}:00:"
            " of drinks, meals and screen time they may tell less than their days had"
        )
    if slips := _other_weekdays(texts["date"], reader):
        account.note(f"{table.name}: {slips} dates fall on another day of the week than they name")
    for channel in _low_scales(cells):
        account.note(
            f"{table.name}: no answer of {channel} is above 5: where its scale ends there, name the"
            f" column like {channel} (1-5)"
        )
    if conflicts:
        account.note(f"two answers for one place, of which the newest was taken: {conflicts}")
    return [timed_row(entry, clock) for entry in entries], account.summary()


def _beside_weekdays(table: Table, columns: Mapping[str, Column]) -> list[str]:
    """The dates of a diary with the days of the week from a column of nothing else, if it has one:
    they tell days from months."""
    mapped = {column.index for column in columns.values()}
    for index in set(range(len(table.header))) - mapped:
        named = [row[index] for row in table.rows if row[index]]
        if named and all(folded(word) in WEEKDAYS for word in named):
            day = columns["date"].index
            return [f"{row[index]} {row[day]}" for row in table.rows if row[index] and row[day]]
    return []


def _tell_times(texts: list[str], reader: DateReader, clock: WallClock) -> bool:
    """Whether the times beside dates say when rows were filled in: one that stands beside all of
    them, or midnight, is the form's."""
    times = Counter()
    for text in texts:
        try:
            day, said = reader.moment(text)
        except BadDate:
            continue
        if said is not None:
            second = said.seconds
            if said.offset is not None:
                moment = (day - _EPOCH).days * DAY_S + second - 60 * said.offset
                second = (moment + 60 * clock.offset_at(moment)) % DAY_S
            times[second] += 1
    return len(times) > 1 or (times.total() == 1 and 0 not in times)


def _overlapping(entries: Sequence[Entry]) -> int:
    """Attacks that begin before an earlier one has ended."""
    count = last = 0
    for entry in sorted(entries, key=lambda entry: entry.begin):
        if entry.channel == "attack":
            count += entry.begin < last
            last = max(last, entry.end or entry.begin)
    return count


def _early(statements: Sequence[Statement]) -> int:
    """Days of which the last word on attacks was given before they were over."""
    last: dict[int, int] = defaultdict(int)
    for said in statements:
        passed = said.known - said.day * DAY_S if said.stated else DAY_S
        last[said.day] = max(last[said.day], passed)
    return sum(passed < EVENING_S for passed in last.values())


def _other_weekdays(texts: Sequence[str], reader: DateReader) -> int:
    """Dates beside which another day of the week stands than they fall on."""
    slips = 0
    for text in texts:
        try:
            slips += is_other_weekday(text, reader.moment(text).day)
        except BadDate:
            continue
    return slips


def _low_scales(cells: Mapping[str, Cells]) -> list[str]:
    """Channels of 0 to 10 whose many answers may be of a shorter scale that nobody named."""
    answers: dict[str, list[float]] = defaultdict(list)
    for field, reader in cells.items():
        answers[channel_of(field)] += reader.scores
    return [name for name, said in answers.items() if len(said) >= _MANY and max(said) <= 5]


def _stated_clock(moments: list[str], reader: DateReader) -> WallClock:
    """The clock that the offsets beside a diary's times show; Z is what programs write that know
    of no place, and shows none."""
    seconds, offsets = [], []
    for text in moments:
        try:
            day, clock = reader.moment(text)
        except BadDate:
            continue
        if clock is not None and clock.offset is not None and not clock.is_utc:
            midnight = (day - _EPOCH).days * DAY_S
            seconds.append(midnight + clock.seconds - 60 * clock.offset)
            offsets.append(clock.offset)
    return WallClock(None, seconds, offsets) if any(offsets) else WallClock()


def _block_together(cells: Mapping[str, Cells]) -> None:
    """Parts of a day are of one scale: where one column leaves it, none of its channel is read."""
    blocked = {channel_of(field): c.blocked for field, c in cells.items() if c.blocked}
    for field, reader in cells.items():
        reader.blocked = reader.blocked or blocked.get(channel_of(field))


def _default_times(texts: Mapping[str, list[str]], attack: Cells | None) -> frozenset[int]:
    """Times of day that a form puts beside every no."""
    if attack is None:
        return frozenset()
    defaults: set[int] = set()
    for field in ("attack_start", "attack_end"):
        beside_no: Counter[int | None] = Counter()
        for said, text in zip(texts["attack"], texts.get(field, ()), strict=False):
            if said and text and _is_no(attack, said):
                clock = read_clock(text)
                beside_no[None if clock is None else clock.seconds] += 1
        if len(beside_no) == 1 and None not in beside_no:
            ((seconds, count),) = beside_no.items()
            if count > 1 or seconds == 0:
                defaults.add(seconds)
    return frozenset(defaults)


def _is_no(attack: Cells, text: str) -> bool:
    try:
        return attack.value(text) == 0.0
    except Unread:
        return False


def _count_unused(
    table: Table, columns: Mapping[str, Column], reader: DateReader, account: Account
) -> None:
    """Count the cells of columns that no field is mapped to, in rows that have a day."""
    mapped = {column.index for column in columns.values()}
    day = columns["date"].index
    for row in table.rows:
        try:
            reader.moment(row[day])
        except BadDate:
            continue
        for index, cell in enumerate(row):
            if cell and index not in mapped:
                account.pass_over(table.header[index] or f"column {index + 1}")
