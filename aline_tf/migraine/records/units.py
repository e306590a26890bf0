"""Units in which records state things, and how each becomes the unit of its channel.

Spellings are those of UCUM (which FHIR uses), of health apps and of people. A unit that is not
here is not guessed at: the record is left out and counted.
"""

from __future__ import annotations

from collections.abc import Mapping

Spellings = dict[str, tuple[float, float]]


def _spelt(factor: float, *names: str, shift: float = 0.0) -> Spellings:
    return dict.fromkeys(names, (factor, shift))


_ALONE = _spelt(1.0, "", "1")
_PER_MINUTE = (
    _spelt(1.0, "/min", "1/min", "count/min", "bpm", "{beats}/min", "beats/min", "beats/minute")
    | _spelt(1.0, "beats per minute", "{breaths}/min", "breaths/min", "breaths/minute", "brpm")
    | _spelt(1.0, "breaths per minute")
    | _spelt(60.0, "/s", "1/s", "Hz", "count/s")
)
_MILLISECONDS = _spelt(1.0, "ms", "msec", "millisecond", "milliseconds") | _spelt(
    1000.0, "s", "sec", "second", "seconds"
)
_HOURS = (
    _spelt(1.0, "h", "hr", "hrs", "hour", "hours")
    | _spelt(1 / 60, "min", "mins", "minute", "minutes")
    | _spelt(1 / 3600, "s", "sec", "second", "seconds")
    | _spelt(1 / 3_600_000, "ms", "millisecond", "milliseconds")
)
_CELSIUS = (
    _spelt(1.0, "Cel", "degC", "C", "\u00b0C", "\u2103")
    | _spelt(5 / 9, "[degF]", "degF", "F", "\u00b0F", "\u2109", shift=-160 / 9)
    | _spelt(1.0, "K", shift=-273.15)
)
_PRESSURE = (
    _spelt(1.0, "hPa", "mbar", "mb")
    | _spelt(0.01, "Pa")
    | _spelt(10.0, "kPa")
    | _spelt(1000.0, "bar")
    | _spelt(1.333224, "mm[Hg]", "mmHg")
    | _spelt(33.8639, "[in_i'Hg]", "inHg")
)
_COUNT = (
    _ALONE
    | _spelt(1.0, "count", "counts", "{#}", "#", "steps", "step", "{steps}", "{step}")
    | _spelt(1.0, "/d", "1/d", "{steps}/d", "{steps}/(24.h)", "steps/day")
)
_SHARE = _ALONE | _spelt(1.0, "fraction") | _spelt(0.01, "%")
_SCORE = _ALONE | _spelt(1.0, "{score}", "score", "0-10", "/10", "points", "{points}")
_DRINKS = _ALONE | _spelt(1.0, "{drinks}", "drinks", "drink")
_CUPS = _ALONE | _spelt(1.0, "{cups}", "cups", "cup")

#: Unit of a channel -> spelling -> (factor, shift): value of the channel = factor * value + shift.
SPELLINGS: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "ms": _MILLISECONDS,
    "bpm": _PER_MINUTE,
    "/min": _PER_MINUTE,
    "count": _COUNT,
    "C": _CELSIUS,
    "h": _HOURS,
    "hPa": _PRESSURE,
    "fraction": _SHARE,
    "0-10": _SCORE,
    "drinks": _DRINKS,
    "cups": _CUPS,
    "": _ALONE,
}


def convert(value: float, spelling: str, unit: str, difference: bool = False) -> float:
    """A value in the unit of its channel.

    Args:
        value: the number as stated.
        spelling: the unit as stated. Upper and lower case count first; when that fails, they do
            not.
        unit: the unit of the channel, a key of `SPELLINGS`.
        difference: the value is a difference between two, so that only the factor applies.

    Returns:
        the value in `unit`.

    Raises:
        KeyError: the spelling is no unit that this one can be had from.
    """
    known = SPELLINGS[unit]
    spelling = spelling.strip()
    if spelling not in known:
        folded = {name.lower(): pair for name, pair in known.items()}
        factor, shift = folded[spelling.lower()]
    else:
        factor, shift = known[spelling]
    return factor * value + (0.0 if difference else shift)
