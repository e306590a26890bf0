"""Calendar files (iCalendar, .ics) as entries: parsed, in the version that stands, on known zones.

A calendar is read in whatever encoding it is in. Time zones are named in four ways: IANA names,
Windows names, definitions inside the file, and names that nobody defines. Times in the last are
taken from the wall clock, and the names are told; "GMT+0100" says its offset itself.

An entry that was changed or exported twice is there more than once, in one file or in several. Of
versions with another SEQUENCE or LAST-MODIFIED the newest counts, of copies one.
"""

from __future__ import annotations

import dataclasses
import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from pathlib import PurePosixPath
from typing import Any

from aline_tf.errors import InputError
from aline_tf.migraine.records.import_summary import shown_example
from aline_tf.migraine.records.importers.account import Account
from aline_tf.migraine.records.importers.documents import Document
from aline_tf.migraine.records.wall_clock import time_zone

MAX_BYTES = 16 << 20
MAX_EVENTS = 20_000
#: Property that numbers an entry, so that what is laid out of it can be told apart.
NUMBER = "X-ENTRY-NUMBER"

_BEGIN = re.compile(r"^BEGIN:VCALENDAR[ \t]*$", re.IGNORECASE | re.MULTILINE)
_END = re.compile(r"^END:VCALENDAR[ \t]*$", re.IGNORECASE | re.MULTILINE)
_TRAILING = re.compile(r"(?<![ \t])[ \t]+$", re.MULTILINE)
_FOLD = re.compile(r"\r?\n[ \t]")
_ZONE_ID = re.compile(r'^DT(?:START|END)[^:\n]*;TZID=("[^"\n]*"|[^:;\n]*)', re.MULTILINE)
_OF_CALENDAR = re.compile(r"^(?:X-WR-TIMEZONE|TIMEZONE-ID)[^:\n]*:(.*)$", re.MULTILINE)
_DEFINED = re.compile(r"^(?:TZID|X-LIC-LOCATION)[^:\n]*:(.*)$", re.MULTILINE)
_FIXED = re.compile(r"(?:UTC|GMT)\s*([+-])(\d{1,2}):?(\d{2})?")
_MAIL = re.compile(r"[^@\s/:]+@[^@\s/:]+\.[^@\s/:]+")


@dataclasses.dataclass
class Entry:
    """One VEVENT.

    Attributes:
        event: as the package icalendar gives it.
        calendar: the VCALENDAR it stands in.
        account: that of its file.
        owner: mail address of the person the calendar belongs to; "" when it cannot be told.
    """

    event: Any
    calendar: Any
    account: Account
    owner: str

    @property
    def uid(self) -> str:
        """What its versions and the instances of its series share; "" when it has none."""
        return str(self.event.get("UID") or "")

    @property
    def instance(self) -> Any:
        """Which instance of its series it replaces; None for a series or a single entry."""
        return time_of(self.event, "RECURRENCE-ID")

    @property
    def is_cancelled(self) -> bool:
        """Whether it was called off: by itself, or in a message that calls off what it holds."""
        method = str(self.calendar.get("METHOD", "")).strip().upper()
        return str(self.event.get("STATUS", "")).strip().upper() == "CANCELLED" or (
            method == "CANCEL"
        )

    @property
    def is_declined(self) -> bool:
        """Whether the owner of the calendar said no. Of a single guest it is the owner's answer."""
        found = self.event.get("ATTENDEE", [])
        guests = found if isinstance(found, list) else [found]
        mine = [guest for guest in guests if self.owner and _address(guest) == self.owner]
        if not self.owner and len(guests) == 1 and _address(guests[0]) != self._organizer:
            mine = guests
        return any(_answer(guest) == "DECLINED" for guest in mine)

    @property
    def _organizer(self) -> str:
        return _address(self.event.get("ORGANIZER", ""))

    @property
    def version(self) -> tuple[int, float]:
        """Grows when the entry is changed: SEQUENCE, then LAST-MODIFIED."""
        try:
            sequence = int(self.event.get("SEQUENCE", 0))
        except (TypeError, ValueError):
            sequence = 0
        changed = stamp_of(self.event, "LAST-MODIFIED")
        return sequence, changed.timestamp() if changed else 0.0

    @property
    def content(self) -> tuple[str, ...]:
        """When it is: the same for two copies of one version."""
        names = ("DTSTART", "DTEND", "DURATION", "RRULE")
        return tuple(spelt(self.event.get(name)) for name in names)


def read_entries(document: Document, account: Account) -> list[Entry]:
    """The entries of a file; what else it holds is counted as unused.

    Raises:
        InputError: it is no complete iCalendar file, too large, or the packages that read it are
            not installed.
    """
    icalendar = _icalendar()
    text = _calendar_text(document, account)
    # Zones that an earlier file defined under the same name are not those of this one.
    icalendar.use_zoneinfo()
    with warnings.catch_warnings():
        # What a library guesses about names is told below, in words meant for the person.
        warnings.simplefilter("ignore")
        try:
            calendars = icalendar.Calendar.from_ical(text, multiple=True)
        except (
            Exception
        ) as error:  # The parser has no exception of its own for what it cannot read.
            raise InputError(
                f"expected a well-formed iCalendar file; received {document.shown}, which is not"
            ) from error
    calendars = [calendar for calendar in calendars if calendar.name == "VCALENDAR"]
    entries: list[Entry] = []
    for calendar in calendars:
        events = calendar.walk("VEVENT")
        owner = _owner(calendar, document.name, events)
        entries += [Entry(event, calendar, account, owner) for event in events]
        for part in calendar.subcomponents:
            if part.name not in ("VEVENT", "VTIMEZONE"):
                account.cells += 1
                account.pass_over(part.name)
    for entry in entries:
        _include_last_day(entry.event)
    account.cells += len(entries)
    if len(entries) > MAX_EVENTS:
        raise InputError(
            f"expected at most {MAX_EVENTS} entries in {document.shown}; received {len(entries)}"
        )
    _tell_zones(entries, account)
    return entries


def standing(entries: Sequence[Entry]) -> list[Entry]:
    """Entries in the version that stands; copies and earlier versions are counted as skipped."""
    groups: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for number, entry in enumerate(entries):
        key = (entry.uid, _moment(entry.instance)) if entry.uid else ("", str(number))
        groups[key].append(entry)
    kept: list[Entry] = []
    for versions in groups.values():
        newest = max(versions, key=lambda entry: (entry.version, entry.is_cancelled))
        changed = len({entry.version for entry in versions}) > 1
        seen: set[tuple[str, ...]] = set()
        for entry in [newest, *(entry for entry in versions if entry is not newest)]:
            if entry.content in seen:
                entry.account.skip("appointments: the same entry again")
            elif seen and changed:
                entry.account.skip("appointments: replaced by a later version")
            else:
                kept.append(entry)
                seen.add(entry.content)
    return kept


def calendar_zone(documents: Iterable[Document]) -> str | None:
    """The time zone that calendars name for themselves, else the one most of their times are in.

    Args:
        documents: .ics files.

    Returns:
        an IANA name; None when they name none, or only UTC.

    Raises:
        InputError: one of them cannot be read.
    """
    named: Counter[str] = Counter()
    used: Counter[str] = Counter()
    defined: Counter[str] = Counter()
    for document in documents:
        text = _FOLD.sub("", document.text(MAX_BYTES, others=True)).replace("\r", "")
        named.update(filter(None, map(_iana, _OF_CALENDAR.findall(text))))
        used.update(filter(None, map(_iana, _ZONE_ID.findall(text))))
        defined.update(filter(None, map(_iana, _DEFINED.findall(text))))
    for counts in (named, used, defined):
        if counts:
            return min(counts, key=lambda name: (-counts[name], name))
    return None


def time_of(event: Any, name: str) -> Any:
    """A date, a time or a length of an entry; None where there is none that can be read."""
    try:
        return getattr(event.get(name), "dt", None)
    except ValueError:
        return None


def stamp_of(event: Any, name: str) -> datetime | None:
    """A moment of an entry's own history, such as CREATED; None where there is none."""
    moment = time_of(event, name)
    if not isinstance(moment, datetime) or not 1990 <= moment.year <= 2200:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def spelt(prop: Any) -> str:
    """A property as the file has it, times in UTC; "" for none."""
    if prop is None:
        return ""
    try:
        when = getattr(prop, "dt", None)
        return _moment(when) if isinstance(when, date) else prop.to_ical().decode()
    except Exception:  # What a library makes of a malformed value is its own affair.
        return str(prop)


def _icalendar() -> Any:
    try:
        import icalendar
        import recurring_ical_events  # noqa: F401  (its absence is to be told now)
    except ImportError as error:
        raise InputError(
            "expected the packages icalendar and recurring-ical-events to read a calendar"
            "; received neither or one of them"
        ) from error
    return icalendar


def _calendar_text(document: Document, account: Account) -> str:
    """The calendars of a file, without what stands before and after them."""
    text = document.text(MAX_BYTES, others=True).replace("\0", "").replace("\r\n", "\n")
    text = _TRAILING.sub("", text.replace("\r", "\n"))
    begin, ends = _BEGIN.search(text), list(_END.finditer(text))
    if begin is None:
        raise InputError(f"expected an iCalendar file; received {document.shown}, which is none")
    if not ends or _BEGIN.search(text, ends[-1].end()):
        raise InputError(
            f"expected a complete iCalendar file; received {document.shown}, which breaks off"
        )
    around = text[: begin.start()] + text[ends[-1].end() :]
    if any(c.isprintable() and not c.isspace() for c in around):
        account.note(
            f"{document.shown}: text before BEGIN:VCALENDAR or after END:VCALENDAR is no part of"
            " the calendar and was passed over"
        )
    text = text[begin.start() : ends[-1].end()] + "\n"
    zones = "".join(_fixed_zone(name) for name in sorted(set(_ZONE_ID.findall(text))))
    first = len(text.split("\n", 1)[0]) + 1
    return text[:first] + zones + text[first:]


def _fixed_zone(name: str) -> str:
    """A definition of a zone whose name is its offset, "" for any other."""
    found = _FIXED.fullmatch(name.strip('"'))
    if found is None or int(found[2]) > 16:
        return ""
    offset = f"{found[1]}{int(found[2]):02d}{found[3] or '00'}"
    return (
        f"BEGIN:VTIMEZONE\nTZID:{name.strip(chr(34))}\nBEGIN:STANDARD\nDTSTART:19700101T000000\n"
        f"TZOFFSETFROM:{offset}\nTZOFFSETTO:{offset}\nEND:STANDARD\nEND:VTIMEZONE\n"
    )


def _include_last_day(event: Any) -> None:
    """A series of times that goes on until a day includes that day, whatever the hour."""
    start, rule = time_of(event, "DTSTART"), event.get("RRULE")
    until = rule.get("UNTIL") if isinstance(rule, dict) else None
    if not isinstance(start, datetime) or not isinstance(until, list):
        return
    rule["UNTIL"] = [
        day if isinstance(day, datetime) or not isinstance(day, date) else _end_of(day, start)
        for day in until
    ]


def _end_of(day: date, start: datetime) -> datetime:
    last = datetime.combine(day, time(23, 59, 59), start.tzinfo)
    return last if last.tzinfo is None else last.astimezone(UTC)


def _tell_zones(entries: Iterable[Entry], account: Account) -> None:
    """Note the zones that nobody defines, and those whose name is all there is to go by."""
    unknown: dict[str, None] = {}
    fixed: dict[str, None] = {}
    for entry in entries:
        start = entry.event.get("DTSTART")
        moment = time_of(entry.event, "DTSTART")
        if not isinstance(moment, datetime):
            continue
        name = str(getattr(start, "params", {}).get("TZID", ""))
        if name and moment.tzinfo is None:
            unknown[shown_example(name)] = None
        elif _FIXED.fullmatch(name):
            fixed[shown_example(name)] = None
    if unknown:
        account.note(
            f"time zones that are not understood: {'; '.join(list(unknown)[:10])}: their times were"
            " taken as those of the wall clock"
        )
    if fixed:
        account.note(f"time zones read as a fixed offset: {'; '.join(list(fixed)[:10])}")


def _iana(name: str) -> str | None:
    """The IANA name behind the name of a zone; None for none, and for UTC, which says nothing."""
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

    name = name.strip().strip('"')
    name = WINDOWS_TO_OLSON.get(name, name)
    parts = name.split("/")
    for tail in (name, "/".join(parts[-2:]), "/".join(parts[-3:])):
        try:
            key = time_zone(tail).key
        except InputError:
            continue
        bare = key.removeprefix("Etc/")
        return None if bare.upper().startswith(("UTC", "GMT", "UCT", "ZULU", "UNIVERSAL")) else key
    return None


def _owner(calendar: Any, file_name: str, events: Sequence[Any]) -> str:
    """Whose calendar it is: the address it is called by, else the guest of all its meetings."""
    for name in (str(calendar.get("X-WR-CALNAME", "")), PurePosixPath(file_name).stem):
        if _MAIL.fullmatch(name.strip()):
            return name.strip().lower()
    meetings = []
    for event in events:
        found = event.get("ATTENDEE", [])
        guests = {_address(guest) for guest in (found if isinstance(found, list) else [found])}
        if len(guests) > 1:
            meetings.append(guests)
    common = set.intersection(*meetings) if len(meetings) > 1 else set()
    return common.pop() if len(common) == 1 else ""


def _address(guest: Any) -> str:
    return str(guest).strip().lower().removeprefix("mailto:")


def _answer(guest: Any) -> str:
    return str(getattr(guest, "params", {}).get("PARTSTAT", "")).upper()


def _moment(when: date | None) -> str:
    if isinstance(when, datetime) and when.tzinfo is not None:
        return when.astimezone(UTC).isoformat()
    return "" if when is None else when.isoformat()
