"""Times of day as people and programs write them: 20:15, 8:15 PM, 8.15 p.m., 20h15, 2015."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

DAY_S = 86_400

_AM = r"a\.?\s?m\.?|vorm\.?|上午|午前|오전|ص|पूर्वाह्न|πμ|π\.μ\.|öö"
_PM = r"p\.?\s?m\.?|nachm\.?|下午|午後|오후|م|अपराह्न|μμ|μ\.μ\.|ös"
_BEFORE, _BEHIND = (rf"(?:(?P<am{n}>{_AM})|(?P<pm{n}>{_PM}))?" for n in "12")
_ZONE = r"(?P<zone>z|(?:utc|gmt)?\s?[+-]\d{2}:?\d{2}|(?:utc|gmt)(?:\s?[+-]\d{1,2})?)"
_DIGITS = (
    r"(?P<hour>\d{1,2})\s?[:.h]\s?(?P<minute>\d{2})"
    r"(?:\s?[:.m]\s?(?P<second>\d{2})(?:[.,]\d{1,9})?s?)?(?:\s?min)?"
    r"|(?P<packed>\d{4})|(?P<whole>\d{1,2})(?P<hours>\s?h)?"
)
_CLOCK = re.compile(
    rf"{_BEFORE}\s?(?:{_DIGITS})\s?(?P<word>uhr|hrs?\.?|ч\.?|時|시)?\s?{_BEHIND}"
    rf"\s?{_ZONE}?",
    re.IGNORECASE,
)
_POINTED = re.compile(r"\d{1,2}[.,]\d+")
_DECIMAL_HOURS = re.compile(r"(?:[01]?\d|2[0-4])[.,](?:\d|[6-9]\d)")
_FRACTION = re.compile(r"0?\.\d{3,}|0,\d{3,}")
#: A workbook that shows a time as a date shows the day from which it counts.
_DAY_ZERO = re.compile(r"1(?:899-12-3[01]|900-01-0[01])[t ]", re.IGNORECASE)
_WORDS = {"midnight": 0, "mitternacht": 0, "minuit": 0, "noon": 43_200, "midday": 43_200}
_WORDS |= {"mittag": 43_200, "midi": 43_200, "mediodía": 43_200, "mezzogiorno": 43_200}
#: A fraction as one sign, beside a whole number or alone: 1\u00bd.
_VULGAR = re.compile(r"([0-9]{0,3})\s?([\u00bc-\u00be\u2150-\u215e])")
#: What programs for writing make of a ' within a word: "didn't" is one word.
_APOSTROPHES = dict.fromkeys(map(ord, "\u2018\u2019\u02bc\uff07\u00b4"), "'")
#: 24:00 is the end of a day.
_LAST_HOUR = 24


class Clock(NamedTuple):
    """A time of day: `seconds` after midnight, and `offset`, the minutes ahead of UTC that the text
    states; None when it states none. `is_utc` says that it was "Z", which programs also write when
    they know nothing of the place."""

    seconds: int
    offset: int | None = None
    is_utc: bool = False


def _decimal(fraction: re.Match[str]) -> str:
    return f"{int(fraction[1] or 0) + unicodedata.numeric(fraction[2]):.4g}"


@lru_cache(4096)
def plain(text: str) -> str:
    """The text with digits, spaces and signs of any script as those of ASCII."""
    if text.isascii():
        return " ".join(text.split())
    text = _VULGAR.sub(_decimal, text.translate(_APOSTROPHES))
    text = unicodedata.normalize("NFKC", text)
    made = "".join(
        str(unicodedata.decimal(c)) if c.isdecimal() else " " if c.isspace() else c for c in text
    )
    # Marks of direction are letters of nothing.
    made = "".join(c for c in made if unicodedata.category(c) != "Cf")
    return " ".join(made.replace("\u2212", "-").replace("\u066b", ".").split())


@lru_cache(4096)
def read_clock(text: str) -> Clock | None:
    """The time of day that a text says.

    Args:
        text: as in a cell.

    Returns:
        None when it is no time: 25:00, 13:30 AM, "8 or so", a bare "8".
    """
    text = _DAY_ZERO.sub("", plain(text).lower().rstrip(".,;"))
    if text in _WORDS:
        return Clock(_WORDS[text])
    if _FRACTION.fullmatch(text):
        # A workbook holds a time as a share of the day.
        return Clock(round(float(text.replace(",", ".")) * DAY_S / 60) * 60)
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    morning = match["am1"] or match["am2"]
    afternoon = match["pm1"] or match["pm2"]
    if match["packed"]:
        hour, minute = int(match["packed"][:2]), int(match["packed"][2:])
    elif match["whole"]:
        if not (morning or afternoon or match["hours"] or match["word"]):
            return None
        hour, minute = int(match["whole"]), 0
    else:
        hour, minute = int(match["hour"]), int(match["minute"])
    second = int(match["second"] or 0)
    if minute > 59 or second > 59 or (morning and afternoon):
        return None
    if morning or afternoon:
        if hour > (12 if morning else 23):
            return None
        if hour <= 12:
            hour = hour % 12 + (12 if afternoon else 0)
    if hour > _LAST_HOUR or (hour == _LAST_HOUR and (minute or second)):
        return None
    offset, is_utc = _offset(match["zone"])
    if offset is not None and abs(offset) > 14 * 60:
        return None
    return Clock(3600 * hour + 60 * minute + second, offset, is_utc)


def are_decimal(texts: Iterable[str]) -> bool:
    """Whether times of day with a point are hours and their fractions: 8.5, 20.75 among them."""
    return any(_DECIMAL_HOURS.fullmatch(text.strip()) for text in texts)


def is_pointed(text: str) -> bool:
    """Whether a time has a point or a comma between two numbers and nothing else."""
    return bool(_POINTED.fullmatch(text.strip()))


def _offset(zone: str | None) -> tuple[int | None, bool]:
    if zone is None:
        return None, False
    digits = re.sub(r"[^\d+-]", "", zone)
    if not digits:
        return 0, True
    sign, digits = (-1 if digits[0] == "-" else 1), digits[1:]
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    return sign * (60 * hours + minutes), False
