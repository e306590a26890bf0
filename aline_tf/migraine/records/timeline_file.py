"""A timeline as a file: JSON Lines, readable by people and by anything else.

The first line says what the file is, which version of the form it has and what was read and
skipped when it was made. Every other line is one row of the timeline:

    {"time": "2025-03-09T07:30:00+01:00", "end": "2025-03-09T13:00:00+01:00",
     "known": "2025-03-09T07:30:00+01:00", "channel": "attack", "value": 1.0, "source": "diary"}

Times carry the offset of the wall clock, that of `known` being the one at the end. `end` is null
for an attack whose end nobody noted. A row that was asked and not answered has "answered": false
and no value. Units are those of `aline_tf.migraine.records.timeline.KINDS`. A name that ends in .gz
is compressed.
"""

from __future__ import annotations

import gzip
import io
import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, BinaryIO

from aline_tf.errors import InputError
from aline_tf.migraine.records.import_summary import shown_example
from aline_tf.migraine.records.timeline import (
    COLUMNS,
    FIRST_YEAR,
    KINDS,
    LAST_YEAR,
    NOT_ANSWERED,
    OBSERVED,
    ImportSummary,
    Timeline,
)
from aline_tf.runtime.atomic_files import atomic_path

FORMAT = "aline-tf timeline"
VERSION = 1
MAX_LINE = 1 << 16
#: The first line names what was left out: as many columns as the files of one person have.
MAX_HEAD = 1 << 20
MAX_ROWS = 2_000_000


def write_timeline(timeline: Timeline, path: str | os.PathLike[str]) -> None:
    """Write a timeline, whole or not at all.

    Args:
        timeline: anything, an empty one too.
        path: of the file; one that ends in .gz is compressed.

    Raises:
        InputError: more rows than can be read again; nothing has been written.
        OSError: the place cannot be written.
    """
    if len(timeline) > MAX_ROWS:
        counts = timeline.frame["channel"].value_counts()
        raise InputError(
            f"expected at most {MAX_ROWS:,} observations, which is what can be read again; received"
            f" {len(timeline):,}, {counts.iloc[0]:,} of them of {counts.index[0]}: import fewer"
            " files or years at a time"
        )
    with atomic_path(path) as partial, _open_to_write(partial) as out:
        for line in timeline_lines(timeline):
            out.write(line + "\n")


def timeline_lines(timeline: Timeline) -> Iterator[str]:
    """The lines of the file, without their ends."""
    summary = timeline.summary
    yield json.dumps(
        {
            "format": FORMAT,
            "version": VERSION,
            "rows": len(timeline),
            "read": dict(sorted(summary.read.items())),
            "skipped": dict(sorted(summary.skipped.items())),
            "notes": list(summary.notes),
            **_account(summary),
        },
        ensure_ascii=False,
    )
    frame = timeline.frame
    open_ended = frame["end"].isna().to_numpy().tolist()
    columns = [timeline.seconds(name).tolist() for name in ("time", "end", "known")]
    columns += [frame[name].tolist() for name in COLUMNS[3:]]
    for is_open, row in zip(open_ended, zip(*columns, strict=True), strict=True):
        time, end, known, offset, end_offset, channel, value, _, status, source = row
        fields: dict[str, Any] = {
            "time": stamp(time, offset),
            "end": None if is_open else stamp(end, end_offset),
            "known": stamp(known, end_offset),
            "channel": channel,
        }
        if status == OBSERVED:
            fields["value"] = value
        else:
            fields["answered"] = False
        yield json.dumps({**fields, "source": source}, ensure_ascii=False)


def _account(summary: ImportSummary) -> dict[str, Any]:
    """What the first line says beyond what older readers know; nothing where there is nothing."""
    account = {
        "unused": dict(sorted(summary.unused.items())),
        "examples": dict(sorted(summary.examples.items())),
        "cells": summary.cells,
    }
    return {name: value for name, value in account.items() if value or value == 0}


def read_timeline(path: str | os.PathLike[str]) -> Timeline:
    """Read what `write_timeline` wrote.

    Args:
        path: of the file, compressed or not.

    Returns:
        the timeline, with the summary it was written with.

    Raises:
        InputError: no such file, not a timeline, of a later version, cut short, or with a row that
            no timeline can hold.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"expected a timeline file; received {path}, which is not a file")
    with path.open("rb") as stream:
        return timeline_from(stream, path.name)


def timeline_from(stream: BinaryIO, name: str) -> Timeline:
    """Read a timeline from a stream of bytes, compressed or not. Raises InputError as above."""
    buffered = io.BufferedReader(stream, 1 << 18) if not hasattr(stream, "peek") else stream
    if buffered.peek(2)[:2] == b"\x1f\x8b":
        buffered = gzip.GzipFile(fileobj=buffered)
    try:
        return _parse(buffered, name)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(
            f"expected a complete timeline file; received {name}, which is damaged"
        ) from error


def is_timeline_head(head: bytes) -> bool:
    """Whether a file that begins like this is a timeline."""
    return b'"format": "' + FORMAT.encode() + b'"' in head[:200]


def stamp(second: int, offset: int) -> str:
    """An instant as text with the offset of its wall clock, as "2025-03-09T07:30:00+01:00"."""
    return (
        (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second))
        .astimezone(timezone(timedelta(minutes=offset)))
        .isoformat()
    )


def instant(text: Any) -> tuple[int, int]:
    """Seconds since 1970 UTC and the offset in minutes of such a text.

    Raises:
        ValueError: it is not a date and time with an offset, in a year a timeline can hold.
    """
    moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    if moment is None or moment.tzinfo is None or not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError("not a date and time with an offset from UTC")
    return math.floor(moment.timestamp()), round(moment.utcoffset().total_seconds() / 60)


@contextmanager
def _open_to_write(path: Path) -> Iterator[io.TextIOBase]:
    if path.name.endswith(".gz"):
        # No time and no name inside: the same timeline gives the same bytes.
        with (
            path.open("wb") as raw,
            gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
            io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as out,
        ):
            yield out
    else:
        with path.open("w", encoding="utf-8", newline="\n") as out:
            yield out


def _parse(stream: BinaryIO, name: str) -> Timeline:
    head = _object(stream.readline(MAX_HEAD), name, 1)
    if head.get("format") != FORMAT or not isinstance(head.get("version"), int):
        raise InputError(f"expected a timeline file; received {name}, which is not one")
    if head["version"] > VERSION:
        raise InputError(
            f"expected a timeline of version {VERSION} or before; received version"
            f" {head['version']}"
        )
    rows: list[tuple] = []
    while line := stream.readline(MAX_LINE):
        number = len(rows) + 2
        fields = _object(line, name, number)
        try:
            rows.append(_row(fields))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InputError(
                f"expected rows with time, end, known, channel, value and source; received another"
                f" in line {number} of {name}"
            ) from error
        if len(rows) > MAX_ROWS:
            raise InputError(f"expected at most {MAX_ROWS} rows; received more in {name}")
    if head.get("rows") != len(rows):
        raise InputError(
            f"expected a complete timeline file; received {name} with {len(rows)} rows of those it"
            " announces"
        )
    return Timeline.from_rows(rows, _summary(head))


def _object(line: bytes, name: str, number: int) -> dict:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise InputError(
            f"expected a timeline file of JSON lines; received another line {number} in {name}"
        )
    return fields


def _row(fields: dict) -> tuple:
    time, offset = instant(fields["time"])
    known, end_offset = instant(fields["known"])
    end = None
    if fields["end"] is not None:
        end, end_offset = instant(fields["end"])
    answered = fields.get("answered", True)
    value = float(fields["value"]) if answered else 0.0
    channel = fields["channel"]
    if not math.isfinite(value) or not isinstance(fields["source"], str):
        raise ValueError("not a number")
    return (
        time,
        end,
        known,
        offset,
        end_offset,
        channel,
        value,
        KINDS[channel].unit,
        OBSERVED if answered else NOT_ANSWERED,
        fields["source"][:200],
    )


def _summary(head: dict) -> ImportSummary:
    def counts(name: str) -> dict[str, int]:
        counted = head.get(name)
        pairs = counted.items() if isinstance(counted, dict) else ()
        return {str(k)[:200]: v for k, v in pairs if isinstance(v, int) and v >= 0}

    notes = head.get("notes")
    kept = tuple(str(note)[:500] for note in notes) if isinstance(notes, list) else ()
    examples = head.get("examples")
    pairs = examples.items() if isinstance(examples, dict) else ()
    shown = {str(reason)[:200]: shown_example(value) for reason, value in pairs}
    cells = head.get("cells")
    if not isinstance(cells, int) or isinstance(cells, bool) or cells < 0:
        cells = None
    return ImportSummary(counts("read"), counts("skipped"), kept, counts("unused"), shown, cells)
