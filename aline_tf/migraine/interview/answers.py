"""Answers of a person: what is typed, read strictly, and answers as rows of a timeline.

No TensorFlow here.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from aline_tf.errors import InputError
from aline_tf.migraine.records.timeline import (
    DAY_S,
    KINDS,
    NOT_ANSWERED,
    OBSERVED,
    SLOT_S,
    SPOT_RMSSD,
    ImportSummary,
    Timeline,
)
from aline_tf.migraine.records.units import convert
from aline_tf.migraine.schema.candidates import NOW_SLOT, Candidate
from aline_tf.migraine.schema.channels import CHANNEL, SPOT_READING

SOURCE = "ask"
_YES, _NO = ("yes", "y", "true", "1"), ("no", "n", "false", "0")
_NUMBER = re.compile(r"([+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+))\s*([^\d\s].{0,20})?")
_SHOWN = 40
#: Counts that the model knows up to this, which stands for more as well.
_HIGHEST_COUNT = 8
#: Channels of a timeline that have another name there.
_IN_TIMELINE = {SPOT_READING: SPOT_RMSSD}


@dataclasses.dataclass(frozen=True)
class Answer:
    """What came of one question.

    Attributes:
        candidate: what was asked.
        value: in natural units, as typed; None when it was asked and not answered.

    Example:
        >>> from aline_tf.migraine.interview import Answer
        >>> from aline_tf.migraine.schema.candidates import Candidate
        >>> Answer(Candidate("alcohol", days_ago=1), 11.0).field_value
        8.0
    """

    candidate: Candidate
    value: float | None

    @property
    def status(self) -> int:
        """OBSERVED or NOT_ANSWERED."""
        return NOT_ANSWERED if self.value is None else OBSERVED

    @property
    def field_value(self) -> float:
        """As a field of a day holds it: 0 when not answered, counts up to 8, ms as their log."""
        if self.value is None:
            return 0.0
        if self.candidate.channel == SPOT_READING:
            return math.log(self.value)
        is_count = self.candidate.channel in ("alcohol", "caffeine")
        return float(min(self.value, _HIGHEST_COUNT)) if is_count else float(self.value)


def expected(candidate: Candidate) -> str:
    """What an answer looks like: "yes or no", "a whole number from 0 to 10"."""
    if CHANNEL[candidate.channel].kind == "binary":
        return "yes or no"
    low, high, unit = _range(candidate)
    if CHANNEL[candidate.channel].kind == "ordered":
        return f"a whole number from {low:g} to {high:g}"
    return f"a number from {low:g} to {high:g}, in {unit}"


def parse(candidate: Candidate, text: str) -> float:
    """The value that a text gives to a candidate, in natural units.

    Raises:
        InputError: not what `expected` says.
    """
    channel = CHANNEL[candidate.channel]
    value = _yes_or_no(text) if channel.kind == "binary" else _number(candidate, text)
    if value is None:
        shown = "".join(c for c in text.strip() if c.isprintable())[:_SHOWN]
        raise InputError(f"expected {expected(candidate)}; received {shown!r}")
    return value


def answers_timeline(answers: Iterable[Answer], now: datetime) -> Timeline:
    """Answers as the rows of a timeline, all of them known from `now` on.

    An attack in the slot of `now` is one whose end nobody noted; in an earlier slot it fills the
    slot. No attack is a report on the slot.

    Args:
        answers: in any order.
        now: when they were given, with a time zone.
    """
    offset = int(now.utcoffset().total_seconds()) // 60
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
    read: dict[str, int] = {}
    rows = []
    for answer in answers:
        candidate, channel = answer.candidate, _in_timeline(answer.candidate)
        kind = KINDS[channel]
        day = midnight - timedelta(days=candidate.days_ago)
        begin = int(day.timestamp()) - 60 * offset
        stop: int | None = begin + DAY_S
        if candidate.slot >= 0:
            begin += candidate.slot * SLOT_S
            stop = begin + SLOT_S
        value = answer.value or 0.0
        if channel == "attack" and not value:
            channel, kind = "attack_report", KINDS["attack_report"]
        elif channel == "attack" and (candidate.days_ago, candidate.slot) == (0, NOW_SLOT):
            stop = None
        known = int(now.timestamp())
        rows.append(
            (begin, stop, known, offset, offset, channel, value, kind.unit, answer.status, SOURCE)
        )
        read[channel] = read.get(channel, 0) + 1
    return Timeline.from_rows(rows, ImportSummary(read))


def _in_timeline(candidate: Candidate) -> str:
    return _IN_TIMELINE.get(candidate.channel, candidate.channel)


def _range(candidate: Candidate) -> tuple[float, float, str]:
    kind = KINDS[_in_timeline(candidate)]
    return kind.low, kind.high, kind.unit


def _yes_or_no(text: str) -> float | None:
    text = text.strip().lower()
    return 1.0 if text in _YES else 0.0 if text in _NO else None


def _number(candidate: Candidate, text: str) -> float | None:
    """A number in the range of a channel, None when the text is not one; its unit may follow."""
    match = _NUMBER.fullmatch(text.strip().replace("\u2212", "-"))
    if match is None:
        return None
    low, high, unit = _range(candidate)
    value = float(match[1].replace(",", "."))
    if match[2]:
        try:
            # A change of pressure is a difference: it has no zero point to move.
            value = convert(value, match[2], unit, candidate.channel == "pressure_change")
        except KeyError:
            return None
    whole = CHANNEL[candidate.channel].kind != "ordered" or value == int(value)
    return value if whole and low <= value <= high else None
