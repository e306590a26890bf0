"""Anything a person hands over, as one timeline: files, folders and archives, told apart.

What a file is shows in its name and its first bytes. A file that was named and is of no known
kind is an error; inside a folder or an archive it is passed over and counted. A file of a known
kind that is damaged is always an error: half of a history is worse than none, because nobody sees
which half.

Records that know their time zone are read first, and set the clock for those that do not.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import pandas as pd

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers.apple_health import read_export
from aline_tf.migraine.records.importers.appointments import read_calendar
from aline_tf.migraine.records.importers.diary import DIARY_FIELDS, diary_from
from aline_tf.migraine.records.importers.diary_table import (
    MAX_BYTES,
    is_json_lines,
    match_columns,
    table_from,
)
from aline_tf.migraine.records.importers.documents import Document, open_documents
from aline_tf.migraine.records.importers.fhir import is_fhir_head, read_fhir
from aline_tf.migraine.records.importers.fitbit import read_fitbit
from aline_tf.migraine.records.importers.fitbit_files import fitbit_family, tells_zone
from aline_tf.migraine.records.importers.health_xml import is_health_export
from aline_tf.migraine.records.timeline import ImportSummary, Timeline
from aline_tf.migraine.records.timeline_file import is_timeline_head, timeline_from
from aline_tf.migraine.records.wall_clock import WallClock, time_zone

#: Kinds of records, in the order in which they are read.
KINDS = {
    "apple_health": "Apple Health export",
    "timeline": "timeline",
    "fitbit": "Fitbit export",
    "fhir": "FHIR observations",
    "diary": "diary",
    "calendar": "calendar",
}
_WITHOUT_ZONE = ("diary", "calendar")
#: Sums and means of an hour: of two that a device states, the later one is complete.
_HOURLY = ("steps", "heart_rate")


@dataclasses.dataclass(frozen=True)
class Part:
    """What one file gave, or the files of one Fitbit export together.

    Attributes:
        name: the file, as the person knows it.
        kind: a key of `KINDS`.
        summary: what was read and skipped.
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
        left_out: reason -> number of files inside folders and archives that were passed over.

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
    left_out: Mapping[str, int]


def read_records(
    paths: Sequence[str | Path],
    column_map: Mapping[str, str] | str | Path | None = None,
    zone: str | None = None,
) -> Records:
    """Read whatever is at the paths into one timeline.

    Args:
        paths: files, folders, zip archives.
        column_map: how the columns of diaries are named: see `read_diary`.
        zone: the time zone the person lives in, like Europe/Berlin, for records that name none.

    Returns:
        the timeline, and what each file gave.

    Raises:
        InputError: a path or a file cannot be used, or nothing was found in any.
    """
    if not paths:
        raise InputError("expected at least one file, folder or archive; received none")
    clock = WallClock(time_zone(zone) if zone else None)
    left_out: Counter[str] = Counter()
    with ExitStack() as stack:
        found: dict[str, list[tuple[str, list[Document]]]] = {kind: [] for kind in KINDS}
        for path in paths:
            documents = stack.enter_context(open_documents(path))
            for kind, name, group in _sorted(documents, Path(path).name, column_map, left_out):
                found[kind].append((name, group))
        if not any(found.values()):
            raise InputError(
                f"expected {', '.join(KINDS.values())} in what was given; received"
                f" {sum(left_out.values())} files of other kinds"
            )
        reader = _Reader(column_map, clock)
        # A Fitbit export that says nothing of its time zone waits for what the others say.
        order = [(kind, *part) for kind, parts in found.items() for part in parts]
        order.sort(key=lambda part: _place(part[0], part[2]))
        for kind, name, group in order:
            reader.read(kind, name, group)
    return Records(reader.timeline(), tuple(reader.parts), dict(left_out))


def kind_of(document: Document, column_map: Mapping[str, str] | str | Path | None) -> str | None:
    """Which of `KINDS` a document is; None when it is none.

    Raises:
        InputError: it cannot be read.
    """
    suffix = document.suffix
    if fitbit_family(document.name):
        return "fitbit"
    if suffix == ".ics":
        return "calendar"
    if suffix == ".gz" and document.name.lower().endswith(".jsonl.gz"):
        return "timeline"
    if suffix == ".xml":
        return "apple_health" if is_health_export(document.head()) else None
    if suffix == ".json":
        return "fhir" if is_fhir_head(document.head()) else None
    if is_json_lines(document.name):
        head = document.head()
        if is_timeline_head(head):
            return "timeline"
        if is_fhir_head(head.split(b"\n", 1)[0]):
            return "fhir"
    elif suffix not in (".csv", ".tsv"):
        return None
    return "diary" if document.named or _is_diary(document, column_map) else None


def _place(kind: str, documents: list[Document]) -> tuple[bool, bool, bool]:
    """Where in the order of reading: what knows its time zone first, what never does last."""
    waits = kind == "fitbit" and not tells_zone(documents)
    return kind == "calendar", kind in _WITHOUT_ZONE, waits


def _is_diary(document: Document, column_map: Mapping[str, str] | str | Path | None) -> bool:
    """Whether a table inside a folder has the columns of a diary."""
    try:
        # The first lines tell the columns; the last of them may be cut.
        head = document.head().rsplit(b"\n", 1)[0]
        header, _ = table_from(head, document.name)
        match_columns(header, column_map, DIARY_FIELDS)
    except InputError:
        return False
    return True


def _sorted(
    documents: Sequence[Document],
    name: str,
    column_map: Mapping[str, str] | str | Path | None,
    left_out: Counter[str],
):
    """Yield (kind, name, documents): one each, the files of a Fitbit export together."""
    fitbit = []
    for document in documents:
        kind = kind_of(document, column_map)
        if kind == "fitbit":
            fitbit.append(document)
        elif kind is not None:
            yield kind, document.shown, [document]
        elif document.named:
            raise InputError(
                f"expected one of: {', '.join(KINDS.values())}; received {document.shown}, which is"
                " none that is known"
            )
        else:
            suffix = document.suffix[:8] if document.suffix.isascii() else ""
            known = suffix in (".csv", ".json", ".jsonl", ".xml", ".zip")
            left_out[f"{suffix or 'unnamed'} files{' that hold nothing known' * known}"] += 1
    if fitbit:
        yield "fitbit", name, fitbit


class _Reader:
    """Reads documents one after the other and keeps what they say of the clock."""

    def __init__(self, column_map: Mapping[str, str] | str | Path | None, clock: WallClock) -> None:
        self.parts: list[Part] = []
        self._column_map = column_map
        self._clock = clock
        self._timelines: list[Timeline] = []
        self._is_unset = False

    def read(self, kind: str, name: str, documents: list[Document]) -> None:
        """Read the documents of one part."""
        (document, *_) = documents
        try:
            timeline = self._timeline(kind, document, documents)
        except InputError as error:
            if document.named or document.shown in str(error):
                raise
            raise InputError(f"{error} ({document.shown})") from error
        if kind in _WITHOUT_ZONE:
            self._is_unset |= not self._clock.is_known and len(timeline) > 0
        else:
            self._sight(timeline)
        self._timelines.append(timeline)
        self.parts.append(Part(name, kind, timeline.summary))

    def timeline(self) -> Timeline:
        """Everything that was read, in one.

        Raises:
            InputError: there was no observation in anything.
        """
        first, *others = self._timelines
        merged = first.merge(*others)
        if not len(merged):
            raise InputError(
                "expected records of heart, steps, sleep, appointments or a diary; received files"
                " without any"
            )
        summary = merged.summary
        if self._is_unset:
            note = "no time zone is known: wall times were taken as UTC (--zone names one)"
            summary = dataclasses.replace(summary, notes=(*summary.notes, note))
        return Timeline(_complete_hours(merged.frame), summary)

    def _timeline(self, kind: str, document: Document, documents: list[Document]) -> Timeline:
        if kind == "fitbit":
            return read_fitbit(documents, self._clock)
        if kind == "fhir":
            return read_fhir(document, self._clock)
        if kind == "calendar":
            return read_calendar(document, self._clock, self._latest())
        if kind == "diary":
            table = table_from(document.read(MAX_BYTES), document.name)
            return diary_from(table, self._column_map).set_by(self._clock)
        with document.opener() as stream:
            if kind == "timeline":
                return timeline_from(stream, document.shown)
            return read_export(stream)

    def _latest(self) -> int | None:
        """When the last of the records so far was known: how far a calendar is laid out."""
        latest = [int(part.seconds("known").max()) for part in self._timelines if len(part)]
        return max(latest) - 1 if latest else None

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


def _complete_hours(frame: pd.DataFrame) -> pd.DataFrame:
    """Of several sums that a device states for an hour, the one that was known last."""
    hourly = frame["channel"].isin(_HOURLY)
    kept = (
        frame[hourly]
        .sort_values("known", kind="stable")
        .drop_duplicates(["channel", "time", "end", "source"], keep="last")
    )
    return pd.concat([frame[~hourly], kept]).sort_index(kind="stable").reset_index(drop=True)
