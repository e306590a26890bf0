"""From the rows of a diary to what they say: answers, attacks, and reports on days.

All times are seconds of the local wall clock since 1970 until `aline_tf.migraine.records.importers`
knows the person's time zone; moments that are stated with an offset or with Z are turned into wall
time here, by the clock.
"""

from __future__ import annotations

from collections.abc import Mapping

from aline_tf.migraine.records.importers.account import Account
from aline_tf.migraine.records.importers.diary_cells import Cells, Unread
from aline_tf.migraine.records.importers.diary_columns import Column
from aline_tf.migraine.records.importers.diary_dates import BadDate, DateReader
from aline_tf.migraine.records.importers.diary_entries import Entry, Statement
from aline_tf.migraine.records.importers.diary_times import RowTimes
from aline_tf.migraine.records.importers.diary_words import TOTALS, Words, folded
from aline_tf.migraine.records.timeline import DAY_S, NOT_ANSWERED, OBSERVED, SLOT_S, SPOT_RMSSD
from aline_tf.migraine.records.wall_clock import WallClock
from aline_tf.migraine.schema.channels import SLOT_NAMES

ANSWERED_AT_S = 20 * 3600
#: What is filled in from then on speaks for its whole day, and earlier for what has passed of it.
EVENING_S = 18 * 3600

SLOT_REPORTS = ("stress", "pain", "prodrome", "medication")
BY_SLOT = {
    f"{report}_{part}": (report, slot)
    for report in SLOT_REPORTS
    for slot, part in enumerate(SLOT_NAMES)
}
#: What a day has more of when it is over.
_GROWING = ("alcohol", "caffeine", "missed_meal", "screen_time")
#: Column of a whole day -> channel of the timeline.
BY_DAY = {
    "alcohol": "alcohol",
    "caffeine": "caffeine",
    "missed_meal": "missed_meal",
    "menstruation": "menstrual_flow",
    "sleep_hours": "sleep_hours",
    "sleep_efficiency": "sleep_efficiency",
    "resting_hr": "resting_hr",
    "rmssd": "rmssd",
    SPOT_RMSSD: SPOT_RMSSD,
    "sdnn": "sdnn",
    "skin_temperature": "skin_temperature",
    "screen_time": "screen_time",
    "busy_hours": "busy_hours",
    "pressure_change": "pressure_change",
}
TIMES = ("answered_at", "prodrome_time", "medication_time")
ATTACK = ("attack", "attack_start", "attack_end", "attack_duration")
#: Every field a column can be mapped to.
DIARY_FIELDS = ("date", *TIMES, *ATTACK, *SLOT_REPORTS, *BY_SLOT, *BY_DAY)
#: Reason, behind its field, of a cell that is not needed beside another.
BESIDE_NO = "times of the form beside a no"


def channel_of(field: str) -> str:
    """The channel that a field with answers belongs to."""
    return BY_DAY.get(field) or BY_SLOT.get(field, (field, 0))[0]


class RowReader:
    """Reads the rows of a diary one after the other.

    Args:
        columns: field -> its column.
        cells: field with answers -> the reader of its column.
        dates: reads days and moments.
        words: what words mean.
        clock: the person's clock, for moments with an offset.
        defaults: times of day that stand in every row and say nothing.
        decimal: fields of times whose points may be of decimal hours.

    Attributes:
        entries, statements: what was read so far.
        account: what became of every cell.
        days: rows with a day that can be read.
        unreadable: rows with one that cannot.
        early_totals: rows that were filled in early and count what grows until a day is over.
        dates_are_answers: the time beside the date is when a row was filled in, unless it says so
            itself.
    """

    def __init__(
        self,
        columns: Mapping[str, Column],
        cells: Mapping[str, Cells],
        dates: DateReader,
        words: Words,
        clock: WallClock,
        defaults: frozenset[int] = frozenset(),
        decimal: frozenset[str] = frozenset(),
    ) -> None:
        self.entries: list[Entry] = []
        self.statements: list[Statement] = []
        self.account = Account()
        self.days = self.unreadable = self.early_totals = 0
        self.dates_are_answers = False
        self._columns, self._cells = columns, cells
        self._dates, self._words, self._defaults = dates, words, defaults
        self._times = RowTimes(dates, words, clock, decimal, self._skip)
        self._midnight = self._known = self._row = 0
        self._outcome: dict[str, str] = {}

    def read(self, number: int, row: list[str]) -> None:
        """Add what one row says; `number` is its place."""
        texts = {field: row[column.index] for field, column in self._columns.items()}
        self._row, self._outcome = number, {}
        try:
            moment = self._dates.moment(texts["date"])
        except BadDate as error:
            self._lose(row, texts["date"], error)
            return
        self.days += 1
        self._midnight = self._times.begin(moment)
        answered = self._times.moment(texts, "answered_at")
        if answered is not None and answered < 0:
            self._skip("answered_at", "before the date of its row")
            answered = None
        if self.dates_are_answers and not texts.get("answered_at"):
            answered = self._times.moment(texts, "date") if moment.clock is not None else None
        said = ANSWERED_AT_S if answered is None else answered
        self._known = self._midnight + said
        is_early = answered is not None and answered < EVENING_S
        self.early_totals += is_early and any(texts.get(field) for field in _GROWING)
        begin, slots = self._attack(texts, answered is not None)
        # What is said about an attack cannot have been known before it began.
        known = self._midnight + max(begin or 0, said)
        for field, channel in BY_DAY.items():
            self._answer(field, channel, texts, [(0, DAY_S)], self._known)
        for field, (channel, slot) in BY_SLOT.items():
            self._answer(field, channel, texts, [_slot(slot)], known)
        # Of a row that was filled in on a later day, the last slot of its own.
        now = [_slot(min(said // SLOT_S, len(SLOT_NAMES) - 1))]
        for channel in SLOT_REPORTS:
            if texts.get(channel):
                self._slot_report(channel, texts, now, slots, known)
            elif texts.get(f"{channel}_time"):
                self._skip(f"{channel}_time", "beside no answer")
        self._tally(texts)

    def _slot_report(self, channel, texts, now, of_attack, known: int) -> None:
        at = self._times.clock_of(texts, f"{channel}_time")
        slots = [_slot(min(at // SLOT_S, len(SLOT_NAMES) - 1))] if at is not None else now
        about = bool(of_attack) and self._says_something(channel, texts[channel])
        if about and channel == "pain":
            slots = of_attack
        elif about and channel == "medication" and at is None:
            slots = of_attack[:1]
        else:
            about = False
        self._answer(channel, channel, texts, slots, known, about)

    def _says_something(self, channel: str, text: str) -> bool:
        try:
            return self._cells[channel].value(text) > 0
        except Unread:
            return bool(text)

    def _lose(self, row: list[str], text: str, error: BadDate) -> None:
        cells = [cell for cell in row if cell]
        if folded(text.split(" ")[0]) in TOTALS or folded(text) in TOTALS:
            self.account.skip("row: totals", text, len(cells))
        elif not text:
            self.account.skip("row: no date", count=len(cells))
        else:
            self.unreadable += 1
            self.account.skip(f"row: the date is {error}", text, len(cells))

    def _attack(self, texts, stated: bool) -> tuple[int | None, list[tuple[int, int]]]:
        """Record an attack or a report on the day; when it began, and its slots of this day."""
        if not any(field in texts for field in ATTACK):
            return None, []
        said = self._said(texts)
        begin = self._times.moment(texts, "attack_start")
        end = self._times.moment(texts, "attack_end")
        length = self._times.length(texts, self._columns.get("attack_duration"))
        answer = texts.get("attack", "")
        if said is None and "attack" in texts and (answer or (begin is None and not length)):
            # A word that is not understood may be a no.
            self._set_aside(texts, "beside no answer that is understood")
            return None, []
        if said == 0.0 or (said is None and begin is None and not length):
            self._no_attack(texts, begin, end, length, said, stated)
            return None, []
        if begin is not None and self._is_default(begin, end, length):
            begin = end = None
        elif begin is not None and self._times.is_one(begin, end):
            begin, end = begin if begin % DAY_S else None, None
            if begin is not None:
                self._skip("attack_end", "the same moment as the start")
        if begin is None:
            self._set_aside(texts, "without a start")
            self._say(1.0, stated)
            self._report(1.0, stated, of_attack=True)
            return None, []
        end, moments = self._times.ended(texts, begin, end, length)
        self._say(1.0, stated)
        self._report(0.0, stated, (begin, end), of_attack=True)
        known = self._midnight + begin
        self._store("attack", begin, end, 1.0, known=known, of_attack=True, moments=moments)
        last = DAY_S - 1 if end is not None and end > DAY_S else (end or begin + 1) - 1
        first = max(begin, 0)
        slots = range(first // SLOT_S, max(first, last) // SLOT_S + 1)
        return begin, [_slot(slot) for slot in slots if slot < len(SLOT_NAMES)]

    def _said(self, texts: Mapping[str, str]) -> float | None:
        """1 for an attack, 0 for none, None when no cell says or none that says is understood."""
        text = texts.get("attack", "")
        if not text:
            return None
        if self._words.is_refused(text):
            self._skip("attack", "asked and not answered")
            return None
        try:
            return self._cells["attack"].value(text)
        except Unread as reason:
            self._skip("attack", str(reason))
            return None

    def _no_attack(self, texts, begin, end, length, said, stated) -> None:
        """A row that tells of no attack, unless times of one stand beside its no."""
        hours = [time for time in (begin, end) if time is not None]
        if said is None and (texts.get("attack_start") or end is not None):
            self._set_aside(texts, "without a start")
        elif length or any(time % DAY_S and time not in self._defaults for time in hours):
            self._skip("attack", "a no beside the time of one")
            self._set_aside(texts, "beside a no")
        else:
            self._set_aside(texts, BESIDE_NO)
            self._say(0.0, stated)
            self._report(0.0, stated)

    def _set_aside(self, texts: Mapping[str, str], reason: str) -> None:
        """Count the times of an attack that are not used."""
        for field in ATTACK[1:]:
            if texts.get(field) and field not in self._outcome:
                self._skip(field, reason)

    def _is_default(self, begin: int | None, end: int | None, length: float | None) -> bool:
        return begin in self._defaults and (end is None or end in self._defaults) and not length

    def _answer(self, field, channel, texts, spans, known, of_attack=False) -> None:
        """Store what a cell says for each of `spans`, or count why it is not used."""
        text = texts.get(field, "")
        if not text:
            return
        if self._words.is_refused(text):
            for begin, end in spans:
                self._store(channel, begin, end, 0.0, NOT_ANSWERED, known)
            return
        try:
            value = self._cells[field].value(text)
        except Unread as reason:
            self._skip(field, str(reason))
            return
        for begin, end in spans:
            self._store(channel, begin, end, value, known=known, of_attack=of_attack)

    def _say(self, attack: float, stated: bool) -> None:
        day = self._midnight // DAY_S
        self.statements.append(Statement(day, attack > 0, self._known, self._row, stated))

    def _report(self, value: float, stated: bool, attack=(0, 0), of_attack: bool = False) -> None:
        """Report on the day as far as it had passed when the row was filled in."""
        begin, over = attack
        # What tells of a later hour was filled in after it.
        passed = max(self._known - self._midnight, begin, over or 0) if stated else DAY_S
        if over is None and passed < EVENING_S:
            # The attack may have gone on, and been no less then.
            passed = begin
        end = max(passed, 1) if passed < EVENING_S else DAY_S
        self._store("attack_report", 0, end, value, of_attack=of_attack)

    def _store(
        self,
        channel,
        begin,
        end,
        value,
        status=OBSERVED,
        known=None,
        of_attack=False,
        moments=(None, None),
    ) -> None:
        """Add an entry; `begin` and `end` are seconds after the midnight of the day."""
        time = self._midnight + begin
        stop = None if end is None else self._midnight + end
        known = max(self._known if known is None else known, time)
        said = (channel, value, status, self._row, of_attack, moments)
        self.entries.append(Entry(time, stop, known, *said))

    def _skip(self, field: str, reason: str) -> None:
        self._outcome[field] = reason

    def _tally(self, texts: Mapping[str, str]) -> None:
        """Count what became of every cell of the row: each once, however many fields it has."""
        counted = set()
        for field, column in self._columns.items():
            if column.index in counted or not texts[field]:
                continue
            counted.add(column.index)
            if field in self._outcome:
                self.account.skip(f"{field}: {self._outcome[field]}", texts[field])
            else:
                self.account.use(field)


def _slot(slot: int) -> tuple[int, int]:
    return int(slot) * SLOT_S, (int(slot) + 1) * SLOT_S


def needs_cells(field: str) -> bool:
    """Whether a field holds answers that `Cells` reads."""
    return field == "attack" or field in SLOT_REPORTS or field in BY_SLOT or field in BY_DAY
