"""Several devices tell the same reading: which of them counts, where the person said so.

    resting heart rate of 10 March: ring 52, watch 58; priority ring, watch  ->  52, one conflict

The same reading is that of one channel on one local day; steps and heart rates are counted by the
hour, and all that is told of a night is one reading. Of the devices in the person's list the first
that tells it counts; what others tell of it is set aside, and counted. Where no device of the list
tells it, the rules of `aline_tf.migraine.records.days` hold, as they do for whoever has no list.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

from aline_tf.errors import InputError
from aline_tf.migraine.records.fhir_codes import CHANNEL_OF, LOINC, SYSTEM

NIGHT = "night"
#: What devices tell, by the names of the formats -> the reading that it is.
READINGS = {
    **dict.fromkeys(("resting_hr", "resting_heart_rate"), "resting_hr"),
    **dict.fromkeys(("sdnn", "heart_rate_variability"), "sdnn"),
    **dict.fromkeys(("steps", "step_count"), "steps"),
    **dict.fromkeys(("wrist_temperature", "apple_sleeping_wrist_temperature"), "wrist_temperature"),
    **dict.fromkeys(
        ("asleep", "awake", "in_bed", "sleep_hours", "sleep_efficiency", "sleep_analysis"), NIGHT
    ),
    **{name: name for name in ("heart_rate", "respiratory_rate", "rmssd", "skin_temperature")},
}
#: States of a FHIR observation that tells nothing any more.
_WITHDRAWN = ("entered-in-error", "cancelled")
_HOURLY = ("steps", "heart_rate")
#: A night that ends, or a part of one, from this hour on belongs to the next day.
_EVENING = timedelta(hours=6)
#: Devices of a list, and characters of a name.
MOST, LONGEST = 20, 200


@dataclasses.dataclass(frozen=True)
class Stated:
    """Something that a device told.

    Attributes:
        key: where it is kept.
        reading: a value of `READINGS`.
        when: the local day, or hour, that it is of.
        device: its name as it was sent; "" where there is none.
    """

    key: Hashable
    reading: str
    when: str
    device: str


@dataclasses.dataclass(frozen=True)
class Devices:
    """What devices told, and what a person's list made of it.

    Attributes:
        seen: their names, as they were sent first.
        conflicts: reading -> how often several told it and the list decided.
    """

    seen: tuple[str, ...] = ()
    conflicts: Mapping[str, int] = dataclasses.field(default_factory=dict)


def checked_priority(names: Sequence[str]) -> tuple[str, ...]:
    """Names of devices, the one that counts most first.

    Raises:
        InputError: more than a person has, one that is empty, too long or there twice.
    """
    if len(names) > MOST:
        raise InputError(f"expected at most {MOST} devices; received {len(names)}")
    for name in names:
        if not name.strip() or len(name) > LONGEST or not name.isprintable():
            raise InputError(
                f"expected names of devices of 1 to {LONGEST} characters; received {name[:40]!r}"
            )
    if len({_same(name) for name in names}) < len(names):
        raise InputError("expected every device once; received one twice")
    return tuple(names)


def set_aside(stated: Iterable[Stated], priority: Sequence[str]) -> tuple[set[Hashable], Devices]:
    """Keys of what does not count, and what there was.

    Args:
        stated: all that devices told, in any order.
        priority: names of devices, the one that counts most first.
    """
    rank = {_same(name): place for place, name in enumerate(priority)}
    seen: dict[str, str] = {}
    together: dict[tuple[str, str], list[Stated]] = defaultdict(list)
    for each in stated:
        if each.device:
            seen.setdefault(_same(each.device), each.device)
        together[each.reading, each.when].append(each)
    gone, conflicts = set[Hashable](), Counter[str]()
    for (reading, _), several in together.items():
        devices = {_same(each.device) for each in several}
        listed = devices & rank.keys()
        if listed and len(devices) > 1:
            first = min(listed, key=rank.__getitem__)
            gone |= {each.key for each in several if _same(each.device) != first}
            conflicts[reading] += 1
    return gone, Devices(tuple(sorted(seen.values())), dict(sorted(conflicts.items())))


def of_reading(key: Hashable, reading: Any, zone: tzinfo | None) -> Stated | None:
    """A reading of the gateway's own JSON; None for what no device tells."""
    if not isinstance(reading, Mapping) or reading.get("answered", True) is not True:
        return None
    moment = reading.get("end") or reading.get("time")
    return _stated(key, reading.get("channel"), moment, reading.get("source"), zone)


def of_metric(key: Hashable, metric: str, entry: Any, zone: tzinfo | None) -> Stated | None:
    """An entry of a metric of Health Auto Export; None for what no device tells."""
    if not isinstance(entry, Mapping):
        return None
    names = ("sleepEnd", "inBedEnd", "endDate", "date", "startDate")
    moment = next((entry[name] for name in names if entry.get(name)), None)
    device = entry.get("source", entry.get("sleepSource"))
    return _stated(key, metric, moment, device, zone)


def of_resource(
    key: Hashable, entry: Any, zone: tzinfo | None, gone: frozenset[str] = frozenset()
) -> Stated | None:
    """An entry of a FHIR bundle; None for what no device tells, or tells no more.

    Args:
        key, zone: as for the others.
        entry: of the bundle, or a resource.
        gone: ids that were withdrawn.
    """
    resource = _resource(entry)
    if _is_withdrawn(resource) or _id(resource) in gone:
        return None
    period, device = resource.get("effectivePeriod"), resource.get("device")
    period = period if isinstance(period, Mapping) else {}
    moment = period.get("end") or resource.get("effectiveDateTime") or period.get("start")
    device = device if isinstance(device, Mapping) else {}
    name = device.get("display") or device.get("reference")
    return _stated(key, _channel(resource.get("code")), moment, name, zone)


def withdrawn(entries: Iterable[Any]) -> frozenset[str]:
    """Ids of the FHIR resources that a later version withdrew."""
    resources = map(_resource, entries)
    return frozenset(_id(each) for each in resources if _is_withdrawn(each) and "id" in each)


def _resource(entry: Any) -> Mapping[str, Any]:
    found = entry.get("resource", entry) if isinstance(entry, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _is_withdrawn(resource: Mapping[str, Any]) -> bool:
    status = resource.get("status")
    return isinstance(status, str) and status in _WITHDRAWN


def _id(resource: Mapping[str, Any]) -> str:
    return json.dumps(resource.get("id"))


def _channel(code: Any) -> str | None:
    codings = code.get("coding") if isinstance(code, Mapping) else None
    for coding in codings if isinstance(codings, list) else ():
        if isinstance(coding, Mapping) and isinstance(coding.get("code"), str):
            if coding.get("system") == SYSTEM:
                return coding["code"]
            if coding.get("system") == LOINC and coding["code"] in CHANNEL_OF:
                return CHANNEL_OF[coding["code"]]
    return None


def _stated(
    key: Hashable, name: Any, moment: Any, device: Any, zone: tzinfo | None
) -> Stated | None:
    """None for what is of no such reading, or of no moment: the importers say what is wrong."""
    reading = READINGS.get(name) if isinstance(name, str) else None
    if reading is None or not isinstance(moment, str):
        return None
    try:
        here = datetime.fromisoformat(moment.replace(" +", "+").replace(" -", "-"))
        if here.tzinfo is not None and zone is not None:
            here = here.astimezone(zone)
        if reading == NIGHT:
            here += _EVENING
    except (ValueError, OverflowError):
        return None
    when = f"{here:%Y-%m-%dT%H}" if reading in _HOURLY else f"{here:%Y-%m-%d}"
    return Stated(key, reading, when, device if isinstance(device, str) else "")


def _same(name: str) -> str:
    return " ".join(name.casefold().split())
