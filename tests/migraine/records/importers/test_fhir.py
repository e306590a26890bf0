"""FHIR in: codes, units, times, what is withdrawn, and what is passed over with a reason."""

import json
import re
from zoneinfo import ZoneInfo

import pytest

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers.documents import open_documents
from aline_tf.migraine.records.importers.fhir import read_fhir
from aline_tf.migraine.records.wall_clock import WallClock

BERLIN = WallClock(ZoneInfo("Europe/Berlin"))
WHEN = {"effectiveDateTime": "2025-03-09T07:15:00+01:00"}


def observation(code="8867-4", value=71.0, unit="/min", system="http://loinc.org", **more):
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": system, "code": code}]},
        "valueQuantity": {"value": value, "code": unit, "system": "http://unitsofmeasure.org"},
        **WHEN,
        **more,
    }


def read(tmp_path, *resources, name="bundle.json", clock=None, as_is=False):
    path = tmp_path / name
    entries = [{"resource": resource} for resource in resources]
    made = resources[0] if as_is else {"resourceType": "Bundle", "entry": entries}
    path.write_text(json.dumps(made))
    with open_documents(path) as (document,):
        return read_fhir(document, clock)


def only(timeline):
    (row,) = timeline.frame.to_dict("records")
    return row


@pytest.mark.parametrize(
    ("code", "value", "unit", "channel", "expected"),
    [
        ("8867-4", 71, "/min", "heart_rate", 71),
        ("8867-4", 1.2, "/s", "heart_rate", 72),
        ("40443-4", 58, "{beats}/min", "resting_hr", 58),
        ("80404-7", 0.0412, "s", "sdnn", 41.2),
        ("9279-1", 14, "/min", "respiratory_rate", 14),
        ("55423-8", 812, "{steps}", "steps", 812),
        ("41950-7", 8012, "{steps}/(24.h)", "steps", 8012),
        ("93832-4", 27_000, "s", "sleep_hours", 7.5),
        ("72514-3", 6, "{score}", "pain", 6),
    ],
)
def test_a_code_becomes_its_channel_in_its_unit(tmp_path, code, value, unit, channel, expected):
    row = only(read(tmp_path, observation(code, value, unit)))
    assert row["channel"] == channel and row["value"] == pytest.approx(expected)
    assert row["time"].isoformat() == "2025-03-09T06:15:00+00:00" and row["offset"] == 60


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (observation(status="entered-in-error"), "heart_rate: not final, or withdrawn"),
        (observation(status="cancelled"), "not final"),
        (observation(unit="kg"), "heart_rate: unit kg instead of bpm"),
        (observation("80404-7", 41.0, unit=""), "sdnn: unit .* instead of ms"),
        (observation(value="71"), "not a number"),
        (observation(value=True), "not a number"),
        (observation(value=1e300), "a value out of range"),
        (observation(code="29463-7"), "codes that are not used"),
        (observation(system="urn:other"), "codes that are not used"),
        (observation(code=None), "codes that are not used"),
        (observation(effectiveDateTime="2025-03-09T07:15:00"), "without a time zone"),
        (observation(effectiveDateTime="2025-03-09"), "a date without a time of day"),
        (observation(effectiveDateTime="2025-03"), "without a date"),
        (observation(effectiveDateTime="2025-13-09T07:15:00Z"), "an invalid date"),
        (observation(effectiveDateTime=20250309), "without a date"),
        (
            observation(
                effectivePeriod={
                    "start": "2025-03-09T07:15:00+01:00",
                    "end": "2025-03-09T06:15:00+01:00",
                }
            ),
            "ends before it starts",
        ),
        (observation(effectivePeriod={"start": "2025-03-09T07:15:00+01:00"}), "without an end"),
        (observation(valueQuantity={"value": 70, "code": "/min", "comparator": "<"}), "a bound"),
        ({"resourceType": "Patient", "name": [{"family": "Secret"}]}, "no observations"),
        ({"resource": "?"}, "no resources"),
        (7, "no resources"),
    ],
)
def test_what_cannot_be_used_is_counted_with_the_reason(tmp_path, made, reason):
    timeline = read(tmp_path, observation(), made)
    assert len(timeline) == 1
    ((counted, number),) = timeline.summary.skipped.items()
    assert number == 1 and "Secret" not in counted
    assert re.search(reason, counted)


def test_asked_and_declined_is_not_missing(tmp_path):
    made = observation("72514-3")
    del made["valueQuantity"]
    made["dataAbsentReason"] = {"coding": [{"code": "asked-declined"}]}
    assert only(read(tmp_path, made))["status"] == 2
    made["dataAbsentReason"] = {"coding": [{"code": "not-performed"}]}
    assert read(tmp_path, made).summary.skipped == {"pain: without a value": 1}


def test_an_observation_is_known_when_it_was_issued(tmp_path):
    row = only(read(tmp_path, observation(issued="2025-03-10T09:00:00Z")))
    assert row["known"].isoformat() == "2025-03-10T09:00:00+00:00"
    assert only(read(tmp_path, observation(issued="soon")))["known"] == row["time"]


def test_a_date_is_a_local_day_and_z_says_nothing_of_the_wall(tmp_path):
    steps = observation("55423-8", 8000, "{steps}", effectiveDateTime="2025-03-30")
    row = only(read(tmp_path, steps, clock=BERLIN))
    # The day on which the clocks change has 23 hours.
    assert (row["end"] - row["time"]).total_seconds() == 23 * 3600
    assert (row["offset"], row["end_offset"]) == (60, 120)
    row = only(read(tmp_path, observation(effectiveDateTime="2025-07-01T05:00:00Z"), clock=BERLIN))
    assert row["offset"] == 120


def test_sleep_belongs_to_the_day_of_waking_and_the_longest_is_the_night(tmp_path):
    night = {"start": "2025-03-08T23:00:00+01:00", "end": "2025-03-09T07:00:00+01:00"}
    nap = {"start": "2025-03-09T14:00:00+01:00", "end": "2025-03-09T14:40:00+01:00"}
    timeline = read(
        tmp_path,
        observation("93832-4", 7.1, "h", effectivePeriod=night),
        observation("93832-4", 40, "min", effectivePeriod=nap),
    )
    row = only(timeline)
    assert row["time"].isoformat() == "2025-03-09T06:00:00+00:00" and row["value"] == 7.1
    assert timeline.summary.skipped == {"sleep_hours: shorter than another of the same day": 1}
    assert timeline.summary.read == {"sleep_hours": 1}


def test_a_sleep_dated_in_the_evening_ends_when_it_is_over(tmp_path):
    made = observation("93832-4", 7.5, "h", effectiveDateTime="2025-03-08T23:00:00+01:00")
    assert only(read(tmp_path, made))["time"].isoformat() == "2025-03-09T05:30:00+00:00"


def test_devices_are_numbered_and_not_named(tmp_path):
    timeline = read(
        tmp_path,
        observation(device={"display": "Mira's watch"}),
        observation(device={"display": "Mira's scale"}, effectiveDateTime="2025-03-09T08:00:00Z"),
        observation(effectiveDateTime="2025-03-09T09:00:00Z"),
    )
    assert set(timeline.frame["source"]) == {"fhir/1", "fhir/2", "fhir"}


def test_one_resource_and_lines_of_them_are_read_too(tmp_path):
    assert len(read(tmp_path, observation(), as_is=True)) == 1
    path = tmp_path / "observations.ndjson"
    path.write_text("".join(json.dumps(observation(value=v)) + "\n" for v in (60, 61)) + "\n")
    with open_documents(path) as (document,):
        assert read_fhir(document).frame["value"].tolist() == [60, 61]


def test_an_empty_bundle_is_read_and_other_json_is_not(tmp_path):
    assert len(read(tmp_path)) == 0
    for made in ({"a": 1}, [1], "x"):
        with pytest.raises(InputError, match="expected"):
            read(tmp_path, made, as_is=True)
