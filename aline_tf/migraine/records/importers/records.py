"""Anything a person hands over, as one timeline: files, folders and archives, told apart.

What a file is shows in its name and its first bytes (`aline_tf.migraine.records.importers.kinds`).
A file that was named and is of no known kind is an error; inside a folder or an archive it is
passed over and named. A file of a known kind that is damaged is always an error: half of a history
is worse than none, because nobody sees which half. So is one of which most of a channel could not
be read (`aline_tf.migraine.records.importers.losses`).

Records that know their time zone are read first, and set the clock for those that do not. In which
order the files are given does not matter.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import date, datetime
from pathlib import Path

import numpy as np

from aline_tf.errors import InputError
from aline_tf.migraine.records.evening import support
from aline_tf.migraine.records.importers.apple_health import read_export
from aline_tf.migraine.records.importers.appointments import read_calendars
from aline_tf.migraine.records.importers.calendar_file import calendar_zone
from aline_tf.migraine.records.importers.diary_documents import DiaryOptions
from aline_tf.migraine.records.importers.diary_table import MAX_BYTES
from aline_tf.migraine.records.importers.diary_words import read_words
from aline_tf.migraine.records.importers.documents import Document, open_documents
from aline_tf.migraine.records.importers.fhir import read_observations
from aline_tf.migraine.records.importers.fitbit import read_fitbit
from aline_tf.migraine.records.importers.fitbit_api import read_fitbit_api
from aline_tf.migraine.records.importers.fitbit_files import tells_zone
from aline_tf.migraine.records.importers.garmin import read_garmin
from aline_tf.migraine.records.importers.health_auto_export import read_health_auto_export
from aline_tf.migraine.records.importers.health_connect import read_health_connect
from aline_tf.migraine.records.importers.kinds import KINDS, ColumnMap, grouped
from aline_tf.migraine.records.importers.losses import in_words, refuse_losses
from aline_tf.migraine.records.importers.oura import read_oura
from aline_tf.migraine.records.importers.repeated_answers import complete_hours, in_one_order
from aline_tf.migraine.records.importers.several_diaries import Conflicts, settled
from aline_tf.migraine.records.importers.several_sources import beside_devices
from aline_tf.migraine.records.importers.sleep_exports import one_measurement_a_night
from aline_tf.migraine.records.timeline import DAY_S, ImportSummary, Timeline
from aline_tf.migraine.records.timeline_file import timeline_from
from aline_tf.migraine.records.wall_clock import WallClock, time_zone

_WITHOUT_ZONE = ("diary", "calendar")
#: Kinds of one file each, and what reads it.
_READERS = {
    "health_auto_export": read_health_auto_export,
    "health_connect": read_health_connect,
    "oura": read_oura,
    "garmin": read_garmin,
    "fitbit_api": read_fitbit_api,
}
#: Kinds that never name a time zone, and may be of a person whose other records do.
_IN_UTC = ("garmin", "fitbit_api")
#: Number of a piece of an archive, at the end of its name.
_PIECE = re.compile(r"[-_ ]*\d{1,3}$")
#: Channels of a calendar, which states whole days.
_OF_CALENDARS = ("busy_hours", "appointments")


@dataclasses.dataclass(frozen=True)
class Part:
    """What one file gave, or the files of one export together.

    Attributes:
        name: the file, as the person knows it.
        kind: a key of `KINDS`.
        summary: what was read, skipped and unused.
    """

    name: str
    kind: str
    summary: ImportSummary


@dataclasses.dataclass(frozen=True)
class Records:
    """One timeline and where it came from.

    Attributes:
        timeline: everything that was read.
        parts: what each file gave, in the order in which they were read.
        passed_over: file inside a folder or an archive -> why it was passed over.
        conflicts: what several files contradict each other about -> how often; the notes of the
            timeline say which counts.

    Example:
        >>> import pathlib, tempfile
        >>> from aline_tf.migraine.records import read_records
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "diary.csv")
        ...     _ = path.write_text("date,stress_evening,pain\\n2025-03-10,7,2\\n")
        ...     records = read_records([path])
        >>> [part.kind for part in records.parts]
        ['diary']
    """

    timeline: Timeline
    parts: tuple[Part, ...]
    passed_over: Mapping[str, str]
    conflicts: Mapping[str, int] = dataclasses.field(default_factory=dict)

    @property
    def left_out(self) -> dict[str, int]:
        """Why files were passed over -> how many."""
        return dict(Counter(self.passed_over.values()))


def read_records(
    paths: Sequence[str | Path],
    column_map: ColumnMap = None,
    zone: str | None = None,
    accept_losses: bool = False,
    today: datetime | None = None,
    dates: str | None = None,
    words: Mapping[str, object] | str | Path | None = None,
) -> Records:
    """Read whatever is at the paths into one timeline.

    Args:
        paths: files, folders, zip archives, in any order.
        column_map: how the columns of diaries are named: see `read_diary`.
        zone: the time zone the person lives in, like Europe/Berlin, for records that name none.
        accept_losses: read also a file of which most of a channel cannot be read, and pass over
            workbooks and archives among the files that cannot be opened.
        today: the present moment, with its time zone: what is dated after it is noted.
        dates, words: of diaries: see `read_diary`.

    Returns:
        the timeline, and what each file gave.

    Raises:
        InputError: a path or a file cannot be used, most of a channel was lost and that is not
            accepted, or nothing was found in any.
    """
    if not paths:
        raise InputError("expected at least one file, folder or archive; received none")
    clock = WallClock(time_zone(zone) if zone else None)
    passed_over: dict[str, str] = {}
    # One order, whichever they were given in; what is given twice is read once.
    ordered = sorted({Path(path).resolve(): Path(path) for path in paths}.items())
    with ExitStack() as stack:
        found: dict[str, list[tuple[str, list[Document]]]] = {kind: [] for kind in KINDS}
        for _, path in ordered:
            documents = stack.enter_context(open_documents(path))
            parts = grouped(documents, path.name, column_map, passed_over, accept_losses)
            for kind, name, group in parts:
                found[kind].append((name, group))
        if not any(found.values()):
            raise InputError(
                f"expected {', '.join(KINDS.values())} in what was given; received"
                f" {_named(passed_over)}"
            )
        calendars, fhir = found.pop("calendar"), found.pop("fhir")
        if fhir:
            found["fhir"] = [("", [group[0] for _, group in fhir])]
        found["fitbit"] = _one_export(found["fitbit"])
        files = [group[0] for _, group in calendars]
        diaries = DiaryOptions(column_map, dates, read_words(words), accept_losses)
        reader = _Reader(diaries, clock, files, today)
        # A Fitbit export that says nothing of its time zone waits for what the others say.
        order = [(kind, *part) for kind, parts in found.items() for part in parts]
        order.sort(key=lambda part: _place(part[0], part[2]))
        for kind, name, group in order:
            reader.read(kind, name, group)
        reader.read_calendars([name for name, _ in calendars])
    timeline = reader.timeline()
    return Records(timeline, tuple(reader.parts), passed_over, reader.conflicts.counts)


def _one_export(
    parts: list[tuple[str, list[Document]]],
) -> list[tuple[str, list[Document]]]:
    """Archives of one Takeout as one: large ones come in pieces, a night in one, its stages in
    another.

    Pieces are numbered at the end of their names. Where no file name is there twice, all are one;
    else what is there twice are several exports, each read by itself.
    """
    for stem_of in (lambda name: "", lambda name: _PIECE.sub("", name.rsplit(".", 1)[0])):
        exports: dict[str, list[tuple[str, list[Document]]]] = {}
        for part in parts:
            exports.setdefault(stem_of(part[0]), []).append(part)
        merged = [
            (", ".join(name for name, _ in pieces), [doc for _, group in pieces for doc in group])
            for pieces in exports.values()
        ]
        if all(len({doc.name for doc in group}) == len(group) for _, group in merged):
            return merged
    return parts


def _place(kind: str, documents: list[Document]) -> tuple[bool, bool]:
    """Where in the order of reading: what knows its time zone first, what never does last."""
    waits = kind in _IN_UTC or (kind == "fitbit" and not tells_zone(documents))
    return kind in _WITHOUT_ZONE, waits


def _named(passed_over: Mapping[str, str], most: int = 5) -> str:
    """Files that were passed over, for a message."""
    if not passed_over:
        return "no file at all"
    names = ", ".join(list(passed_over)[:most]) + (", ..." if len(passed_over) > most else "")
    return f"{len(passed_over)} files of other kinds ({names})"


class _Reader:
    """Reads documents one after the other and keeps what they say of the clock."""

    def __init__(
        self,
        diaries: DiaryOptions,
        clock: WallClock,
        calendars: list[Document],
        today: datetime | None,
    ) -> None:
        self.parts: list[Part] = []
        self._diaries = diaries
        self._clock = clock
        self._calendars = calendars
        self._today = today
        self._timelines: list[Timeline] = []
        self.conflicts = Conflicts()
        self._kinds: list[str] = []
        self._notes: list[str] = []
        self._is_unset = False

    def read(self, kind: str, name: str, documents: list[Document]) -> None:
        """Read the documents of one part."""
        if not self._clock.is_known and kind in ("fhir", *_IN_UTC, *_WITHOUT_ZONE):
            self._ask_calendars()
        if kind == "fhir":
            # Of one person: a later file may correct or withdraw what an earlier one says.
            timeline, summaries = read_observations(documents, self._clock)
            self._keep(kind, [document.shown for document in documents], summaries, timeline)
            return
        try:
            timeline = self._timeline(kind, documents)
        except InputError as error:
            raise _naming(error, name, documents) from error
        self._keep(kind, [name], [timeline.summary], timeline)

    def read_calendars(self, names: list[str]) -> None:
        """Read the calendars, which are one: busy hours are those of all of them together."""
        if not self._calendars:
            return
        if not self._clock.is_known:
            self._ask_calendars()
        timeline, summaries = read_calendars(
            self._calendars, self._clock, self._latest(), self._today
        )
        self._timelines = [_without_calendar(part, timeline) for part in self._timelines]
        self._keep("calendar", names, summaries, timeline)

    def timeline(self) -> Timeline:
        """Everything that was read, in one.

        Raises:
            InputError: there was no observation in anything.
        """
        # Of rows that are known at the same time those of diaries stand first.
        order = sorted(range(len(self._kinds)), key=lambda place: self._kinds[place] != "diary")
        imports = [n for n, place in enumerate(order) if self._kinds[place] != "diary"]
        parts, self.conflicts = settled([self._timelines[place] for place in order], imports)
        self._notes += self.conflicts.sentences()
        first, *others = parts
        merged = first.merge(*others)
        if not len(merged):
            raise InputError(
                "expected records of heart, steps, sleep, appointments or a diary that can be used;"
                f" received none: {self._why()}"
            )
        merged, nights = one_measurement_a_night(merged)
        if nights:
            self._notes.append(
                f"sleep of {nights} nights is in several exports: of each the one of a watch"
                " counts, else the longest that was measured"
            )
        summary = merged.summary
        if self._is_unset:
            note = "no time zone is known: wall times were taken as UTC (--zone names one)"
            self._notes.append(note)
        self._notes += beside_devices(merged)
        self._notes += support(merged, self._today).sentences()
        # A timeline of an earlier import has told some of them already.
        notes = tuple(dict.fromkeys((*summary.notes, *self._notes)))
        summary = dataclasses.replace(summary, notes=notes)
        return Timeline(in_one_order(complete_hours(merged.frame)), summary)

    def _keep(
        self, kind: str, names: list[str], summaries: list[ImportSummary], timeline: Timeline
    ) -> None:
        # Diaries judge their own losses, by column and by answer.
        if kind not in ("timeline", "diary"):
            for name, summary in zip(names, summaries, strict=True):
                self._notes += refuse_losses(name, summary, self._diaries.accept_losses)
        if kind in _WITHOUT_ZONE:
            self._is_unset |= not self._clock.is_known and len(timeline) > 0
        else:
            self._sight(timeline)
        self._timelines.append(timeline)
        self._kinds.append(kind)
        self.parts += [Part(n, kind, summary) for n, summary in zip(names, summaries, strict=True)]

    def _timeline(self, kind: str, documents: list[Document]) -> Timeline:
        document = documents[0]
        if kind == "fitbit":
            return read_fitbit(documents, self._clock)
        if kind == "diary":
            return self._diaries.read(document.read(MAX_BYTES), document.name, self._clock)
        if kind in _READERS:
            return _READERS[kind](document, self._clock)
        with document.opener() as stream:
            if kind == "timeline":
                return timeline_from(stream, document.shown)
            return read_export(stream)

    def _ask_calendars(self) -> None:
        """Where no record and nobody says where the person lives, a calendar may."""
        name = calendar_zone(self._calendars)
        if name is not None:
            self._clock = self._clock.extended(time_zone(name), (), ())
            self._notes.append(
                f"the time zone was taken from a calendar, which names {name} (--zone names"
                " another)"
            )

    def _why(self, most: int = 5) -> str:
        """What was found and why nothing of it was used, a file at a time."""
        lines = []
        for part in self.parts[:most]:
            summary = part.summary
            reasons = [in_words(summary)] if summary.skipped else []
            if summary.unused:
                names = ", ".join(list(summary.unused)[:most])
                reasons.append(f"{sum(summary.unused.values()):,} of no use here ({names})")
            reasons += summary.notes[:2]
            lines.append(f"{part.name} ({KINDS[part.kind]}): {'; '.join(reasons) or 'empty'}")
        more = len(self.parts) - most
        return " | ".join(lines) + (f" | and {more} other files" if more > 0 else "")

    def _latest(self) -> int | None:
        """When the last of the records so far was known: how far a calendar is laid out.

        Records dated in the future, or years from all others, do not reach that far.
        """
        found = [part for part in self._timelines if len(part)]
        if not found:
            return None
        last = support(found[0].merge(*found[1:]), self._today).last
        most = (last - date(1970, 1, 1)).days * DAY_S + 2 * DAY_S
        known = np.concatenate([p.seconds("known")[p.seconds("time") < most] for p in found])
        return min(int(known.max()), most) - 1

    def _sight(self, timeline: Timeline) -> None:
        """Let the offsets of a timeline set the clock, where they were recorded and not assumed.

        Those of FHIR may be the clinic's and not the person's: they count when nothing else does.
        """
        source = timeline.frame["source"]
        offsets = timeline.frame["offset"]
        # A device that never shows anything but 0 may not know any better; a phone does.
        elsewhere = source.isin(source[offsets != 0].unique())
        trusted = source.str.startswith("apple_health")
        trusted |= elsewhere & ~source.str.startswith((*_WITHOUT_ZONE, "fhir"))
        if not trusted.any() and not self._clock.is_known:
            trusted = elsewhere & source.str.startswith("fhir")
        self._clock = self._clock.extended(
            self._clock.zone,
            timeline.seconds("time")[trusted.to_numpy()].tolist(),
            offsets[trusted],
        )


def _naming(error: InputError, name: str, documents: list[Document]) -> InputError:
    """The error with the name of the file, when it does not say itself which one it is."""
    names = [document.shown for document in documents]
    if any(shown in str(error) for shown in names):
        return error
    return InputError(f"{error} ({names[0] if len(names) == 1 else name})")


def _without_calendar(timeline: Timeline, calendar: Timeline) -> Timeline:
    """A timeline without the days of an earlier import that the calendars state anew."""
    frame = timeline.frame
    of_calendar = frame["channel"].str.startswith(_OF_CALENDARS) & (frame["source"] == "calendar")
    if not of_calendar.any() or not len(calendar):
        return timeline
    stated = set(calendar.frame["time"])
    return Timeline(frame[~(of_calendar & frame["time"].isin(stated))], timeline.summary)
