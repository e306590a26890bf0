"""What a file is taken for, what of it is used, and how the rest can be: for the person to read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers.diary_columns import match_columns
from aline_tf.migraine.records.importers.diary_documents import TABLE, DiaryOptions
from aline_tf.migraine.records.importers.diary_rows import DIARY_FIELDS
from aline_tf.migraine.records.importers.diary_table import header_from
from aline_tf.migraine.records.importers.documents import Document, open_documents
from aline_tf.migraine.records.importers.kinds import KINDS, ColumnMap, grouped
from aline_tf.migraine.records.importers.records import Part, read_records
from aline_tf.migraine.records.timeline import KINDS as CHANNELS

SHOWN = 40


def explain(
    path: str | Path,
    column_map: ColumnMap = None,
    zone: str | None = None,
    dates: str | None = None,
    words: Mapping[str, object] | str | Path | None = None,
) -> str:
    """Say what each file at a path is taken for, and what becomes of what it holds.

    Args:
        path: a file, a folder or an archive.
        column_map: how the columns of diaries are named: see `read_diary`.
        zone: the time zone the person lives in.
        dates, words: of diaries: see `read_diary`.

    Returns:
        lines of text: kind, columns and channels, what was skipped with an example, what is unused.

    Raises:
        InputError: nothing is there, or it cannot be opened.
    """
    lines: list[str] = []
    passed_over: dict[str, str] = {}
    with open_documents(path) as documents:
        found = list(grouped(documents, Path(path).name, column_map, passed_over, True))
        for kind, name, group in found:
            lines.append(f"{name} is taken for: {KINDS[kind]} ({_why(kind, group)})")
            if kind == "diary":
                lines += _columns(group[0], column_map)
    lines += [f"{name} is passed over: {reason}" for name, reason in passed_over.items()]
    if not found:
        return "\n".join(lines or [f"{Path(path).name} holds no files"])
    try:
        records = read_records([path], column_map, zone, dates=dates, words=words)
        notes = records.timeline.summary.notes
    except InputError as error:
        lines.append(f"As it is, an import stops: {error}")
        try:
            records = read_records([path], column_map, zone, True, dates=dates, words=words)
        except InputError:
            return "\n".join(lines)
        notes = ("This is what --accept-losses would read.",)
    for part in records.parts:
        lines += _uses(part)
    return "\n".join([*lines, *notes])


def _why(kind: str, group: list[Document]) -> str:
    """What shows which kind it is."""
    if kind == "fitbit":
        return f"{len(group)} files named as Fitbit names them"
    return {
        "apple_health": "its root is HealthData",
        "timeline": "its first line says so",
        "fhir": "it has a resourceType",
        "diary": "a table with columns of a diary",
        "calendar": "its name ends as calendars' do",
    }.get(kind, "its first bytes show it")


def _columns(document: Document, column_map: ColumnMap) -> list[str]:
    """Which column of a diary is taken as which field."""
    form = DiaryOptions(column_map).form_of(document.head(), document.name)
    if form != TABLE:
        return [f"  as {form} exports it (with --column-map it is read as any table)"]
    try:
        header = header_from(document.head(), document.name)
        columns = match_columns(header, column_map, DIARY_FIELDS)
    except InputError as error:
        return [f"  {error}"]
    lines = [f"  column {column.name!r} is read as {field}" for field, column in columns.items()]
    used = {column.index for column in columns.values()}
    rest = [name for number, name in enumerate(header) if number not in used]
    if rest:
        lines.append(f"  columns that are not read: {', '.join(map(repr, rest[:SHOWN]))}")
        example = json.dumps({"date": columns["date"].name, "stress": rest[0]}, ensure_ascii=False)
        lines.append(
            "  To read one, name it beside those that are read, in a file given as --column-map,"
            f" like {example}. Fields: {', '.join(DIARY_FIELDS)}"
        )
    return lines


def _uses(part: Part) -> list[str]:
    """What was read of a file, what was not, and why."""
    summary = part.summary
    lines = [f"{part.name}:"]
    for name, count in sorted(summary.read.items()):
        unit = CHANNELS[name].unit if name in CHANNELS else ""
        lines.append(f"  {count:,} read as {name}" + (f", in {unit}" if unit else ""))
    for reason, count in sorted(summary.skipped.items()):
        example = summary.examples.get(reason)
        lines.append(f"  {count:,} left out: {reason}" + (f", such as {example!r}" * bool(example)))
    for name, count in sorted(summary.unused.items())[:SHOWN]:
        lines.append(f"  {count:,} of {name}: no use here")
    return lines
