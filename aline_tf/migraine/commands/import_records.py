"""`aline-tf migraine import`: whatever records a person has in, one timeline file out."""

from __future__ import annotations

import argparse
import json
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from aline_tf.errors import InputError
from aline_tf.migraine.commands.record_arguments import add_diary_arguments

SHOWN_REASONS = 8
SHOWN_FILES = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `aline-tf migraine import`."""
    parser.add_argument(
        "records",
        type=Path,
        nargs="*",
        metavar="PATH",
        help="exports of Apple Health, Fitbit or Google Takeout, Health Connect, Health Auto"
        " Export, Oura or Garmin, FHIR bundles, calendars (.ics), diaries (.csv, .jsonl),"
        " timelines, and folders or zip archives of these",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="the timeline, as JSON lines; compressed when the name ends in .gz",
    )
    parser.add_argument(
        "--explain",
        type=Path,
        metavar="FILE",
        help="write nothing; say what a file is taken for, what of it is used and how to map the"
        " rest",
    )
    parser.add_argument(
        "--fhir", type=Path, metavar="FILE", help="the same as a FHIR R4 bundle, beside it"
    )
    parser.add_argument(
        "--zone",
        metavar="NAME",
        help="time zone for records that name none, like Europe/Berlin (default: as the other"
        " records show)",
    )
    parser.add_argument(
        "--column-map", type=Path, metavar="JSON", help="how the columns of diaries are named"
    )
    add_diary_arguments(parser)
    parser.add_argument(
        "--json", action="store_true", help="print what was read and skipped as JSON, for programs"
    )


def run(args: argparse.Namespace) -> int:
    """Reads everything, writes the timeline and prints what was read, skipped, unused and why.

    Raises:
        InputError: an argument or a file cannot be used; nothing has been written.
    """
    _check(args)
    from aline_tf.migraine.records.fhir_export import write_bundle
    from aline_tf.migraine.records.importers.records import read_records
    from aline_tf.migraine.records.timeline_file import write_timeline
    from aline_tf.runtime.atomic_files import atomic_path

    if args.explain is not None:
        from aline_tf.migraine.records.importers.explain import explain

        print(explain(args.explain, args.column_map, args.zone, args.dates, args.words))
        return 0
    records = read_records(
        args.records,
        args.column_map,
        args.zone,
        args.accept_losses,
        datetime.now(UTC),
        args.dates,
        args.words,
    )
    with ExitStack() as stack:
        # Both files take their names together, or neither does.
        if args.fhir is not None:
            write_bundle(records.timeline, stack.enter_context(atomic_path(args.fhir)))
        write_timeline(records.timeline, stack.enter_context(atomic_path(args.out)))
    written = [path for path in (args.out, args.fhir) if path is not None]
    if args.json:
        account = json_account(records) | {"written": [str(path) for path in written]}
        print(json.dumps(account, ensure_ascii=False, indent=1))
        return 0
    print(console_text(records))
    for path in written:
        print(f"Written: {path}")
    return 0


def console_text(records) -> str:
    """What the command prints about records: `aline_tf.migraine.records.importers.Records`."""
    from aline_tf.migraine.records.importers.kinds import KINDS

    lines = [_in_short(records)]
    for part in records.parts:
        summary = part.summary
        lines.append(
            f"{part.name}: {KINDS[part.kind]}, {sum(summary.read.values()):,} records read"
        )
        lines += [f"  {name}: {number:,}" for name, number in sorted(summary.read.items())]
        lines += _counted("skipped", summary.skipped, summary.examples)
        lines += _counted("not used here", summary.unused, {})
    if records.passed_over:
        lines.append("Files passed over:")
        for reason, number in sorted(records.left_out.items()):
            names = [name for name, why in records.passed_over.items() if why == reason]
            shown = ", ".join(names[:SHOWN_FILES]) + ", ..." * (len(names) > SHOWN_FILES)
            lines.append(f"  {reason}: {number:,} ({shown})")
    span = _span(records)
    lines.append(
        f"One timeline: {len(records.timeline):,} observations on {span['days']:,} days,"
        f" {span['first']} to {span['last']}."
    )
    return "\n".join([*lines, *records.timeline.summary.notes])


def json_account(records) -> dict:
    """The account of an import, for programs: every file, what was passed over, the whole."""
    return {
        "files": [
            {
                "name": part.name,
                "kind": part.kind,
                "cells": part.summary.cells,
                "read": dict(part.summary.read),
                "skipped": dict(part.summary.skipped),
                "unused": dict(part.summary.unused),
                "examples": dict(part.summary.examples),
                "notes": list(part.summary.notes),
            }
            for part in records.parts
        ],
        "passed_over": dict(records.passed_over),
        "conflicts": dict(records.conflicts),
        "observations": len(records.timeline),
        **_span(records),
        "notes": list(records.timeline.summary.notes),
    }


def _in_short(records) -> str:
    """One line that says how much of everything was used."""
    summaries = [part.summary for part in records.parts]
    read, skipped, unused = (
        sum(sum(getattr(summary, name).values()) for summary in summaries)
        for name in ("read", "skipped", "unused")
    )
    rest = [
        f"{number:,} {what}"
        for number, what in (
            (skipped, "could not be used, or repeat others"),
            (unused, "are of kinds that have no use here"),
        )
        if number
    ]
    files = "1 file" if len(summaries) == 1 else f"{len(summaries)} files"
    what = "1 record was" if read == 1 else f"{read:,} records were"
    return f"{what} read from {files}; {', '.join(rest) or 'nothing was left out'}."


def _counted(title: str, counts, examples) -> list[str]:
    """The commonest of some counts, a line each."""
    if not counts:
        return []
    lines = [f"  {title} {sum(counts.values()):,}:"]
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    for name, number in ordered[:SHOWN_REASONS]:
        example = f" (such as {examples[name]!r})" if name in examples else ""
        lines.append(f"    {name}: {number:,}{example}")
    rest = sum(number for _, number in ordered[SHOWN_REASONS:])
    return [*lines, f"    others: {rest:,}"] if rest else lines


def _span(records) -> dict:
    """Local days with observations: how many, the first and the last."""
    frame = records.timeline.frame
    offsets = frame["offset"].astype("int64").to_numpy().astype("timedelta64[m]")
    days = (frame["time"].dt.tz_localize(None) + offsets).dt.date
    return {"days": int(days.nunique()), "first": str(min(days)), "last": str(max(days))}


def _check(args: argparse.Namespace) -> None:
    """Raises InputError for what can be seen before anything is read."""
    if args.explain is not None:
        if args.records or args.out is not None or args.fhir is not None:
            raise InputError("expected --explain FILE by itself; received other paths beside it")
        return
    if not args.records or args.out is None:
        missing = "nothing to read" if not args.records else "no --out"
        raise InputError(f"expected records and --out FILE; received {missing}")
    outputs = [path for path in (args.out, args.fhir) if path is not None]
    for path in outputs:
        if path.is_dir():
            raise InputError(f"expected a file to write; received the directory {path}")
        if any(_is_same(path, source) for source in args.records):
            raise InputError(f"expected another file to write than those read; received {path}")
    if len(outputs) == 2 and _is_same(*outputs):
        raise InputError(f"expected two different files to write; received {args.out} twice")


def _is_same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()
