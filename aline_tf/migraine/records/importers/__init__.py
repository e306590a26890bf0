"""Importers: from the files people really hold to one timeline."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers.apple_health import read_apple_health
from aline_tf.migraine.records.importers.diary import diary_from, familiar, read_diary
from aline_tf.migraine.records.importers.diary_table import read_table
from aline_tf.migraine.records.importers.diary_words import read_words
from aline_tf.migraine.records.importers.losses import in_words
from aline_tf.migraine.records.importers.records import Records, read_records
from aline_tf.migraine.records.importers.repeated_answers import in_one_order
from aline_tf.migraine.records.importers.several_diaries import settled
from aline_tf.migraine.records.importers.several_sources import beside_devices
from aline_tf.migraine.records.timeline import Timeline
from aline_tf.migraine.records.wall_clock import time_zone

__all__ = ["Records", "import_timeline", "read_apple_health", "read_diary", "read_records"]


def import_timeline(
    apple_health: str | Path | None = None,
    diary: str | Path | None = None,
    column_map: Mapping[str, str] | str | Path | None = None,
    records: Sequence[str | Path] = (),
    zone: str | None = None,
    accept_losses: bool = False,
    dates: str | None = None,
    words: Mapping[str, object] | str | Path | None = None,
    today: datetime | None = None,
) -> Timeline:
    """One timeline of everything given. A diary takes the time zone that other records show.

    Args:
        apple_health: an Apple Health export.zip.
        diary: a diary, as CSV or JSON Lines.
        column_map: how the diary's columns are named: see `read_diary`.
        records: any other files, folders and archives: see `read_records`.
        zone: the time zone the person lives in, like Europe/Berlin, for records that name none.
        accept_losses, dates, words: of diaries: see `read_diary`.
        today: the present moment, with its time zone: see `read_records`.

    Returns:
        the timeline of all of them, with a summary of what was read and skipped.

    Raises:
        InputError: nothing was given, a file cannot be used, or the files hold no observation.
    """
    if apple_health is None and diary is None and not records:
        raise InputError("expected an Apple Health export, a diary or both; received neither")
    timeline = Timeline.empty()
    if apple_health is not None:
        timeline = timeline.merge(read_apple_health(apple_health))
    if records:
        read = read_records(records, column_map, zone, accept_losses, today, dates, words)
        timeline = timeline.merge(read.timeline)
    if diary is not None:
        clock = timeline.clock(time_zone(zone) if zone else None)
        known = read_words(words)
        table = read_table(Path(diary), familiar(known, column_map))
        own = diary_from(table, column_map, clock, dates, known, accept_losses)
        parts, conflicts = settled([own, timeline])
        timeline = parts[0].merge(*parts[1:])
        found = (*conflicts.sentences(), *beside_devices(timeline))
        notes = (*timeline.summary.notes, *(n for n in found if n not in timeline.summary.notes))
        summary = dataclasses.replace(timeline.summary, notes=notes)
        timeline = Timeline(in_one_order(timeline.frame), summary)
    if not len(timeline):
        why = in_words(timeline.summary)
        raise InputError(
            "expected records of heart, steps, sleep or a diary; received files without any"
            f"{f': {why}' if why else ''}"
        )
    return timeline
