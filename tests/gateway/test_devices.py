"""Two devices tell the same reading: the person's list decides, and what it decided is counted."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from aline_tf.errors import InputError
from aline_tf.gateway.intake.devices import Stated, checked_priority, set_aside
from aline_tf.gateway.intake.series import Series
from tests.gateway.test_readings import bundle, stress, values_of

NOW = datetime(2025, 6, 1, tzinfo=UTC)


def pulse(value, device, day=10, **fields):
    at = f"2025-03-{day:02d}T07:00:00+01:00"
    return {"channel": "resting_hr", "value": value, "time": at, "source": device} | fields


def timeline_of(*documents, priority=()):
    series = Series()
    for kind, document in documents:
        series.take(kind, json.dumps(document).encode(), read=1)
    return series.timeline("Europe/Berlin", NOW, priority), series.devices


def values(timeline, channel):
    frame = timeline.frame
    return frame["value"][frame["channel"] == channel].tolist()


def test_the_first_of_the_list_counts_and_the_conflict_is_counted():
    readings = [pulse(52, "Ring"), pulse(58, "A Watch"), pulse(60, "A Watch", 11)]
    sent = ("readings", {"readings": [*readings, stress(7)]})
    timeline, devices = timeline_of(sent, priority=("ring", "A  watch"))
    assert values(timeline, "resting_hr") == [52, 60] and values(timeline, "stress") == [7]
    assert devices.conflicts == {"resting_hr": 1} and devices.seen == ("A Watch", "Ring")
    timeline, _ = timeline_of(sent, priority=("A Watch",))
    assert values(timeline, "resting_hr") == [58, 60]
    for nobody in ((), ("Another",)):
        timeline, devices = timeline_of(sent, priority=nobody)
        assert sorted(values(timeline, "resting_hr")) == [52, 58, 60]
        assert devices.conflicts == {}


def test_formats_and_spellings_of_one_reading_are_one():
    own = ("readings", {"readings": [pulse(52, "Ring"), pulse(40, "Ring", 12)]})
    entry = {"date": "2025-03-10 00:00:00 +0100", "qty": 58, "source": "A Watch"}
    metric = {"name": "resting_heart_rate", "units": "count/min", "data": [entry]}
    exported = ("health_auto_export", {"data": {"metrics": [metric]}})
    code = {"coding": [{"system": "http://loinc.org", "code": "40443-4"}]}
    resource = {"resourceType": "Observation", "id": "r", "status": "final", "code": code}
    resource |= {"effectiveDateTime": "2025-03-10T06:30:00Z", "device": {"display": "Band"}}
    resource["valueQuantity"] = {"value": 61, "code": "/min", "system": "http://unitsofmeasure.org"}
    sent = own, exported, ("fhir", bundle([resource]))
    for device, value in (("Ring", 52), ("A Watch", 58), ("Band", 61)):
        timeline, devices = timeline_of(*sent, priority=(device,))
        assert sorted(values(timeline, "resting_hr")) == sorted([40, value])
        assert devices.conflicts == {"resting_hr": 1}
    # What was withdrawn tells nothing, whoever comes first.
    gone = resource | {"status": "entered-in-error", "meta": {"versionId": "2"}}
    timeline, devices = timeline_of(*sent, ("fhir", bundle([gone])), priority=("Band", "Ring"))
    assert sorted(values(timeline, "resting_hr")) == [40, 52]


def test_a_night_is_one_reading_however_it_is_told():
    night = {"channel": "sleep_hours", "value": 7.5, "source": "Ring"}
    night |= {"time": "2025-03-09T23:00:00+01:00", "end": "2025-03-10T07:00:00+01:00"}
    parts = [
        {"channel": "asleep", "time": f"2025-03-{day}T{begin}:00:00+01:00", "source": "A Watch"}
        | {"end": f"2025-03-{until}T{end}:00:00+01:00"}
        for day, begin, until, end in (("09", 22, "09", 23), ("10", "01", "10", "05"))
    ]
    sent = ("readings", {"readings": [night, *parts]})
    timeline, devices = timeline_of(sent, priority=("Ring",))
    assert values(timeline, "sleep_hours") == [7.5] and values(timeline, "asleep") == []
    assert devices.conflicts == {"night": 1}
    timeline, _ = timeline_of(sent, priority=("A Watch",))
    assert values(timeline, "sleep_hours") == [] and len(values(timeline, "asleep")) == 2


def test_steps_are_decided_by_the_hour():
    def steps(count, device, hour):
        at = datetime(2025, 3, 10, hour, 10, tzinfo=UTC)
        span = {"time": at.isoformat(), "end": (at + timedelta(minutes=20)).isoformat()}
        return {"channel": "steps", "value": count, "source": device} | span

    readings = [steps(100, "Phone", 8), steps(90, "Watch", 8), steps(300, "Phone", 10)]
    timeline, devices = timeline_of(("readings", {"readings": readings}), priority=("Watch",))
    assert values(timeline, "steps") == [90, 300] and devices.conflicts == {"steps": 1}


@pytest.mark.parametrize("seed", range(20))
def test_of_every_reading_one_device_is_left_the_first_that_told_it(seed):
    draws = np.random.default_rng(seed)
    names = [f"device {number}" for number in range(4)]
    stated = [
        Stated(key, str(draws.choice(["a", "b"])), f"{draws.integers(3)}", str(draws.choice(names)))
        for key in range(30)
    ]
    priority = draws.permutation(names)[: draws.integers(5)].tolist()
    gone, devices = set_aside(stated, priority)
    conflicts = 0
    for place in {(each.reading, each.when) for each in stated}:
        told = [each for each in stated if (each.reading, each.when) == place]
        left = {each.device for each in told if each.key not in gone}
        first = [name for name in priority if name in {each.device for each in told}]
        assert left == ({first[0]} if first else {each.device for each in told})
        conflicts += bool(first) and len({each.device for each in told}) > 1
    assert sum(devices.conflicts.values()) == conflicts
    # In which order they came does not matter.
    shuffled = [stated[place] for place in draws.permutation(len(stated))]
    assert set_aside(shuffled, priority) == (gone, devices)


def test_lists_that_cannot_be_meant():
    for names in (["a", " A "], [""], ["x\ny"], ["x" * 201], [str(n) for n in range(21)]):
        with pytest.raises(InputError, match="expected"):
            checked_priority(names)


def test_a_list_counts_for_what_was_sent_before_and_later(person, gateway):
    assert person.get("/v1/me/devices").json() == {"priority": [], "seen": [], "conflicts": {}}
    body = {"readings": [pulse(52, "Ring"), pulse(58, "A Watch")]}
    assert person.post("/v1/readings", json=body).status_code == 202
    assert sorted(values_of(person)) == [52, 58]
    kept = person.put("/v1/me/devices", json={"priority": ["A Watch", "Ring"]})
    assert kept.json()["conflicts"] == {"resting_hr": 1} and kept.json()["seen"] == body_devices()
    assert values_of(person) == [58]
    more = {"readings": [pulse(50, "Ring", 11), pulse(51, "A Watch", 11)]}
    person.post("/v1/readings", json=more)
    assert person.get("/v1/me/devices").json()["conflicts"] == {"resting_hr": 2}
    person.put("/v1/me/devices", json={"priority": ["Ring"]})
    assert sorted(values_of(person)) == [50, 52]
    with gateway.person() as other:
        assert other.get("/v1/me/devices").json()["priority"] == []
    twice = person.put("/v1/me/devices", json={"priority": ["Ring", "ring"]})
    assert twice.status_code == 422 and "once" in twice.json()["detail"]


def body_devices():
    return ["A Watch", "Ring"]
