"""Importers: from the files people really hold to one timeline."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aline_tf.errors import InputError
from aline_tf.migraine.importers.apple_health import read_apple_health
from aline_tf.migraine.importers.diary import read_diary
from aline_tf.migraine.timeline import Timeline

__all__ = ["import_timeline", "read_apple_health", "read_diary"]


def import_timeline(
    apple_health: str | Path | None = None,
    diary: str | Path | None = None,
    column_map: Mapping[str, str] | str | Path | None = None,
) -> Timeline:
    """One timeline of everything given. A diary takes the time zone that the phone's records show.

    Args:
        apple_health: an Apple Health export.zip.
        diary: a diary CSV.
        column_map: how the diary's columns are named: see `read_diary`.

    Raises:
        InputError: nothing was given, a file cannot be used, or the files hold no observation.
    """
    if apple_health is None and diary is None:
        raise InputError("expected an Apple Health export, a diary or both; received neither")
    timeline = Timeline.empty()
    if apple_health is not None:
        timeline = timeline.merge(read_apple_health(apple_health))
    if diary is not None:
        timeline = timeline.merge(read_diary(diary, column_map).anchored_to(timeline))
    if not len(timeline):
        raise InputError(
            "expected records of heart, steps, sleep or a diary; received files without any"
        )
    return timeline
