"""Cells of a diary as values: numbers with their units and scales, words, lengths of time.

What a column holds is decided by all of its cells: one that has a value beyond its range is of
another scale or unit, and to keep the values that happen to fit would keep the low ones alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from aline_tf.migraine.records.importers.diary_clock import plain
from aline_tf.migraine.records.importers.diary_columns import Column
from aline_tf.migraine.records.importers.diary_words import (
    CROSSES,
    FLOW,
    MIGRAINE,
    TICKS,
    Words,
    folded,
)
from aline_tf.migraine.records.timeline import KINDS
from aline_tf.migraine.records.units import convert

_NUMBER = r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:e[+-]?\d+)?"
_QUANTITY = re.compile(rf"({_NUMBER})\s*([^\d\s].{{0,20}})?", re.IGNORECASE)
_OUT_OF = re.compile(rf"({_NUMBER})\s*(?:/|out of|of|von|sur|de|di|van|z)\s*(\d{{1,3}})", re.I)
_PLAIN = re.compile(rf"{_NUMBER}\s*[^\W\d_]*", re.IGNORECASE)
_REMARK = re.compile(r"\(([^()]*)\)\s*$")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:[.,]\d{3})*,\d{3}")
_DIFFERENCES = frozenset({"skin_temperature", "pressure_change"})
_COUNTS = frozenset({"alcohol", "caffeine"})
BINARY = frozenset({"missed_meal", "menstrual_flow", "prodrome", "medication"})
#: Answers of yes or no that may also be said by degrees.
_BY_DEGREES = frozenset({"attack", "prodrome", "menstrual_flow"})
#: Answers that name what there was.
_NAMED = {"menstrual_flow": FLOW, "attack": MIGRAINE}
#: Share of the cells of a column that may lie beyond its range as slips of the pen.
_SLIPS = 0.1
_MOST_REMEMBERED = 4096
_LENGTH = re.compile(
    r"(?:(?P<days>\d+(?:[.,]\d+)?)\s?(?:d|days?|tage?|jours?|d\u00edas?|giorni|dias)\b\.?)?\s*"
    r"(?:(?P<hours>\d+(?:[.,]\d+)?)\s?(?:h|hrs?|hours?|std|stunden?|heures?|horas?|ore|uur)\b\.?)?"
    r"\s*(?:(?P<minutes>\d+(?:[.,]\d+)?)\s?(?:m|mins?|minutes?|minuten|minutos?|minuti)\b\.?)?"
    r"\s*(?:(?P<seconds>\d+)\s?(?:s|secs?|seconds?)\b\.?)?",
    re.IGNORECASE,
)
_JOINED = re.compile(r"(\d+)h(\d{1,2})(?:m(?:in)?)?", re.IGNORECASE)
_COLONS = re.compile(r"(\d{1,3}):(\d{2})(?::(\d{2}))?")


class Unread(Exception):
    """A cell that cannot be used; its argument is the reason, in a few words."""


class Cells:
    """Reads the cells of one column.

    Args:
        channel: of the timeline, or "attack".
        column: the column, with the unit or the scale that its name says.
        texts: all of its cells.
        words: what words mean.
    """

    def __init__(self, channel: str, column: Column, texts: Iterable[str], words: Words) -> None:
        self._channel, self._column, self._words = channel, column, words
        folded_texts = {folded(text) or text.strip() for text in texts if text}
        self._has_ticks = not TICKS.isdisjoint(folded_texts)
        self._is_per_cent = self._is_range = False
        self.blocked: str | None = None
        #: Answers above 0 on a scale from 0 to 10 that nobody named.
        self.scores: list[float] = []
        self._read: dict[str, float | str] = {}
        if channel not in BINARY and channel != "attack":
            self._judge([text for text in texts if text])

    def value(self, text: str) -> float:
        """The value of a cell that is not blank, in the unit of the channel.

        Raises:
            Unread: it has none.
        """
        found = self._read.get(text)
        if found is None:
            try:
                found = self._value(text)
            except Unread as reason:
                found = str(reason)
            # Cells repeat; those that do not are not worth a place.
            if len(self._read) < _MOST_REMEMBERED:
                self._read[text] = found
        if isinstance(found, str):
            raise Unread(found)
        return found

    def _value(self, text: str) -> float:
        if self._words.is_blank(text):
            raise Unread("says that it is not known")
        if self._channel in BINARY or self._channel == "attack":
            return self._yes_or_no(text)
        if self.blocked:
            raise Unread(self.blocked)
        value = self._number(text)
        kind = KINDS[self._channel]
        if not kind.low <= value <= kind.high:
            raise Unread(f"outside {kind.low:g} to {kind.high:g}")
        return float(round(value)) if kind.unit == "0-10" else value

    def _judge(self, texts: list[str]) -> None:
        """Find out whether the column is of another scale or unit than it says."""
        values = []
        # "7/8" is 7 of 8 where all are of 8, and between 7 and 8 beside a 6 or a "5/6".
        ends = {match[2] for text in texts if (match := _OUT_OF.fullmatch(plain(text)))}
        alone = any(re.fullmatch(_NUMBER, t) and _float(t) for t in map(plain, texts))
        most = 10.0 if self._column.scale is None else self._column.scale[1]
        self._is_range = len(ends) > 1 or (alone and any(float(end) != most for end in ends))
        for text in texts:
            try:
                values.append(self._number(text))
            except Unread:
                continue
        if self._channel == "sleep_efficiency":
            self._is_per_cent = self._column.scale is None and any(value > 1 for value in values)
            return
        kind = KINDS[self._channel]
        if kind.unit == "0-10" and self._column.scale is None:
            self.scores = [value for value in values if value > 0]
        above = sum(value > kind.high for value in values)
        if kind.unit == "0-10" and above:
            self.blocked = (
                "values above 10: another scale than 0 to 10 (name the column like"
                f" {self._channel} (0-100))"
            )
        elif above > _SLIPS * len(values) and above > 1:
            self.blocked = f"values above {kind.high:g}: another unit than {kind.unit}"

    def _yes_or_no(self, text: str) -> float:
        word = folded(text) or text.strip()
        if self._has_ticks and word in CROSSES:
            raise Unread("an x beside ticks may say yes or no")
        value = self._words.yes_or_no(text)
        if value is None and self._channel in _BY_DEGREES:
            degree = self._words.degree(text)
            value = None if degree is None else float(degree > 0)
        if value is None and word in _NAMED.get(self._channel, ()):
            value = 1.0
        if value is None and self._channel in ("attack", "medication"):
            number = _QUANTITY.fullmatch(plain(text))
            if number and number[2] is None and math.isfinite(_float(number[1])):
                amount = _float(number[1])
                value = float(amount > 0) if amount >= 0 else None
            elif number and self._channel == "medication" and _float(number[1]) == 0:
                value = 0.0
        if value is None and self._channel == "medication" and self._words.is_medicine(text):
            value = 1.0
        if value is None and self._channel == "medication" and self._words.is_not_taken(text):
            value = 0.0
        if value is None:
            raise Unread("not yes or no")
        return value

    def _number(self, text: str) -> float:
        """The number in a cell, in the unit of the channel, in or out of its range."""
        text, kind = plain(text), KINDS[self._channel]
        if kind.unit == "0-10":
            return self._score(text)
        if self._channel in _COUNTS and self._words.yes_or_no(text) == 0.0:
            return 0.0
        if kind.unit == "h" and not _PLAIN.fullmatch(text):
            seconds = length_s(text)
            if seconds is not None:
                return seconds / 3600
        remark = _REMARK.search(text)
        if remark:
            text = f"{text[: remark.start()]}{remark[1]}"
        match = _QUANTITY.fullmatch(text)
        if match is None or _THOUSANDS.fullmatch(match[1]):
            raise Unread("not a number")
        value, spelling = _float(match[1]), match[2] or self._column.unit
        if not math.isfinite(value):
            raise Unread("not a number")
        stated = bool(match[2])
        if spelling:
            try:
                # Changes of pressure and temperature are differences: no zero point to move.
                changed = convert(value, spelling, kind.unit, self._channel in _DIFFERENCES)
                value = changed
            except KeyError:
                if stated:
                    raise Unread(f"a unit that is not one of {kind.unit}") from None
        if self._channel == "sleep_efficiency" and not stated:
            if self._column.scale == (0.0, 100.0):
                value /= 100
            elif self._is_per_cent:
                if value <= 1:
                    raise Unread("a share among per cents")
                value /= 100
        return value

    def _score(self, text: str) -> float:
        """A degree from 0 to 10, as a number of its scale or as a word."""
        degree = self._words.degree(text)
        if degree is not None:
            return degree
        remark = _REMARK.search(text)
        if remark:
            # "7 (bad)" is a 7, and "Headache (Severe)" is severe.
            text = text[: remark.start()].strip()
        stated = _OUT_OF.fullmatch(text)
        if stated and int(stated[2]) > 1:
            if self._is_range:
                raise Unread("out of several scales, or a range")
            return _rescaled(_float(stated[1]), (0.0, float(stated[2])))
        match = _QUANTITY.fullmatch(text)
        if match is None:
            degree = self._words.degree(remark[1]) if remark else None
            if degree is None:
                raise Unread("not a number")
            return degree
        value = _float(match[1])
        if not math.isfinite(value):
            raise Unread("not a number")
        if match[2] == "%":
            return _rescaled(value, (0.0, 100.0))
        if match[2]:
            try:
                return convert(value, match[2], "0-10")
            except KeyError:
                raise Unread("a unit that is not one of 0-10") from None
        return value if self._column.scale is None else _rescaled(value, self._column.scale)


def length_s(text: str, unit: str = "") -> float | None:
    """Seconds that a length of time says: 75 min, 1h 15m, 1:15, 2 h, 1d 02h 15m.

    Args:
        text: of the cell.
        unit: of a number alone, as "min" or "hours"; without one, that is None.
    """
    text = plain(text)
    colons = _COLONS.fullmatch(text)
    if colons and int(colons[2]) < 60:
        hours, minutes, seconds = (int(part or 0) for part in colons.groups())
        return 3600.0 * hours + 60 * minutes + seconds
    joined = _JOINED.fullmatch(text)
    if joined and int(joined[2]) < 60:
        return 3600.0 * int(joined[1]) + 60 * int(joined[2])
    number = re.fullmatch(r"\d+(?:[.,]\d+)?", text)
    if number:
        try:
            return 3600 * convert(_float(text), unit.strip(), "h") if unit.strip() else None
        except KeyError:
            return None
    match = _LENGTH.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    parts = (_float(match[name] or "0") for name in ("days", "hours", "minutes", "seconds"))
    return sum(size * part for size, part in zip((86_400, 3600, 60, 1), parts, strict=True))


def _float(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return math.nan


def _rescaled(value: float, scale: tuple[float, float]) -> float:
    low, high = scale
    return 10 * (value - low) / (high - low)
