"""Which recurrence rules of a calendar are laid out: those whose cost can be told beforehand.

The library that lays them out steps from period to period, from the first appointment on. A rule
that describes no day at all (the 30th of February) keeps it stepping until the year 9999, and a
hostile calendar holds thousands of them. So rules have to be of the forms that calendars write,
which is checked here, and their steps are added up before any is taken.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

LAST_YEAR = 9999
MAX_INTERVAL = 1000
MAX_DATES = 5000

_PERIOD_DAYS = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 30, "YEARLY": 365}
_DAYS_OF_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_WEEKDAY = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)")
_PLAIN = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY"})
#: Parts that some calendars write beside the start, which says the same.
_TIME_OF_DAY = ("BYHOUR", "BYMINUTE", "BYSECOND")
_PARTS = {
    "DAILY": _PLAIN,
    "WEEKLY": _PLAIN,
    "MONTHLY": _PLAIN | {"BYMONTHDAY", "BYMONTH", "BYSETPOS"},
    "YEARLY": _PLAIN | {"BYMONTHDAY", "BYMONTH", "BYSETPOS"},
}


def steps(event: Any, until: date) -> int | None:
    """About how many periods laying out an event takes, None for what calendars do not write.

    Args:
        event: an `icalendar.Event` with a start.
        until: the last day that is wanted.
    """
    try:
        total = _dates(event.get("RDATE")) + _dates(event.get("EXDATE"))
        if total > MAX_DATES:
            return None
        rules = event.get("RRULE", [])
        for rule in rules if isinstance(rules, list) else [rules]:
            parts = {str(name).upper(): list(values) for name, values in rule.items()}
            cost = _rule_steps(parts, event["DTSTART"].dt, until)
            if cost is None:
                return None
            total += cost
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None
    return total + 1


def _rule_steps(parts: dict[str, list], start: date, until: date) -> int | None:
    (frequency,) = (str(name).upper() for name in parts["FREQ"])
    interval = int(parts.get("INTERVAL", [1])[0])
    parts = {n: v for n, v in parts.items() if n not in _TIME_OF_DAY or len(v) != 1}
    if not parts.keys() <= _PARTS.get(frequency, frozenset()) or not 1 <= interval <= MAX_INTERVAL:
        return None
    weekdays = [_WEEKDAY.fullmatch(str(day).upper()) for day in parts.get("BYDAY", [])]
    days = [int(day) for day in parts.get("BYMONTHDAY", [])]
    months = [int(month) for month in parts.get("BYMONTH", [])]
    places = [int(place) for place in parts.get("BYSETPOS", [])]
    if not all(weekdays) or not all(1 <= month <= 12 for month in months):
        return None
    numbered = any(day[1] for day in weekdays)
    if frequency == "DAILY" and weekdays and interval > 1:
        return None
    if frequency in ("DAILY", "WEEKLY") and numbered:
        return None
    # Every month has four of each weekday, so that the fourth of them is always there.
    if places and (not weekdays or numbered or days or not all(1 <= abs(p) <= 4 for p in places)):
        return None
    longest = max(_DAYS_OF_MONTH[month - 1] for month in months or range(1, 13))
    if days and not any(1 <= abs(day) <= longest for day in days):
        return None
    last = until
    # With every second month, or only some, the day that is asked for may not be among them.
    if frequency in ("MONTHLY", "YEARLY") and (interval > 1 or (days and weekdays)):
        last = date(LAST_YEAR, 12, 31)
    span = max((last - date(*start.timetuple()[:3])).days, 0)
    return span // (_PERIOD_DAYS[frequency] * interval) + 1


def _dates(entries: Any) -> int:
    entries = entries if isinstance(entries, list) else [entries]
    return sum(len(getattr(entry, "dts", ())) for entry in entries)
