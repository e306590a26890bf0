"""Apple Health: each record type, its units, and what is skipped with a reason."""

import re
import zipfile
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aline_tf.errors import InputError
from aline_tf.migraine.records.days import day_history
from aline_tf.migraine.records.importers import read_apple_health
from aline_tf.migraine.records.importers.apple_dates import RecordDates

Q, C = "HKQuantityTypeIdentifier", "HKCategoryTypeIdentifier"
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE HealthData [\n]>\n<HealthData locale="x">\n'
)


def record(kind, value, start="2025-03-09 10:00:00 +0100", end=None, created=None, **more):
    attributes = {
        "type": kind,
        "sourceName": more.pop("source", "Ada\u2019s Apple Watch"),
        "creationDate": created or end or start,
        "startDate": start,
        "endDate": end or start,
        "value": value,
    }
    metadata = more.pop("metadata", "")
    attributes.update(more)
    text = " ".join(f'{name}="{text}"' for name, text in attributes.items())
    return f"<Record {text}>{metadata}</Record>\n"


def export(tmp_path, *records, name="apple_health_export/export.xml", others=None):
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for other, text in (others or {}).items():
            out.writestr(other, text)
        out.writestr(name, HEAD + "".join(records) + "</HealthData>\n")
    return path


def read(tmp_path, *records):
    return read_apple_health(export(tmp_path, *records))


def rows(timeline, channel):
    frame = timeline.frame
    return frame[frame["channel"] == channel].reset_index(drop=True)


@pytest.mark.parametrize(
    ("kind", "unit", "value", "channel", "expected"),
    [
        ("HeartRateVariabilitySDNN", "ms", "51.5", "sdnn", 51.5),
        ("HeartRateVariabilitySDNN", "s", "0.0515", "sdnn", 51.5),
        ("RestingHeartRate", "count/min", "58", "resting_hr", 58),
        ("RestingHeartRate", "bpm", "58", "resting_hr", 58),
        ("HeartRate", "count/s", "1.2", "heart_rate", 72),
        ("StepCount", "count", "812", "steps", 812),
        ("AppleSleepingWristTemperature", "degC", "36.1", "wrist_temperature", 36.1),
        ("AppleSleepingWristTemperature", "degF", "95.0", "wrist_temperature", 35.0),
        ("AppleSleepingWristTemperature", "K", "309.15", "wrist_temperature", 36.0),
        ("HeartRateVariabilityRMSSD", "ms", "41", "rmssd", 41),
    ],
)
def test_quantities_come_in_the_unit_of_their_channel(
    tmp_path, kind, unit, value, channel, expected
):
    found = rows(read(tmp_path, record(Q + kind, value, unit=unit)), channel)
    assert found["value"].tolist() == [pytest.approx(expected)]
    assert found["offset"].tolist() == [60]


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (record(Q + "RestingHeartRate", "70", unit="kg"), "unit kg instead of bpm"),
        (record(Q + "RestingHeartRate", "70"), r"unit \(none\)"),
        (record(Q + "HeartRate", "fast", unit="bpm"), "heart_rate: not a number"),
        (record(Q + "HeartRate", "nan", unit="bpm"), "heart_rate: a value out of range"),
        (record(Q + "StepCount", "1e300", unit="count"), "steps: a value out of range"),
        (record(Q + "StepCount", "5", "yesterday", unit="count"), "steps: an invalid date"),
        (record(Q + "StepCount", "5", "2025-13-09 10:00:00 +0100", unit="count"), "invalid date"),
        (record(Q + "StepCount", "5", "2025-03-09 10:00:00", unit="count"), "invalid date"),
        (
            record(
                Q + "StepCount",
                "5",
                "2025-03-09 10:00:00 +0100",
                "2025-03-09 09:00:00 +0100",
                unit="count",
            ),
            "ends before it starts",
        ),
        (record(C + "SleepAnalysis", "HKCategoryValueSleepAnalysisDozing"), "unknown stage"),
        (record(C + "Headache", "HKCategoryValueSeverityUnspecified"), "severity not given"),
        (record(C + "MenstrualFlow", "lots"), "menstrual_flow: an unknown value"),
    ],
)
def test_records_that_cannot_be_used_are_counted_with_the_reason(tmp_path, made, reason):
    good = record(Q + "RestingHeartRate", "60", unit="count/min")
    timeline = read(tmp_path, good, made)
    assert len(timeline) == 1
    (counted,) = timeline.summary.skipped.items()
    assert counted[1] == 1
    assert re.search(reason, counted[0])
    assert timeline.summary.cells == 2 and timeline.summary.accounted


def test_types_that_are_not_used_are_named(tmp_path):
    made = [record(Q + "BodyMass", "70", unit="kg"), record(C + "Acne", "x"), "<Workout/>\n"]
    made += [record(Q + "BodyMass", "71", unit="kg"), record(Q + "StepCount", "9", unit="count")]
    summary = read(tmp_path, *made).summary
    assert summary.unused == {"BodyMass": 2, "Acne": 1, "Workout": 1}
    assert summary.cells == 5 and summary.accounted


def test_a_value_that_is_left_out_is_shown_once(tmp_path):
    made = [record(Q + "HeartRate", value, unit="bpm") for value in ("fast", "slow")]
    assert read(tmp_path, *made).summary.examples == {"heart_rate: not a number": "fast"}


def test_heart_rate_is_the_mean_of_an_hour(tmp_path):
    made = [
        record(Q + "HeartRate", value, f"2025-03-09 10:{minute}:00 +0100", unit="count/min")
        for value, minute in (("60", "05"), ("80", "55"))
    ]
    found = rows(read(tmp_path, *made), "heart_rate")
    assert found["value"].tolist() == [70.0]
    assert found["time"][0].isoformat() == "2025-03-09T09:00:00+00:00"


def test_steps_are_shared_between_the_hours_they_span(tmp_path):
    span = ("2025-03-09 10:45:00 +0100", "2025-03-09 11:15:00 +0100")
    found = rows(read(tmp_path, record(Q + "StepCount", "600", *span, unit="count")), "steps")
    assert found["value"].tolist() == [300.0, 300.0]


def test_devices_are_numbered_and_their_names_dropped(tmp_path):
    made = [
        record(Q + "StepCount", "10", unit="count", source=name)
        for name in ("Ada\u2019s Apple Watch", "Ada\u2019s iPhone", "Pedometer", "Old Watch")
    ]
    sources = set(read(tmp_path, *made).frame["source"])
    assert sources == {
        f"apple_health/{kind}" for kind in ("watch-1", "watch-2", "phone-1", "other-1")
    }


def test_sleep_stages_and_their_clocks(tmp_path):
    span = ("2025-03-29 23:00:00 +0100", "2025-03-30 07:00:00 +0200")
    value = "HKCategoryValueSleepAnalysis"
    stages = ("InBed", "Asleep", "AsleepUnspecified", "AsleepCore", "AsleepDeep", "AsleepREM")
    made = [record(C + "SleepAnalysis", value + stage, *span) for stage in (*stages, "Awake")]
    timeline = read(tmp_path, *made)
    # What names no stage counts where no stage was measured.
    assert timeline.summary.read == {"in_bed": 1, "asleep": 3, "awake": 1}
    assert timeline.summary.skipped == {"sleep: beside a finer record of the same time": 2}
    first = timeline.frame.iloc[0]
    assert (first["offset"], first["end_offset"]) == (60, 120)
    assert (first["end"] - first["time"]).total_seconds() == 7 * 3600


@pytest.mark.parametrize(
    "prefix", ["HKCategoryValueMenstrualFlow", "HKCategoryValueVaginalBleeding"]
)
def test_menstruation_and_the_start_of_a_cycle(tmp_path, prefix):
    mark = '<MetadataEntry key="HKMenstrualCycleStart" value="1"/>'
    timeline = read(
        tmp_path,
        record(C + "MenstrualFlow", prefix + "Heavy", metadata=mark),
        record(C + "MenstrualFlow", prefix + "None", "2025-03-20 10:00:00 +0100", metadata=mark),
    )
    assert rows(timeline, "menstrual_flow")["value"].tolist() == [1.0, 0.0]
    assert rows(timeline, "cycle_start")["value"].tolist() == [1.0]


def test_headaches_become_pain_and_never_an_attack(tmp_path):
    made = [
        record(C + "Headache", "HKCategoryValueSeverity" + severity)
        for severity in ("NotPresent", "Mild", "Moderate", "Severe")
    ]
    timeline = read(tmp_path, *made)
    assert sorted(rows(timeline, "pain")["value"]) == [0.0, 2.0, 5.0, 8.0]
    assert not len(rows(timeline, "attack"))


def test_a_headache_is_pain_as_long_as_it_lasted(tmp_path):
    day, night = "2025-03-09 {}:00:00 +0100", "2025-03-11 {}:00:00 +0100"
    made = [
        record(C + "Headache", "HKCategoryValueSeveritySevere", day.format(20), night.format("07")),
        record(C + "Headache", "HKCategoryValueSeverityMild", day.format(21), day.format(23)),
    ]
    timeline = read(tmp_path, *made)
    history = day_history(timeline, datetime(2025, 3, 11, 20), 3)
    pains = [history.column(f"pain_{slot}").tolist() for slot in range(4)]
    assert np.array_equal(
        np.transpose(pains),
        [[np.nan, np.nan, np.nan, 8], [8, 8, 8, 8], [8, 8, np.nan, np.nan]],
        equal_nan=True,
    )


def test_a_record_is_known_when_it_was_written_down(tmp_path):
    late = "2025-03-12 08:00:00 +0100"
    made = record(Q + "RestingHeartRate", "60", created=late, unit="bpm")
    assert read(tmp_path, made).frame["known"][0].isoformat() == "2025-03-12T07:00:00+00:00"


@pytest.mark.parametrize(
    "name",
    ["apple_health_export/export.xml", "export.xml", "apple_health_export/Exportaci\u00f3n.xml"],
)
def test_the_export_is_found_under_localised_names(tmp_path, name):
    decoy = {"apple_health_export/export_cda.xml": "<ClinicalDocument/>", "a/b/c.xml": "<x/>"}
    path = export(tmp_path, record(Q + "StepCount", "5", unit="count"), name=name, others=decoy)
    assert len(read_apple_health(path)) == 1


def test_an_xml_outside_its_archive_is_read_too(tmp_path):
    path = tmp_path / "export.xml"
    path.write_text(HEAD + record(Q + "StepCount", "5", unit="count") + "</HealthData>")
    assert len(read_apple_health(path)) == 1


def test_an_archive_without_an_export_is_refused(tmp_path):
    path = export(tmp_path, name="apple_health_export/export_cda.xml", others={"a.gpx": "<gpx/>"})
    with pytest.raises(InputError, match=r"expected apple_health_export/export\.xml.*received 2"):
        read_apple_health(path)


def test_a_truncated_archive_is_refused(tmp_path):
    path = export(tmp_path, record(Q + "StepCount", "5", unit="count"))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match="complete zip archive"):
        read_apple_health(path)


def test_entities_are_refused(tmp_path):
    path = tmp_path / "export.zip"
    bomb = HEAD.replace("[\n]", '[<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]') + "</HealthData>"
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("apple_health_export/export.xml", bomb)
    with pytest.raises(InputError, match="ENTITY"):
        read_apple_health(path)


@given(
    st.datetimes(
        min_value=datetime(1990, 1, 2),
        max_value=datetime(2199, 1, 1),
    ),
    st.integers(-14 * 60, 14 * 60),
)
def test_dates_are_read_as_the_standard_library_reads_them(moment, minutes):
    local = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    read = RecordDates().read(local.strftime("%Y-%m-%d %H:%M:%S %z"))
    assert read == (int(local.timestamp()), minutes)


@given(st.text(max_size=30))
def test_any_text_is_a_date_or_a_value_error(text):
    for candidate in (text, "2025-01-01 10:00:00 +0100"[: len(text)] + text):
        try:
            seconds, offset = RecordDates().read(candidate)
        except ValueError:
            continue
        assert abs(offset) <= 16 * 60 and seconds > 0


def zoned(name):
    return f'<MetadataEntry key="HKTimeZone" value="{name}"/>'


def sleep(start, end, zone):
    value = "HKCategoryValueSleepAnalysisAsleepCore"
    return record(C + "SleepAnalysis", value, start, end, metadata=zoned(zone))


def test_a_record_that_names_its_time_zone_is_on_that_wall_clock(tmp_path):
    """The export was made in Berlin; the night was slept in New York."""
    night = sleep("2025-04-08 05:00:00 +0200", "2025-04-08 12:00:00 +0200", "America/New_York")
    (row,) = rows(read(tmp_path, night), "asleep").to_dict("records")
    assert row["time"].isoformat() == "2025-04-08T03:00:00+00:00"
    assert (row["offset"], row["end_offset"]) == (-240, -240)


def test_readings_around_a_night_abroad_are_abroad_too(tmp_path):
    night = sleep("2025-04-08 05:00:00 +0200", "2025-04-08 12:00:00 +0200", "America/New_York")
    home = sleep("2025-04-14 23:00:00 +0200", "2025-04-15 06:00:00 +0200", "Europe/Berlin")
    steps = [
        record(Q + "StepCount", "7", f"2025-04-{day} 20:30:00 +0200", unit="count")
        for day in ("07", "08", "11", "15")
    ]
    rate = record(Q + "RestingHeartRate", "60", "2025-04-08 13:00:00 +0200", unit="bpm")
    found = read(tmp_path, *steps, night, home, rate)
    # 36 hours around a night; on the 11th nothing says that the person is not at home.
    assert rows(found, "steps")["offset"].tolist() == [-240, -240, 120, 120]
    assert rows(found, "steps")["time"].dt.hour.tolist() == [18] * 4
    assert rows(found, "resting_hr")["offset"].tolist() == [-240]


def test_the_zone_of_a_record_knows_when_the_clocks_change(tmp_path):
    """Exported in summer time of another zone; slept through the change in Berlin."""
    night = sleep("2025-03-29 18:00:00 -0400", "2025-03-30 02:00:00 -0400", "Europe/Berlin")
    (row,) = rows(read(tmp_path, night), "asleep").to_dict("records")
    assert (row["offset"], row["end_offset"]) == (60, 120)


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "", "GMT+25"])
def test_an_unknown_zone_leaves_what_is_written(tmp_path, name):
    night = sleep("2025-04-08 05:00:00 +0200", "2025-04-08 12:00:00 +0200", name)
    assert rows(read(tmp_path, night), "asleep")["offset"].tolist() == [120]


def test_breathing_is_read(tmp_path):
    made = record(Q + "RespiratoryRate", "14.5", unit="count/min")
    assert rows(read(tmp_path, made), "respiratory_rate")["value"].tolist() == [14.5]
