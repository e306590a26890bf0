"""Which format a payload is of, and the account of it by the importers that read it."""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import Any

from aline_tf.errors import InputError
from aline_tf.gateway.intake.own_json import readings_of, readings_summary
from aline_tf.migraine.records.import_summary import ImportSummary
from aline_tf.migraine.records.importers.documents import Document
from aline_tf.migraine.records.importers.fhir import read_observations
from aline_tf.migraine.records.importers.health_auto_export import read_health_auto_export
from aline_tf.migraine.records.importers.json_stream import parse
from aline_tf.migraine.records.wall_clock import WallClock, time_zone

OWN, FHIR, HEALTH_AUTO_EXPORT, ANSWERS = "readings", "fhir", "health_auto_export", "answers"


def loaded(content: bytes) -> tuple[str, Any]:
    """The format of a payload, and the payload as JSON values.

    Raises:
        InputError: not JSON in UTF-8, or of no format that is taken in.
    """
    try:
        document = parse(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError("expected JSON in UTF-8; received another encoding") from error
    if isinstance(document, dict):
        if "resourceType" in document:
            return FHIR, document
        if "readings" in document:
            readings_of(document)
            return OWN, document
        if isinstance(document.get("data"), dict):
            return HEALTH_AUTO_EXPORT, document
    raise InputError(
        'expected {"readings": [...]}, a FHIR resource or bundle, or {"data": {"metrics": ...}} of'
        " Health Auto Export; received another document"
    )


def account_of(kind: str, document: Any, content: bytes, zone: str | None) -> dict[str, Any]:
    """What the importers make of a payload by itself: counts of what is read, skipped and unused.

    Args:
        kind: from `loaded`.
        document: the payload as JSON values.
        content: the payload.
        zone: the person's time zone, for times that name none.

    Raises:
        InputError: it is not of that format.
    """
    clock = WallClock(time_zone(zone) if zone else None)
    if kind == OWN:
        summary = readings_summary(readings_of(document), clock)
    elif kind == FHIR:
        _, (summary,) = read_observations([in_memory("payload.json", content)], clock)
    else:
        payload = in_memory("payload.json", content)
        summary = read_health_auto_export(payload, clock).summary
    return account(summary)


def account(summary: ImportSummary) -> dict[str, Any]:
    """A summary as JSON values: totals, and counts by channel, reason and type."""
    parts = {name: dict(getattr(summary, name)) for name in ("read", "skipped", "unused")}
    return {
        **{name: sum(counts.values()) for name, counts in parts.items()},
        "by": parts,
        "examples": dict(summary.examples),
        "notes": list(summary.notes),
    }


def in_memory(name: str, content: bytes) -> Document:
    """A payload as the importers take files."""

    @contextmanager
    def opener():
        with io.BytesIO(content) as raw, io.BufferedReader(raw) as stream:
            yield stream

    return Document(name, True, opener)
