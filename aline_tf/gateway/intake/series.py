"""One person's payloads as one timeline: that of the same records, imported as files.

Payloads of one format are put together before they are read, as the application that sent them
would have written them to one file: a reading that is sent again stands in the place of the earlier
one, so that whole days may be sent again, late and in any order. What the importers do with several
sources, nights and clocks they do here as well, for it is they who read.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from aline_tf.gateway.intake import devices
from aline_tf.gateway.intake.devices import Devices, Stated
from aline_tf.gateway.intake.formats import ANSWERS, FHIR, OWN, loaded
from aline_tf.gateway.intake.own_json import readings_of, readings_timeline
from aline_tf.migraine.records.importers.records import read_records
from aline_tf.migraine.records.timeline import Timeline
from aline_tf.migraine.records.timeline_file import write_timeline
from aline_tf.migraine.records.wall_clock import WallClock, time_zone

#: What tells one entry of a Health Auto Export list from another.
_PLACE = ("date", "startDate", "endDate", "start", "end", "source", "name")
#: Its metrics that grow while an hour or a day goes on: the larger value is the later one.
_GROWING = ("step_count",)


class Series:
    """What a person has sent so far, put together.

    Attributes:
        devices: what they told, as of the last `timeline`.

    Example:
        >>> from datetime import UTC, datetime
        >>> from aline_tf.gateway.intake.series import Series
        >>> series = Series()
        >>> stress = {"id": "1", "channel": "stress", "time": "2025-03-10T20:00:00Z"}
        >>> for value in (3, 7):
        ...     document = {"readings": [{**stress, "value": value}]}
        ...     series.take("readings", json.dumps(document).encode(), read=1)
        >>> series.timeline(None, datetime(2025, 3, 11, tzinfo=UTC)).frame["value"].tolist()
        [7.0]
    """

    def __init__(self) -> None:
        self._read = 0
        self._readings: dict[Any, Any] = {}
        # (list, metric, unit) -> place of an entry -> the entry
        self._entries: dict[tuple[str, ...], dict[tuple, Any]] = {}
        # Digest of an entry of a bundle -> the entry
        self._resources: dict[bytes, Any] = {}
        self._answers: list[bytes] = []
        self.devices = Devices()

    def take(self, kind: str, content: bytes, read: int) -> None:
        """The next payload of a person, in the order in which they came.

        Args:
            kind: which format it is.
            content: the payload.
            read: records of it that could be used.
        """
        self._read += read
        if kind == ANSWERS:
            self._answers.append(content)
        elif kind == FHIR:
            self._take_resources(loaded(content)[1])
        elif kind == OWN:
            self._take_readings(readings_of(loaded(content)[1]))
        else:
            self._take_entries(loaded(content)[1]["data"])

    def timeline(self, zone: str | None, now: datetime, priority: Sequence[str] = ()) -> Timeline:
        """Everything, as the importers read it.

        Args:
            zone: the time zone the person lives in, for times that name none.
            now: the present moment, with its time zone.
            priority: devices of which the first counts where several tell the same reading.

        Raises:
            InputError: nothing is left of what could be used, for it was withdrawn since.
        """
        if not self._read:
            return Timeline.empty()
        clock = time_zone(zone) if zone else None
        gone, self.devices = devices.set_aside(self._stated(clock), priority)
        with tempfile.TemporaryDirectory() as folder:
            paths = self._written(Path(folder), clock, gone)
            return read_records(paths, None, zone, True, now).timeline

    def _take_readings(self, readings: list[Any]) -> None:
        for reading in readings:
            own_id = reading.get("id") if isinstance(reading, Mapping) else None
            key = ("id", str(own_id)) if own_id is not None else json.dumps(reading, sort_keys=True)
            # The newest stands last, for where two say the same of one moment.
            self._readings.pop(key, None)
            self._readings[key] = reading

    def _take_resources(self, document: Mapping[str, Any]) -> None:
        entries = document.get("entry")
        if not isinstance(entries, list):
            entries = [] if document["resourceType"] == "Bundle" else [{"resource": document}]
        for entry in entries:
            # Later versions of a resource differ, and the importer knows which one counts.
            resource = entry.get("resource", entry) if isinstance(entry, Mapping) else entry
            text = json.dumps(resource, sort_keys=True)
            self._resources.setdefault(hashlib.sha256(text.encode()).digest(), entry)

    def _take_entries(self, data: Mapping[str, Any]) -> None:
        for name, entries in data.items():
            for entry in entries if isinstance(entries, list) else ():
                values = entry.get("data") if isinstance(entry, Mapping) else None
                if name == "metrics" and isinstance(values, list):
                    metric = (name, str(entry.get("name", "")), str(entry.get("units", "")))
                    for value in values:
                        self._put(metric, value)
                else:
                    self._put((name, "", ""), entry)

    def _put(self, metric: tuple[str, ...], entry: Any) -> None:
        kept = self._entries.setdefault(metric, {})
        if not isinstance(entry, Mapping):
            kept[("", json.dumps(entry))] = entry
            return
        place = tuple(str(entry.get(name, "")) for name in _PLACE)
        before = kept.get(place, {}).get("qty")
        grown = metric[1] in _GROWING and _is_number(before) and _is_number(entry.get("qty"))
        if not (grown and before > entry["qty"]):
            kept[place] = entry

    def _stated(self, zone: tzinfo | None) -> Iterator[Stated]:
        """What devices told, with the keys of `_written`."""
        found = [
            devices.of_reading(("reading", key), reading, zone)
            for key, reading in self._readings.items()
        ]
        for metric, entries in self._entries.items():
            found += [
                devices.of_metric(("entry", metric, place), metric[1], entry, zone)
                for place, entry in entries.items()
            ]
        withdrawn = devices.withdrawn(self._resources.values())
        found += [
            devices.of_resource(("resource", digest), entry, zone, withdrawn)
            for digest, entry in self._resources.items()
        ]
        yield from (each for each in found if each is not None)

    def _written(self, folder: Path, zone: tzinfo | None, gone: set) -> list[Path]:
        """Files for the importers, one for each format and each answer, without what is gone."""
        files: dict[str, bytes] = {}
        if self._entries:
            files["health_auto_export.json"] = json.dumps(self._document(gone)).encode()
        if self._resources:
            bundle = {"resourceType": "Bundle", "type": "collection"}
            entries = [
                entry
                for digest, entry in self._resources.items()
                if ("resource", digest) not in gone
            ]
            files["fhir.json"] = json.dumps(bundle | {"entry": entries}).encode()
        for number, content in enumerate(self._answers):
            files[f"answers-{number:08d}.jsonl"] = content
        paths = []
        for name, content in files.items():
            paths.append(folder / name)
            paths[-1].write_bytes(content)
        if self._readings:
            paths.append(folder / "readings.jsonl")
            readings = (
                reading for key, reading in self._readings.items() if ("reading", key) not in gone
            )
            write_timeline(readings_timeline(readings, WallClock(zone)), paths[-1])
        return paths

    def _document(self, gone: set) -> dict[str, Any]:
        """The entries as the application writes them."""
        data: dict[str, list] = {}
        for (name, metric, units), entries in self._entries.items():
            values = [
                entry
                for place, entry in entries.items()
                if ("entry", (name, metric, units), place) not in gone
            ]
            if metric or units:
                data.setdefault(name, []).append({"name": metric, "units": units, "data": values})
            else:
                data.setdefault(name, []).extend(values)
        # What begins otherwise is not known as a file of the application.
        return {"data": data or {"metrics": []}}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
