"""Dates of a diary, in the order that all of its cells together show.

"03/04/2025" is a day of April or of March; "13/04/2025" is not. So the order is decided by every
date of a file: it is the one in which all of them are dates, and fall on the days of the week that
stand beside them. Where several orders remain that give different days, or none does, nobody can
know, and the order has to be named. Written out months, four-digit years in front and the day
numbers of workbooks need no order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from aline_tf.errors import InputError
from aline_tf.migraine.records.import_summary import shown_example
from aline_tf.migraine.records.importers.diary_clock import Clock, plain, read_clock
from aline_tf.migraine.records.importers.diary_words import FILLERS, MONTHS, WEEKDAYS

FIRST_YEAR, LAST_YEAR = 1990, 2199
#: Orders that can be named -> places of year, month and day among three numbers.
ORDERS = {"day-first": (2, 1, 0), "month-first": (2, 0, 1), "year-first": (0, 1, 2)}
_WORKBOOK_ZERO = date(1899, 12, 30)
_EPOCH = date(1970, 1, 1)
_NUMERIC = re.compile(r"(\d{1,4})\s?([-/._ ])\s?(\d{1,2})\s?[-/._ ]\s?(\d{1,4})\.?")
_PACKED = re.compile(r"(\d{4})(\d{2})(\d{2})")
_SERIAL = re.compile(r"(\d{5})(?:[.,](\d+))?")
_UNIX = re.compile(r"(\d{10})(\d{3})?(?:\.\d+)?")
_EAST_ASIAN = re.compile(
    r"(\d{4})\s?[年년]\s?(\d{1,2})\s?[月월]\s?(\d{1,2})\s?[日일號号]?"
    r"(?:\s?(?:(?:星期|周|週)[一二三四五六日天]|[月火水木金土日]曜日?|[월화수목금토일]요일))?"
)
_TOKEN = re.compile(r"\d+|[^\W\d_]+")
_ZONE = r"(?:\s?(?:z|(?:utc|gmt)?\s?[+-]\d{2}:?\d{2}|utc|gmt))?"
_HALVES = r"(?:\s?(?:[ap]\.?\s?m\.?|上午|下午|午前|午後|오전|오후))"
_CLOCK = (
    rf"(?:(?:上午|下午|午前|午後|오전|오후)\s?)?\d{{1,2}}(?:[:.h]\d{{2}}(?::\d{{2}}(?:[.,]\d+)?)?"
    rf"{_HALVES}?(?:\s?uhr)?{_ZONE}|{_HALVES}|\s?uhr)"
)
_TIME_LAST = re.compile(
    rf"(?P<date>.*?\d[^\d]{{0,12}}?)(?:t|[\s,]+(?:at |um |à |a las |kl\.? )?)(?P<time>{_CLOCK})",
    re.IGNORECASE,
)
_TIME_FIRST = re.compile(rf"(?P<time>{_CLOCK})[\s,]+(?P<date>.*\d.*)", re.IGNORECASE)
_REMARK = re.compile(r"\s*\(([^()]*)\)\s*")


class BadDate(Exception):
    """A text that is no date; its argument says why."""


class Moment(NamedTuple):
    """A `day` and, where the text says one, a `clock`."""

    day: date
    clock: Clock | None


class DateReader:
    """Reads the dates of one diary.

    Args:
        texts: every cell of it that may hold a date.
        order: one of `ORDERS`, None to find it out.

    Raises:
        InputError: an unknown order; or none is named and the cells do not decide.

    Example:
        >>> from aline_tf.migraine.records.importers.diary_dates import DateReader
        >>> reader = DateReader(["03/04/2025", "13/04/2025"])
        >>> reader.order, reader.moment("03/04/2025").day.isoformat()
        ('day-first', '2025-04-03')
    """

    def __init__(self, texts: Iterable[str] = (), order: str | None = None) -> None:
        if order is not None and order not in ORDERS:
            raise InputError(f"expected --dates as one of {', '.join(ORDERS)}; received {order!r}")
        texts = list(texts)
        self.order = order if order is not None else _order_of(texts)
        if order is None:
            _refuse_swapped(texts)

    def moment(self, text: str) -> Moment:
        """The day, and the time of day, that a text says.

        Raises:
            BadDate: it is no date, or one outside of the years from 1990 to 2199.
        """
        cell = plain(text)
        unix = _UNIX.fullmatch(cell)
        if unix:
            seconds = int(unix[1])
            day = _checked_day(_EPOCH + timedelta(seconds=seconds))
            return Moment(day, Clock(seconds % 86_400, 0, True))
        serial = _SERIAL.fullmatch(cell)
        if serial:
            clock = read_clock(f"0.{serial[2]}000") if serial[2] else None
            return Moment(_checked_day(_WORKBOOK_ZERO + timedelta(days=int(serial[1]))), clock)
        shown, clock = _split(cell)
        return Moment(self._day(shown), clock)

    def _day(self, text: str) -> date:
        triple = _triple(text)
        if triple is None:
            raise BadDate("not a date")
        values, order = triple
        order = order or self.order
        for each in (order,) if order else ORDERS:
            day = _date(values, each)
            if day is not None:
                return _checked_day(day)
        raise BadDate("not a date")


def _checked_day(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise BadDate(f"outside of the years {FIRST_YEAR} to {LAST_YEAR}")
    return day


@lru_cache(4096)
def _split(text: str) -> tuple[str, Clock | None]:
    """The part of a text that says the day, and the clock that it says beside it."""
    for pattern in (_TIME_LAST, _TIME_FIRST):
        match = pattern.fullmatch(text)
        if match:
            clock = read_clock(match["time"])
            if clock is not None and _triple(match["date"].strip(" ,")) is not None:
                return match["date"].strip(" ,"), clock
    return text, None


@lru_cache(4096)
def _triple(text: str) -> tuple[tuple[int, int, int], str | None] | None:
    """Three numbers, and in which order they are where that is certain; None for no date."""
    text = _REMARK.sub(" ", text).strip(" ,;")
    match = _PACKED.fullmatch(text) or _EAST_ASIAN.fullmatch(text)
    if match:
        return (int(match[1]), int(match[2]), int(match[3])), "year-first"
    match = _NUMERIC.fullmatch(_without_weekday(text))
    if match:
        first, last = match[1], match[4]
        if len(first) == 3 or len(last) == 3 or (len(first) == 4 and len(last) > 2):
            return None
        values = (int(first), int(match[3]), int(last))
        return values, ("year-first" if len(first) == 4 else None)
    return _written_out(text)


def _without_weekday(text: str) -> str:
    words = [word for word in _TOKEN.findall(text) if not word.isdigit()]
    for word in words:
        if word.lower() in WEEKDAYS:
            text = text.replace(word, " ", 1)
    return text.strip(" ,.;-")


def _written_out(text: str) -> tuple[tuple[int, int, int], str] | None:
    """A date whose month is a word: 3 March 2025, March 3rd, 2025, 3. März 25, 2025 Mar 3."""
    numbers, months = [], []
    for token in _TOKEN.findall(text.lower()):
        if token.isdigit():
            numbers.append(token)
        elif token in MONTHS:
            months.append(token)
        elif token not in WEEKDAYS and token not in FILLERS:
            return None
    # "mar" is a month and a day of the week; a second month says which of them it is.
    sure = [word for word in months if word not in WEEKDAYS]
    months = sure or months
    if len(numbers) != 2 or len({MONTHS[word] for word in months}) != 1:
        return None
    day, year = numbers if len(numbers[0]) <= 2 else reversed(numbers)
    if len(day) > 2 or len(year) not in (2, 4):
        return None
    return (int(day), MONTHS[months[0]], int(year)), "day-first"


def _date(values: tuple[int, int, int], order: str) -> date | None:
    year, month, day = (values[place] for place in ORDERS[order])
    if year < 100:
        year += 1900 if year >= FIRST_YEAR % 100 else 2000
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _order_of(texts: Iterable[str]) -> str | None:
    """The one order in which all of the texts are dates; None when none of them needs one.

    Raises:
        InputError: several orders are left, or none is.
    """
    open_texts: dict[tuple[int, int, int], str] = {}
    weekdays: dict[tuple[int, int, int], frozenset[int]] = {}
    for text in texts:
        triple = _triple(_split(plain(text))[0])
        if triple is not None and triple[1] is None:
            open_texts.setdefault(triple[0], text)
            if named := weekdays_in(text):
                weekdays[triple[0]] = weekdays.get(triple[0], named) & named
    orders = _orders(list(open_texts))
    days = {
        values: {
            order: day
            for order in orders
            if (day := _date(values, order)) and FIRST_YEAR <= day.year <= LAST_YEAR
        }
        for values in open_texts
    }
    days = {values: read for values, read in days.items() if read}
    if not days:
        return None
    left = [order for order in ORDERS if all(order in read for read in days.values())]
    # Where the week decides; a single slip of it decides nothing.
    left = [o for o in left if all(_falls(days[v], o, weekdays[v]) for v in weekdays)] or left
    if left and all(len({read[order] for order in left}) == 1 for read in days.values()):
        return left[0]
    if left:
        example = next(v for v, read in days.items() if len({read[o] for o in left}) > 1)
        received = f"{shown_example(open_texts[example])!r}, which may be either, as may all others"
    else:
        proofs = {}
        for values, read in days.items():
            if len(read) == 1:
                proofs.setdefault(next(iter(read)), shown_example(open_texts[values]))
        received = " beside ".join(map(repr, proofs.values())) or "dates in several orders"
        left = list(ORDERS)[:2]
    raise InputError(
        "expected dates of which all together show whether the day or the month comes first;"
        f" received {received}: say it with --dates {' or --dates '.join(left)}"
    )


def _falls(read: dict[str, date], order: str, weekdays: frozenset[int]) -> bool:
    return order in read and read[order].weekday() in weekdays


def weekdays_in(text: str) -> frozenset[int]:
    """Days of the week that all of those words of a text may mean which name one; 0 for Monday."""
    named = [WEEKDAYS[word] for word in _TOKEN.findall(plain(text).casefold()) if word in WEEKDAYS]
    return frozenset.intersection(*named) if named else frozenset()


def is_other_weekday(text: str, day: date) -> bool:
    """Whether a date is written with another day of the week than it falls on: a slip of one of
    them. A word that names a month too names no day."""
    words = [w for w in _TOKEN.findall(plain(text).casefold()) if w in WEEKDAYS and w not in MONTHS]
    return bool(words) and not any(day.weekday() in WEEKDAYS[word] for word in words)


def _refuse_swapped(texts: list[str]) -> None:
    """Refuse what a workbook leaves of dates in the other order than its own.

    It turns those into day numbers that are dates in its order, day and month swapped, and leaves
    the others as they are. None of the others is then a date in both orders.

    Raises:
        InputError: day numbers stand beside dates of which none is one in both orders.
    """
    written = [t for t in map(_triple, map(plain, texts)) if t is not None and t[1] is None]
    if not written or not any(_SERIAL.fullmatch(plain(text)) for text in texts):
        return
    orders = list(ORDERS)[:2]
    possible = [sum(_date(values, order) is not None for order in orders) for values, _ in written]
    if max(possible) == 1:
        example = next(text for text in texts if (_triple(plain(text)) or (0, ""))[1] is None)
        raise InputError(
            "expected dates of one form; received day numbers of a workbook beside"
            f" {shown_example(example)!r}, which it may have swapped the day and the month of:"
            " give the column the form 2025-01-31, or say --dates"
        )


def _orders(triples: list[tuple[int, int, int]]) -> list[str]:
    """Orders that can be meant: years come first only where the first number hardly changes."""
    if any(values[2] > 99 for values in triples):
        return ["day-first", "month-first"]
    first, last = (len({values[place] for values in triples}) for place in (0, 2))
    orders = []
    if last < 3 or last <= 2 * first:
        orders += ["day-first", "month-first"]
    if first < 3 or first <= 2 * last:
        orders.append("year-first")
    return orders
