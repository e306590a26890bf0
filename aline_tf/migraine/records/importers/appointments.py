"""Calendars (iCalendar, .ics) as busy hours and numbers of appointments a day.

Only when appointments are and which categories they carry is used. Titles, places, people and
notes are dropped as the file is read, and go no further than this module.

- `busy_hours` of a local day: the time covered by appointments of all calendars, overlapping ones
  counted once. All-day entries (also those from midnight to midnight of their own zone), those
  marked as free, declined by the owner of the calendar or cancelled take no time.
- `appointments`: how many began that day, all-day entries included; `appointments_work`,
  `_travel`, `_exercise`, `_health`, `_social` where the calendar uses such categories.

A day between the first and the last that is read, without appointments, has 0 of each. What
repeats is laid out up to `until`, with its exceptions, by recurring-ical-events. A day's row is
known when the day begins, or from when the last of its appointments was entered (CREATED).
"""

from __future__ import annotations

import math
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from aline_tf.migraine.records.importers.account import Account
from aline_tf.migraine.records.importers.calendar_file import (
    NUMBER,
    Entry,
    calendar_zone,
    read_entries,
    spelt,
    stamp_of,
    standing,
    time_of,
)
from aline_tf.migraine.records.importers.documents import Document
from aline_tf.migraine.records.importers.recurrence import steps
from aline_tf.migraine.records.intervals import union
from aline_tf.migraine.records.timeline import DAY_S, KINDS, OBSERVED, ImportSummary, Timeline
from aline_tf.migraine.records.wall_clock import WallClock, time_zone

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
#: Outlook's words for time that is not taken, and its marks of an all-day entry.
_FREE = ("FREE", "WORKINGELSEWHERE")
_ALL_DAY = ("X-MICROSOFT-CDO-ALLDAYEVENT", "X-MICROSOFT-MSNCALENDAR-ALLDAYEVENT")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_YEAR, _LAST_YEAR = 1970, 2199


def read_calendar(
    document: Document, clock: WallClock | None = None, until: int | None = None
) -> Timeline:
    """Read one calendar. Arguments and errors as for `read_calendars`."""
    timeline, _ = read_calendars([document], clock, until)
    return timeline


def read_calendars(
    documents: Sequence[Document],
    clock: WallClock | None = None,
    until: int | None = None,
    today: datetime | None = None,
) -> tuple[Timeline, list[ImportSummary]]:
    """Read the calendars of one person, which are one.

    Args:
        documents: .ics files.
        clock: tells local days, and the time zone of times that name none. None, or one that knows
            nothing, takes the zone that the calendars name, else UTC.
        until: seconds since 1970 UTC up to whose day all are read. None reads up to the day of the
            last change of the calendars that they note themselves, which is when they were exported
            or edited.
        today: the present moment, with its time zone: no calendar was changed after it.

    Returns:
        the timeline of all of them, and what was read of each.

    Raises:
        InputError: one is no complete iCalendar file, too large, or the packages that read it are
            not installed.
    """
    clock = clock or WallClock()
    if not clock.is_known and (zone := calendar_zone(documents)) is not None:
        clock = WallClock(time_zone(zone))
    accounts = [Account() for _ in documents]
    entries = [
        entry
        for document, account in zip(documents, accounts, strict=True)
        for entry in read_entries(document, account)
    ]
    last = _EPOCH + timedelta(seconds=until) if until is not None else _last_change(entries, today)
    days = _Days(clock, last, "the calendar was last changed" if until is None else "records end")
    if last is None:
        for entry in entries:
            entry.account.skip(
                "appointments: no DTSTAMP tells when the calendar was written, and no other record"
                " how far to read it"
            )
    else:
        days.add_all(standing(entries))
    summaries = [account.summary() for account in accounts]
    return days.timeline(sum(summaries, ImportSummary())), summaries


def _last_change(entries: Sequence[Entry], today: datetime | None) -> datetime | None:
    names = ("DTSTAMP", "LAST-MODIFIED")
    stamps = [stamp_of(entry.event, name) for entry in entries for name in names]
    found = sorted(stamp for stamp in stamps if stamp is not None)
    past = [each for each in found if today is None or each <= today + timedelta(days=1)]
    last = max(past, default=today if found else None)
    if len(past) < len(found):
        entries[0].account.note(
            f"a calendar says that it was changed on {found[-1].date()}, after today: it is read up"
            f" to {last.date()}"
        )
    return last


class _Days:
    """What the appointments of each local day add up to."""

    def __init__(self, clock: WallClock, last: datetime | None, why: str) -> None:
        self._clock = clock
        self._last = last
        self._final = 0
        if last is not None:
            # A day is planned as a whole: half of one would be a quiet day.
            self._final = self._local_day(math.floor(last.timestamp()))
        self._beyond = f"appointments: after {last.date()}, when {why}" if last else ""
        self._laid_out = self._steps = self._series = 0
        self._busy: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self._counts: dict[str, Counter[int]] = defaultdict(Counter)
        self._entered: dict[int, int] = {}
        self._first_day: int | None = None

    def add_all(self, entries: Sequence[Entry]) -> None:
        """Lay out entries, each series by itself: one that cannot be laid out costs no other."""
        groups: dict[str, list[Entry]] = defaultdict(list)
        for number, entry in enumerate(entries):
            entry.event[NUMBER] = str(number)
            groups[entry.uid or f"without-{number}"].append(entry)
        for group in groups.values():
            self._add(group)

    def timeline(self, summary: ImportSummary) -> Timeline:
        """A row of busy hours and of counts for every day from the first appointment to the last
        that is read."""
        rows: list[tuple] = []
        if self._first_day is not None:
            for day in range(max(self._first_day, self._final - MAX_DAYS), self._final + 1):
                rows += self._day(day)
        return Timeline.from_rows(rows, summary)

    def _add(self, group: Sequence[Entry]) -> None:
        # Who calls off a series calls off all of it; one instance is called off where it stood.
        ended = any(e.is_cancelled for e in group if e.instance is None and _repeats(e.event))
        usable = [entry for entry in group if self._is_usable(entry, ended)]
        if not usable:
            return
        by_number = {str(entry.event[NUMBER]): entry for entry in usable}
        found = [entry.event for entry in usable]
        if any(_repeats(event) for event in found):
            laid_out = self._laid_out_series(usable)
            if laid_out is None:
                for entry in usable:
                    reason = "appointments: a rule or a time that cannot be read"
                    entry.account.skip(reason, spelt(entry.event.get("RRULE")))
                return
            found = laid_out
        outcomes: dict[str, str | None] = {
            number: self._nothing_left(entry.event) for number, entry in by_number.items()
        }
        for occurrence in found:
            number = str(occurrence.get(NUMBER))
            problem = self._occurrence(occurrence, by_number[number])
            if outcomes[number] is not None and problem != self._beyond:
                outcomes[number] = problem
        for number, problem in outcomes.items():
            account = by_number[number].account
            if problem is None:
                account.use("appointments")
            else:
                account.skip(problem)

    def _nothing_left(self, event: Any) -> str:
        """Why nothing is laid out of an entry that can be."""
        if self._local_day(self._second(time_of(event, "DTSTART"))) > self._final:
            return self._beyond
        return f"appointments: none of theirs in the {MAX_DAYS} days that are read"

    def _laid_out_series(self, entries: Sequence[Entry]) -> list[Any] | None:
        """The occurrences of a series, None when it cannot be laid out."""
        import icalendar
        import recurring_ical_events

        alone = icalendar.Calendar()
        calendar = entries[0].calendar
        for name in ("PRODID", "VERSION", "X-WR-TIMEZONE"):
            if name in calendar:
                alone[name] = calendar[name]
        alone.subcomponents = [*calendar.walk("VTIMEZONE"), *(entry.event for entry in entries)]
        first = self._last - timedelta(days=MAX_DAYS)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                query = recurring_ical_events.of(alone)
                return list(query.between(first, self._last + timedelta(days=1)))
        except Exception:  # What a library makes of a malformed rule is its own affair.
            return None

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

    def _is_usable(self, entry: Entry, ended: bool) -> bool:
        """Count and refuse what has no time, was called off or repeats in odd ways.

        A cancelled instance of a series stays: it takes the place of what it cancels.
        """
        event = entry.event
        start, example = time_of(event, "DTSTART"), None
        if ended or (entry.is_cancelled and entry.instance is None):
            reason = "cancelled"
        elif not isinstance(start, date) or not _FIRST_YEAR <= start.year <= _LAST_YEAR:
            reason, example = (
                f"without a start from {_FIRST_YEAR} to {_LAST_YEAR}",
                spelt(event.get("DTSTART")),
            )
        elif "DTEND" in event and not isinstance(time_of(event, "DTEND"), date):
            reason, example = "an end that cannot be read", spelt(event.get("DTEND"))
        elif not _repeats(event):
            return True
        else:
            cost = steps(event, self._last.date())
            self._series += 1
            if cost is None:
                reason = "repeating in a way calendars do not write"
                example = spelt(event.get("RRULE"))
            elif self._series > MAX_SERIES or self._steps + cost > MAX_STEPS:
                reason = "repeating, beyond what is laid out"
            else:
                self._steps += cost
                return True
        entry.account.skip(f"appointments: {reason}", example)
        return False

    def _occurrence(self, event: Any, entry: Entry) -> str | None:
        """Add one appointment; why it is left out, None when it is used."""
        if entry.is_cancelled:
            return "appointments: cancelled"
        if entry.is_declined:
            return "appointments: declined"
        start = time_of(event, "DTSTART")
        end, length = time_of(event, "DTEND"), time_of(event, "DURATION")
        all_day = not isinstance(start, datetime) or _says(event, _ALL_DAY, ("TRUE",))
        all_day |= _is_days(start, end)
        if all_day:
            start, end = _as_date(start), _as_date(end)
        begin = self._second(start)
        stop = begin
        if isinstance(end, date):
            stop = self._second(end)
        elif isinstance(length, timedelta):
            stop = begin + math.floor(length.total_seconds())
        if not begin <= stop <= begin + LONGEST.total_seconds():
            return "appointments: over a month long, or ending before they start"
        if self._local_day(begin) > self._final:
            return self._beyond
        if self._laid_out >= MAX_OCCURRENCES:
            entry.account.note(f"appointments beyond the {MAX_OCCURRENCES}th were left out")
            return None
        self._laid_out += 1
        first = self._local_day(begin)
        self._first_day = first if self._first_day is None else min(self._first_day, first)
        self._counts["appointments"][first] += 1
        for kind in _kinds(event):
            self._counts[f"appointments_{kind}"][first] += 1
        days = range(first, self._local_day(max(stop - 1, begin)) + 1)
        entered = stamp_of(event, "CREATED")
        for day in days:
            if entered is not None:
                second = math.floor(entered.timestamp())
                self._entered[day] = max(self._entered.get(day, second), second)
        if all_day or _is_free(event):
            return None
        for day in days:
            midnight, next_one = (self._clock.utc_of_wall(d * DAY_S)[0] for d in (day, day + 1))
            self._busy[day].append((max(begin, midnight), min(stop, next_one)))
        return None

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


def _is_free(event: Any) -> bool:
    """Whether an entry is marked as taking no time, in the standard's form or in Outlook's."""
    return _says(event, ("TRANSP",), ("TRANSPARENT",)) or _says(
        event, ("X-MICROSOFT-CDO-BUSYSTATUS",), _FREE
    )


def _says(event: Any, names: Sequence[str], words: Sequence[str]) -> bool:
    return any(str(event.get(name, "")).strip().upper() in words for name in names)


def _is_days(start: Any, end: Any) -> bool:
    """Whether times are whole days of their own time zone, a way to write all-day entries."""
    days = [_as_date(moment) for moment in (start, end) if isinstance(moment, datetime)]
    whole = len(days) == 2 and not any(isinstance(day, datetime) for day in days)
    return whole and days[0] < days[1]


def _as_date(moment: Any) -> Any:
    """The day of a midnight in its own time zone; anything else as it is."""
    if not isinstance(moment, datetime) or (moment.hour, moment.minute, moment.second) != (0, 0, 0):
        return moment
    # Midnight UTC is a day of a calendar only when it is written so, which "Z" is not.
    is_utc = moment.tzinfo is not None and str(moment.tzinfo) in ("UTC", "tzutc()")
    return moment if is_utc else moment.date()


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
