"""A timeline as a FHIR R4 bundle of observations, for other software to read.

Every row becomes one Observation:

| of the row | in FHIR |
|---|---|
| channel | code: the LOINC code where there is one, and the channel's own name |
| time, end | effectivePeriod, or effectiveDateTime when they are equal |
| known | issued |
| value | valueQuantity in UCUM units, valueBoolean for yes and no |
| not answered | dataAbsentReason asked-declined, and no value |
| source | device.display |

An attack whose end nobody noted has a period without an end. Nothing names the person: there is no
subject. Observations have identifiers made of their content, so that the same timeline gives the
same bytes. `aline_tf.migraine.records.importers.fhir` reads such a bundle back, row for row.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from typing import Any

from aline_tf.migraine.records.fhir_codes import (
    ABSENT,
    CATEGORY,
    CODINGS,
    LOINC,
    SYSTEM,
    UCUM,
    UNITS,
)
from aline_tf.migraine.records.timeline import COLUMNS, KINDS, NOT_ANSWERED, Timeline
from aline_tf.migraine.records.timeline_file import stamp
from aline_tf.runtime.atomic_files import atomic_path

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, SYSTEM)


def write_bundle(timeline: Timeline, path: str | os.PathLike[str]) -> None:
    """Write a timeline as a Bundle of type collection, whole or not at all.

    Args:
        timeline: anything, an empty one too.
        path: of a JSON file in UTF-8.

    Raises:
        OSError: the place cannot be written.
    """
    with atomic_path(path) as partial, partial.open("w", encoding="utf-8", newline="\n") as out:
        out.write('{"resourceType": "Bundle", "type": "collection", "entry": [')
        separator = "\n"
        for observation in observations(timeline):
            entry = {"fullUrl": f"urn:uuid:{observation['id']}", "resource": observation}
            out.write(separator + json.dumps(entry, ensure_ascii=False))
            separator = ",\n"
        out.write("\n]}\n")


def observations(timeline: Timeline) -> Iterator[dict[str, Any]]:
    """The Observation resources of a timeline, in the order of its rows."""
    frame = timeline.frame
    open_ended = frame["end"].isna().to_numpy().tolist()
    columns = [timeline.seconds(name).tolist() for name in ("time", "end", "known")]
    columns += [frame[name].tolist() for name in COLUMNS[3:]]
    for number, (is_open, row) in enumerate(
        zip(open_ended, zip(*columns, strict=True), strict=True)
    ):
        yield _observation(number, is_open, row)


def _observation(number: int, is_open: bool, row: tuple) -> dict[str, Any]:
    time, end, known, offset, end_offset, channel, value, unit, status, source = row
    coding = CODINGS.get(channel)
    names = [{"system": SYSTEM, "code": channel}]
    if coding is not None:
        names.insert(0, {"system": LOINC, "code": coding.code, "display": coding.display})
    content = "|".join(map(str, (number, time, end, channel, value, source)))
    made: dict[str, Any] = {
        "resourceType": "Observation",
        "id": str(uuid.uuid5(_NAMESPACE, content)),
        "status": "final",
        "category": [
            {"coding": [{"system": CATEGORY, "code": coding.category if coding else "survey"}]}
        ],
        "code": {"coding": names, "text": channel.replace("_", " ")},
    }
    begin = stamp(time, offset)
    if end == time and not is_open and offset == end_offset:
        made["effectiveDateTime"] = begin
    else:
        made["effectivePeriod"] = {"start": begin}
        if not is_open:
            made["effectivePeriod"]["end"] = stamp(end, end_offset)
    made["issued"] = stamp(known, end_offset)
    if status == NOT_ANSWERED:
        made["dataAbsentReason"] = {"coding": [{"system": ABSENT, "code": "asked-declined"}]}
    elif KINDS[channel].unit == "":
        made["valueBoolean"] = bool(value)
    else:
        code, words = UNITS[unit]
        made["valueQuantity"] = {"value": value, "unit": words, "system": UCUM, "code": code}
    made["device"] = {"display": source}
    return made
