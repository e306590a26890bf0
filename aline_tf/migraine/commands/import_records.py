"""`aline-tf migraine import`: whatever records a person has in, one timeline file out."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path

from aline_tf.errors import InputError

SHOWN_REASONS = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `aline-tf migraine import`."""
    parser.add_argument(
        "records",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="exports of Apple Health, Fitbit or Google Takeout, FHIR bundles, calendars (.ics),"
        " diaries (.csv, .jsonl), timelines, and folders or zip archives of these",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        required=True,
        help="the timeline, as JSON lines; compressed when the name ends in .gz",
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


def run(args: argparse.Namespace) -> int:
    """Reads everything, writes the timeline and prints what was read, skipped and why.

    Raises:
        InputError: an argument or a file cannot be used; nothing has been written.
    """
    _check(args)
    from aline_tf.migraine.records.fhir_export import write_bundle
    from aline_tf.migraine.records.importers.records import read_records
    from aline_tf.migraine.records.timeline_file import write_timeline
    from aline_tf.runtime.atomic_files import atomic_path

    records = read_records(args.records, args.column_map, args.zone)
    with ExitStack() as stack:
        # Both files take their names together, or neither does.
        if args.fhir is not None:
            write_bundle(records.timeline, stack.enter_context(atomic_path(args.fhir)))
        write_timeline(records.timeline, stack.enter_context(atomic_path(args.out)))
    print(console_text(records))
    for path in filter(None, (args.out, args.fhir)):
        print(f"Written: {path}")
    return 0


def console_text(records) -> str:
    """What the command prints about records: `aline_tf.migraine.records.importers.Records`."""
    from aline_tf.migraine.records.importers.records import KINDS

    lines = []
    for part in records.parts:
        count, skipped = sum(part.summary.read.values()), part.summary.skipped
        lines.append(f"{part.name}: {KINDS[part.kind]}, {count:,} records read")
        lines += [f"  {name}: {number:,}" for name, number in sorted(part.summary.read.items())]
        if skipped:
            lines.append(f"  skipped {sum(skipped.values()):,}:")
            reasons = sorted(skipped.items(), key=lambda pair: (-pair[1], pair[0]))
            lines += [f"    {reason}: {number:,}" for reason, number in reasons[:SHOWN_REASONS]]
            rest = sum(number for _, number in reasons[SHOWN_REASONS:])
            if rest:
                lines.append(f"    other reasons: {rest:,}")
    if records.left_out:
        lines.append("Files passed over:")
        lines += [f"  {reason}: {number:,}" for reason, number in sorted(records.left_out.items())]
    frame = records.timeline.frame
    offsets = frame["offset"].astype("int64").to_numpy().astype("timedelta64[m]")
    days = (frame["time"].dt.tz_localize(None) + offsets).dt.date
    first, last = min(days), max(days)
    lines.append(
        f"One timeline: {len(frame):,} observations on {days.nunique():,} days, {first} to {last}."
    )
    return "\n".join([*lines, *records.timeline.summary.notes])


def _check(args: argparse.Namespace) -> None:
    """Raises InputError for what can be seen before anything is read."""
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
