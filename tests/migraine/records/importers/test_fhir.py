"""FHIR in: codes, units, times, what is withdrawn, and what is passed over with a reason."""

import json
import re
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers import read_records
from aline_tf.migraine.records.importers.documents import open_documents
from aline_tf.migraine.records.importers.fhir import read_fhir
from aline_tf.migraine.records.timeline_file import timeline_lines
from aline_tf.migraine.records.wall_clock import WallClock
from tests.migraine.records.importers.composed_diaries import COMPOSITIONS

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
    # Heart rate is kept by the hour.
    minute = "00" if channel == "heart_rate" else "15"
    assert row["time"].isoformat() == f"2025-03-09T06:{minute}:00+00:00" and row["offset"] == 60


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (observation(status="entered-in-error"), "heart_rate: withdrawn"),
        (observation(status="cancelled"), "heart_rate: withdrawn"),
        (observation(status="registered"), "heart_rate: not final"),
        (observation(unit="kg"), "heart_rate: unit kg instead of bpm"),
        (observation("80404-7", 41.0, unit=""), "sdnn: unit .* instead of ms"),
        (observation(value="71"), "not a number"),
        (observation(value=True), "not a number"),
        (observation(value=1e300), "a value out of range"),
        (observation(valueQuantity=None, valueString="71"), "a value of another form"),
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
        ({"resource": "?"}, "no resources"),
        (7, "no resources"),
    ],
)
def test_what_cannot_be_used_is_counted_with_the_reason(tmp_path, made, reason):
    timeline = read(tmp_path, observation(), made)
    assert len(timeline) == 1
    ((counted, number),) = timeline.summary.skipped.items()
    assert number == 1 and re.search(reason, counted)
    assert timeline.summary.cells == 2 and timeline.summary.accounted


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (observation(code="29463-7"), "29463-7"),
        (observation(system="urn:other"), "8867-4"),
        (observation(code=None), "observations without a code"),
        ({"resourceType": "Patient", "name": [{"family": "Secret"}]}, "Patient"),
    ],
)
def test_what_has_no_use_is_named_by_its_code_or_type(tmp_path, made, name):
    summary = read(tmp_path, observation(), made).summary
    assert summary.unused == {name: 1} and not summary.skipped
    assert summary.cells == 2 and summary.accounted and "Secret" not in str(summary)


@pytest.mark.parametrize(
    "system",
    [None, "https://loinc.org", "http://loinc.org/", "LOINC", "urn:oid:2.16.840.1.113883.6.1"],
)
def test_a_code_of_loinc_is_known_however_its_system_is_spelt(tmp_path, system):
    assert only(read(tmp_path, observation("40443-4", system=system)))["channel"] == "resting_hr"


def test_asked_and_declined_is_not_missing(tmp_path):
    made = observation("72514-3")
    del made["valueQuantity"]
    made["dataAbsentReason"] = {"coding": [{"code": "asked-declined"}]}
    assert only(read(tmp_path, made))["status"] == 2
    made["dataAbsentReason"] = {"coding": [{"code": "not-performed"}]}
    assert read(tmp_path, made).summary.skipped == {"pain: without a value": 1}


def test_an_observation_is_known_when_it_was_issued(tmp_path):
    row = only(read(tmp_path, observation("40443-4", issued="2025-03-10T09:00:00Z")))
    assert row["known"].isoformat() == "2025-03-10T09:00:00+00:00"
    assert only(read(tmp_path, observation("40443-4", issued="soon")))["known"] == row["time"]


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
    lines = [json.dumps(observation("40443-4", value=v)) + "\n" for v in (60, 61)]
    path.write_text("".join(lines) + "\n")
    with open_documents(path) as (document,):
        assert read_fhir(document).frame["value"].tolist() == [60, 61]


def test_an_empty_bundle_is_read_and_other_json_is_not(tmp_path):
    assert len(read(tmp_path)) == 0
    for made in ({"a": 1}, [1], "x"):
        with pytest.raises(InputError, match="expected"):
            read(tmp_path, made, as_is=True)


def panel(*components, **more):
    made = observation("85353-1", **more)
    del made["valueQuantity"]
    return {**made, "component": [{k: c[k] for k in ("code", "valueQuantity")} for c in components]}


def test_components_are_observations_of_their_own(tmp_path):
    made = panel(observation("40443-4", 58), observation("9279-1", 14), observation("8480-6", 120))
    timeline = read(tmp_path, made)
    found = dict(zip(timeline.frame["channel"], timeline.frame["value"], strict=True))
    assert found == {"resting_hr": 58, "respiratory_rate": 14}
    assert timeline.summary.unused == {"8480-6": 1} and timeline.summary.cells == 3


def test_bundles_and_observations_inside_others_are_opened(tmp_path):
    bundle = {"resourceType": "Bundle", "entry": [{"resource": observation("40443-4", 58)}]}
    report = {"resourceType": "DiagnosticReport", "contained": [observation("9279-1", 14)]}
    timeline = read(tmp_path, bundle, report)
    assert sorted(timeline.frame["value"]) == [14, 58]
    assert timeline.summary.unused == {"DiagnosticReport": 1} and timeline.summary.cells == 3


VERSIONS = [
    observation("40443-4", 90, id="a"),
    observation("40443-4", 60, id="a", status="corrected"),
    observation("40443-4", 70, id="b", meta={"versionId": "2"}),
    observation("40443-4", 99, id="b", meta={"versionId": "1"}),
    observation("40443-4", 99, id="c"),
    observation("40443-4", 99, id="c", status="entered-in-error"),
    observation("8867-4", 200, id="d"),
    observation("8867-4", 80, id="d", status="amended"),
]


@pytest.mark.parametrize("order", [1, -1])
def test_the_last_version_counts_and_what_was_withdrawn_does_not(tmp_path, order):
    timeline = read(tmp_path, *VERSIONS[::order])
    assert sorted(timeline.frame["value"]) == [60, 70, 80]
    assert timeline.summary.accounted and timeline.summary.cells == len(VERSIONS)


def test_versions_are_found_across_files_in_any_order(tmp_path):
    for number, made in enumerate(VERSIONS):
        (tmp_path / f"{number}.json").write_text(json.dumps(made))
    paths = sorted(tmp_path.iterdir())
    lines = [list(timeline_lines(read_records(p).timeline)) for p in (paths, paths[::-1])]
    assert lines[0] == lines[1] and len(lines[0]) == 4


def test_readings_that_share_a_name_by_mistake_are_all_kept(tmp_path):
    made = [
        observation("40443-4", 60 + hour, id="x", effectiveDateTime=f"2025-03-09T0{hour}:00:00Z")
        for hour in range(3)
    ]
    assert len(read(tmp_path, *made, observation("9279-1", 14, status="amended"))) == 4


def test_heart_rate_is_the_mean_of_an_hour(tmp_path):
    made = [
        observation(value=value, effectiveDateTime=f"2025-03-09T07:{minute}:00+01:00")
        for value, minute in ((60, "05"), (80, "55"))
    ]
    row = only(read(tmp_path, *made))
    assert row["value"] == 70 and row["time"].isoformat() == "2025-03-09T06:00:00+00:00"


def test_times_in_z_take_the_wall_clock_of_the_others_or_are_noted(tmp_path):
    zulu = observation("40443-4", effectiveDateTime="2025-03-09T23:30:00Z")
    day = observation("55423-8", 8000, "{steps}", effectiveDateTime="2025-03-08")
    (note,) = read(tmp_path, zulu, day).summary.notes
    assert "no time zone is known" in note
    timeline = read(tmp_path, zulu, day, observation("9279-1", 14))
    assert set(timeline.frame["offset"]) == {60} and not timeline.summary.notes
    assert timeline.frame["time"][0].isoformat() == "2025-03-07T23:00:00+00:00"
    assert not read(tmp_path, zulu, clock=BERLIN).summary.notes


def test_a_long_line_is_passed_over_and_a_bad_one_is_named(tmp_path):
    path = tmp_path / "observations.ndjson"
    long = json.dumps({"resourceType": "DocumentReference", "data": "A" * 2_200_000})
    lines = [json.dumps(observation("40443-4", 60)), long, json.dumps(observation("40443-4", 61))]
    path.write_text("\n".join(lines))
    timeline = read_records([path]).timeline
    assert timeline.frame["value"].tolist() == [60, 61]
    assert timeline.summary.skipped == {"resources of more than 1 MiB": 1}
    path.write_text(lines[0] + "\n{oops\n")
    with pytest.raises(InputError, match=r"in line 2, in observations\.ndjson"):
        read_records([path])


CODES = {"40443-4": "resting_hr", "9279-1": "respiratory_rate", "80404-7": "sdnn"}
OF_UNITS = {"/min": (("/min", 1), ("Hz", 1 / 60)), "ms": (("ms", 1), ("s", 1e-3))}


@st.composite
def bundles(draw):
    """Observations whose truth is known: (resources, truth, cells)."""
    truth, made, cells = [], [], 0
    for number in range(draw(st.integers(0, 8))):
        code, value = draw(st.sampled_from(sorted(CODES))), draw(st.integers(20, 80))
        unit, factor = draw(st.sampled_from(OF_UNITS["ms" if code == "80404-7" else "/min"]))
        hour = draw(st.integers(0, 23))
        time = f"2025-03-{1 + number:02d}T{hour:02d}:30:00+01:00"
        system = draw(st.sampled_from(("http://loinc.org", None)))
        one = observation(code, value * factor, unit, system, effectiveDateTime=time)
        one["id"] = str(number)
        fate = draw(st.sampled_from(("stands", "corrected", "withdrawn", "panel", "unknown")))
        first = {**one, "valueQuantity": {"value": 30 * factor, "code": unit}}
        if fate == "corrected":
            made += [{**one, "status": "corrected"}, first]
        elif fate == "withdrawn":
            made += [first, {**one, "status": "entered-in-error"}]
        elif fate == "panel":
            made.append(
                panel(one, observation("1-1"), **{k: one[k] for k in ("effectiveDateTime",)})
            )
        elif fate == "unknown":
            made.append({**one, "code": {"coding": [{"code": "1-1"}]}})
        else:
            made.append(one)
        cells += 1 if fate in ("stands", "unknown") else 2
        if fate not in ("withdrawn", "unknown"):
            truth.append((CODES[code], value, number + 1, hour))
    return draw(st.permutations(made)), truth, cells


@settings(
    max_examples=100 * COMPOSITIONS // 2000,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(bundles())
def test_the_truth_comes_out_and_everything_is_accounted_for(tmp_path, made):
    resources, truth, cells = made
    timeline = read(tmp_path, *resources)
    wall = timeline.frame["time"].dt.tz_convert("+01:00")
    found = zip(
        timeline.frame["channel"],
        timeline.frame["value"].round(6),
        wall.dt.day,
        wall.dt.hour,
        strict=True,
    )
    assert sorted(found) == sorted(truth)
    assert timeline.summary.accounted and timeline.summary.cells == cells
