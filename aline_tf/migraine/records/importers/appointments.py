"""A calendar (iCalendar, .ics) as busy hours and numbers of appointments a day.

Only when appointments are and which categories they carry is used. Titles, places, people and
notes are dropped as the file is read, and go no further than this module.

- `busy_hours` of a local day: the time covered by appointments, overlapping ones counted once.
  All-day entries, and those marked as free or cancelled, take no time.
- `appointments`: how many began that day, all-day entries included; `appointments_work`,
  `_travel`, `_exercise`, `_health`, `_social` where the calendar uses such categories.

A day between the first and the last that is read, without appointments, has 0 of each. What
repeats is laid out up to `until`, with its exceptions, by recurring-ical-events. A day's row is
known when the day begins, or from when the last of its appointments was entered (CREATED).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers.documents import Document
from aline_tf.migraine.records.importers.recurrence import steps
from aline_tf.migraine.records.intervals import union
from aline_tf.migraine.records.timeline import DAY_S, KINDS, OBSERVED, ImportSummary, Timeline
from aline_tf.migraine.records.wall_clock import WallClock

MAX_BYTES = 16 << 20
MAX_EVENTS = 20_000
#: Appointments laid out in all, and days of them: a calendar of ten busy years has fewer.
MAX_OCCURRENCES = 100_000
MAX_DAYS = 4000
#: Steps of laying out what repeats: 20 years of 30 daily appointments.
MAX_STEPS = 250_000
MAX_SERIES = 2000
LONGEST = timedelta(days=31)
SOURCE = "calendar"

#: Words in a category -> what is counted.
CATEGORIES = {
    "work": ("work", "business", "meeting", "office", "arbeit", "beruf"),
    "travel": ("travel", "trip", "flight", "reise", "urlaub", "vacation", "holiday"),
    "exercise": ("exercise", "sport", "fitness", "gym", "workout", "training"),
    "health": ("health", "doctor", "medical", "dentist", "therapy", "arzt", "gesundheit"),
    "social": ("social", "family", "friends", "birthday", "party", "familie", "freunde"),
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_calendar(
    document: Document, clock: WallClock | None = None, until: int | None = None
) -> Timeline:
    """Read a calendar.

    Args:
        document: an .ics file.
        clock: tells local days, and the time zone of times that name none. None takes UTC.
        until: seconds since 1970 UTC up to which days are read. None reads up to the last change
            of the calendar that it notes itself, which is when it was exported or edited.

    Raises:
        InputError: it is no complete iCalendar file, too large, or the packages that read it are
            not installed.
    """
    calendars = _parsed(document)
    reader = _Days(clock or WallClock())
    events = [event for calendar in calendars for event in calendar.walk("VEVENT")]
    if len(events) > MAX_EVENTS:
        raise InputError(f"expected at most {MAX_EVENTS} entries; received {len(events)}")
    last = _last_change(events) if until is None else _EPOCH + timedelta(seconds=until)
    if last is not None:
        for calendar in calendars:
            for series in _series(calendar):
                reader.add(series, last)
    return reader.timeline(last)


def _parsed(document: Document) -> list[Any]:
    try:
        import icalendar
        import recurring_ical_events  # noqa: F401  (its absence is to be told now)
    except ImportError as error:
        raise InputError(
            "expected the packages icalendar and recurring-ical-events to read a calendar"
            "; received neither or one of them"
        ) from error
    text = document.text(MAX_BYTES).replace("\0", "").strip()
    if not text.upper().startswith("BEGIN:VCALENDAR"):
        raise InputError(f"expected an iCalendar file; received {document.shown}, which is none")
    if not text.upper().endswith("END:VCALENDAR"):
        raise InputError(
            f"expected a complete iCalendar file; received {document.shown}, which breaks off"
        )
    try:
        return [
            calendar
            for calendar in icalendar.Calendar.from_ical(text, multiple=True)
            if calendar.name == "VCALENDAR"
        ]
    except Exception as error:  # The parser has no exception of its own for what it cannot read.
        raise InputError(
            f"expected a well-formed iCalendar file; received {document.shown}, which is not"
        ) from error


def _series(calendar: Any) -> Iterator[tuple[Any, list[Any]]]:
    """Entries of the same UID and, when they repeat, a calendar of them alone.

    So one series that cannot be laid out costs no other.
    """
    import icalendar

    groups: dict[str, list[Any]] = defaultdict(list)
    for number, event in enumerate(calendar.walk("VEVENT")):
        groups[str(event.get("UID") or f"without-{number}")].append(event)
    zones = calendar.walk("VTIMEZONE")
    for events in groups.values():
        if not any(_repeats(event) for event in events):
            yield None, events
            continue
        alone = icalendar.Calendar()
        for name in ("PRODID", "VERSION", "X-WR-TIMEZONE"):
            if name in calendar:
                alone[name] = calendar[name]
        alone.subcomponents = [*zones, *events]
        yield alone, events


def _last_change(events: list[Any]) -> datetime | None:
    stamps = [_stamp(event, name) for event in events for name in ("DTSTAMP", "LAST-MODIFIED")]
    return max((stamp for stamp in stamps if stamp is not None), default=None)


def _time(event: Any, name: str) -> Any:
    """A date, a time or a length of an entry; None where there is none that can be read."""
    try:
        return getattr(event.get(name), "dt", None)
    except ValueError:
        return None


def _stamp(event: Any, name: str) -> datetime | None:
    moment = _time(event, name)
    if not isinstance(moment, datetime) or not 1990 <= moment.year <= 2200:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class _Days:
    """What the appointments of each local day add up to."""

    def __init__(self, clock: WallClock) -> None:
        self._clock = clock
        self._skipped: Counter[str] = Counter()
        self._read = 0
        self._laid_out = self._steps = self._series = 0
        self._busy: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self._counts: dict[str, Counter[int]] = defaultdict(Counter)
        self._entered: dict[int, int] = {}
        self._first_day: int | None = None

    def add(self, series: tuple[Any, list[Any]], last: datetime) -> None:
        """Lay out a series up to `last`."""

        alone, events = series
        usable = [event for event in events if self._is_usable(event, last.date())]
        if not usable:
            return
        found = usable
        if alone is not None:
            alone.subcomponents = [*alone.walk("VTIMEZONE"), *usable]
            laid_out = self._laid_out_series(alone, last)
            if laid_out is None:
                self._skipped["appointments: a rule or a time that cannot be read"] += len(usable)
                return
            found = laid_out
        self._read += len(usable)
        for occurrence in found:
            if self._laid_out >= MAX_OCCURRENCES:
                self._skipped[f"appointments: beyond the {MAX_OCCURRENCES}th"] += 1
                continue
            self._laid_out += 1
            self._occurrence(occurrence, last)

    def _laid_out_series(self, alone: Any, last: datetime) -> list[Any] | None:
        """The occurrences of a series, None when it cannot be laid out."""
        import recurring_ical_events

        first = last - timedelta(days=MAX_DAYS)
        try:
            query = recurring_ical_events.of(alone)
            return list(query.between(first, last + timedelta(days=1)))
        except Exception:  # What a library makes of a malformed rule is its own affair.
            return None

    def timeline(self, last: datetime | None) -> Timeline:
        """A row of busy hours and of counts for every day from the first appointment to `last`."""
        rows: list[tuple] = []
        if self._first_day is not None:
            stop = math.floor(last.timestamp())
            final = (stop + 60 * self._clock.offset_at(stop)) // DAY_S
            for day in range(max(self._first_day, final - MAX_DAYS), final + 1):
                rows += self._day(day)
        read = {"appointments": self._read} if self._read else {}
        return Timeline.from_rows(rows, ImportSummary(read, dict(self._skipped)))

    def _day(self, day: int) -> Iterator[tuple]:
        begin, offset = self._clock.utc_of_wall(day * DAY_S)
        end, end_offset = self._clock.utc_of_wall((day + 1) * DAY_S)
        known = min(max(self._entered.get(day, begin), begin), end)
        busy = sum(stop - start for start, stop in union(self._busy.get(day, []))) / 3600
        values = {"busy_hours": min(busy, KINDS["busy_hours"].high)}
        values |= {name: float(counts[day]) for name, counts in self._counts.items()}
        for channel, value in values.items():
            value = min(value, KINDS[channel].high)
            yield (
                begin,
                end,
                known,
                offset,
                end_offset,
                channel,
                value,
                KINDS[channel].unit,
                OBSERVED,
                SOURCE,
            )

    def _is_usable(self, event: Any, until: date) -> bool:
        """Count and refuse what takes no time, has no time or repeats in odd ways."""
        start = _time(event, "DTSTART")
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            reason = "cancelled"
        elif not isinstance(start, date) or not 1970 <= start.year <= 2200:
            reason = "without a start"
        elif not _repeats(event):
            return True
        else:
            cost = steps(event, until)
            self._series += 1
            if cost is None:
                reason = "repeating in a way calendars do not write"
            elif self._series > MAX_SERIES or self._steps + cost > MAX_STEPS:
                reason = "repeating, beyond what is laid out"
            else:
                self._steps += cost
                return True
        self._skipped[f"appointments: {reason}"] += 1
        return False

    def _occurrence(self, event: Any, last: datetime) -> None:
        start = _time(event, "DTSTART")
        end, length = _time(event, "DTEND"), _time(event, "DURATION")
        all_day = not isinstance(start, datetime)
        begin = self._second(start)
        stop = begin
        if isinstance(end, date):
            stop = self._second(end)
        elif isinstance(length, timedelta):
            stop = begin + math.floor(length.total_seconds())
        if not begin <= stop <= begin + LONGEST.total_seconds():
            self._skipped["appointments: over a month long, or ending before they start"] += 1
            return
        if begin > last.timestamp():
            return
        first = self._local_day(begin)
        self._first_day = first if self._first_day is None else min(self._first_day, first)
        self._counts["appointments"][first] += 1
        for kind in _kinds(event):
            self._counts[f"appointments_{kind}"][first] += 1
        days = range(first, self._local_day(max(stop - 1, begin)) + 1)
        entered = _stamp(event, "CREATED")
        for day in days:
            if entered is not None:
                second = math.floor(entered.timestamp())
                self._entered[day] = max(self._entered.get(day, second), second)
        if all_day or str(event.get("TRANSP", "")).upper() == "TRANSPARENT":
            return
        for day in days:
            midnight, next_one = (self._clock.utc_of_wall(d * DAY_S)[0] for d in (day, day + 1))
            self._busy[day].append((max(begin, midnight), min(stop, next_one)))

    def _second(self, moment: date) -> int:
        """Seconds since 1970 UTC; a time without a zone is one of the wall clock."""
        if isinstance(moment, datetime) and moment.tzinfo is not None:
            return math.floor(moment.timestamp())
        naive = moment if isinstance(moment, datetime) else datetime(*moment.timetuple()[:3])
        wall = math.floor(naive.replace(tzinfo=UTC).timestamp())
        return self._clock.utc_of_wall(wall)[0]

    def _local_day(self, second: int) -> int:
        return (second + 60 * self._clock.offset_at(second)) // DAY_S


def _repeats(event: Any) -> bool:
    return any(name in event for name in ("RRULE", "RDATE", "RECURRENCE-ID"))


def _kinds(event: Any) -> set[str]:
    """What the categories of an entry stand for; the words themselves are not kept."""
    found = event.get("CATEGORIES")
    words = []
    for entry in found if isinstance(found, list) else [found]:
        try:
            words += [str(word).lower() for word in getattr(entry, "cats", ())]
        except ValueError:
            continue
    return {
        kind
        for kind, names in CATEGORIES.items()
        if any(name in word for word in words for name in names)
    }
