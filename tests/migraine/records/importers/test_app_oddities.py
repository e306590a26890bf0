"""Odd files of apps that were read wrong without a word once: each is read right, or said."""

import json
import sqlite3
from contextlib import closing
from datetime import datetime

import pytest

from aline_tf.errors import InputError
from aline_tf.migraine.records.days import day_history
from aline_tf.migraine.records.importers import read_records
from tests.migraine.records.importers.app_files import GARMIN_SLEEP, ZONE

NIGHT = GARMIN_SLEEP[0]
BEARABLE = "date,date formatted,weekday,time of day,category,rating/amount,detail,notes\n"
TRENDS = "date,Total Sleep Duration,Sleep Efficiency,Average HRV,Lowest Resting Heart Rate\n"


def imported(folder, **files):
    for name, content in files.items():
        path = folder / name.replace("__", "-").replace("_dot_", ".")
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_records([folder], zone=ZONE)


def values(records, channel):
    frame = records.timeline.frame
    return frame["value"][frame["channel"] == channel].tolist()


def test_a_nap_is_no_night(tmp_path):
    nap = NIGHT | {
        "sleepStartTimestampGMT": "2025-03-03T12:00:00.0",
        "sleepEndTimestampGMT": "2025-03-03T13:00:00.0",
        "deepSleepSeconds": 0,
        "lightSleepSeconds": 3000,
        "remSleepSeconds": 0,
    }
    records = imported(tmp_path, a_sleepData_dot_json=[NIGHT, nap])
    assert values(records, "sleep_hours") == [7.5]
    assert len(values(records, "sleep_efficiency")) == 1
    assert any("set aside: 1" in note for note in records.timeline.summary.notes)


def test_a_night_that_is_stated_again_is_corrected(tmp_path):
    again = NIGHT | {"remSleepSeconds": 3600}
    assert values(imported(tmp_path, a_sleepData_dot_json=[NIGHT, again]), "sleep_hours") == [7.0]


def test_nobody_sleeps_longer_than_in_bed(tmp_path):
    with pytest.raises(InputError, match="1 sleep_hours: longer asleep than in bed"):
        imported(tmp_path, a_sleepData_dot_json=[NIGHT | {"lightSleepSeconds": 60_000}])


def test_trends_in_other_units_are_not_nights_of_seconds(tmp_path):
    rows = "2025-03-03,7.5,0.9,41,52\n2025-03-04,8,0.8,41,52\n"
    records = imported(tmp_path, oura_dot_csv=TRENDS + rows)
    assert not values(records, "sleep_hours") and not values(records, "sleep_efficiency")
    assert records.parts[0].summary.skipped == {
        "sleep_hours: another unit than s": 2,
        "sleep_efficiency: another unit than %": 2,
    }


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (
            "x,2025-03-03,Monday,am,Symptom,7,Migraine,\nx,2025-03-04,x,am,Symptom,3,Migraine,",
            "scale",
        ),
        ("x,2025-03-03,Monday,am,Symptom,3,No migraine (Severe),", "no use"),
    ],
)
def test_symptoms_of_another_scale_or_with_a_no_are_no_attacks(tmp_path, rows, reason):
    with pytest.raises(InputError, match=reason):
        imported(tmp_path, b_dot_csv=f"{BEARABLE}{rows}\n")


def test_minutes_that_two_files_have_count_once(tmp_path):
    def steps(*counts):
        dated = enumerate(counts)
        return [{"dateTime": f"03/01/25 10:{n:02d}:00", "value": str(count)} for n, count in dated]

    files = {"steps__2025__03__01_dot_json": steps(100, 50)}
    files["steps__2025__03__02_dot_json"] = steps(100, 50, 25)
    records = imported(tmp_path, **files)
    assert values(records, "steps") == [175]
    assert records.parts[0].summary.skipped == {"steps: in another file again": 2}
    assert records.parts[0].summary.accounted


def test_the_first_hour_of_a_day_is_no_whole_day(tmp_path):
    hours = [{"date": f"2025-03-03 {hour:02d}:00:00 +0100", "qty": 100} for hour in range(24)]
    twice = [*hours, hours[9]]
    metric = {"name": "step_count", "units": "count", "data": twice}
    records = imported(tmp_path, h_dot_json={"data": {"metrics": [metric]}})
    frame = records.timeline.frame
    assert set((frame["end"] - frame["time"]).dt.total_seconds()) == {3600.0}
    assert sum(values(records, "steps")) == 2400
    assert records.parts[0].summary.skipped == {"steps: the same record again": 1}


def test_observations_of_two_patients_are_told(tmp_path):
    def pulse(patient, value):
        return {
            "resource": {
                "resourceType": "Observation",
                "status": "final",
                "subject": {"reference": f"Patient/{patient}"},
                "code": {"coding": [{"system": "http://loinc.org", "code": "40443-4"}]},
                "effectiveDateTime": "2025-03-03T08:00:00+01:00",
                "valueQuantity": {"value": value, "code": "/min"},
            }
        }

    bundle = {"resourceType": "Bundle", "entry": [pulse("a", 60), pulse("a", 61)]}
    notes = imported(tmp_path, f_dot_json=bundle).timeline.summary.notes
    assert not any("several patients" in note for note in notes)
    bundle["entry"].append(pulse("b", 90))
    notes = imported(tmp_path, f_dot_json=bundle).timeline.summary.notes
    assert any("of several patients" in note for note in notes)


def test_readings_that_two_newer_files_have_count_once(tmp_path):
    head = "timestamp,steps,data source\n"
    first = "2025-03-01T10:00:00Z,12,Charge\n2025-03-01T10:01:00Z,7,Charge\n"
    files = {"steps_2025__03__01_dot_csv": head + first}
    files["steps_2025__03__02_dot_csv"] = head + first + "2025-03-01T10:02:00Z,5,Charge\n"
    records = imported(tmp_path, **files)
    assert values(records, "steps") == [24]
    assert records.parts[0].summary.skipped == {"steps: in another file again": 2}


def health_connect(folder, *statements):
    with closing(sqlite3.connect(folder / "health_connect_export.db")) as base:
        base.executescript(
            "CREATE TABLE sleep_session_record_table"
            "(row_id, app_info_id, start_time, start_zone_offset, end_time, end_zone_offset);"
            "CREATE TABLE sleep_stages_table"
            "(parent_key, stage_start_time, stage_end_time, stage_type);"
            "CREATE TABLE resting_heart_rate_record_table"
            "(row_id, app_info_id, time, zone_offset, beats_per_minute);" + ";".join(statements)
        )
        base.commit()
    return folder / "health_connect_export.db"


MIDNIGHT = 1_740_956_400_000  # of the third of March 2025 in Berlin
HOUR = 3_600_000


def test_a_second_app_beside_stages_is_accounted_for(tmp_path):
    at = MIDNIGHT
    path = health_connect(
        tmp_path,
        f"INSERT INTO sleep_session_record_table VALUES (1, 1, {at}, 3600, {at + 7 * HOUR}, 3600),"
        f" (2, 2, {at - HOUR}, 3600, {at + 8 * HOUR}, 3600)",
        f"INSERT INTO sleep_stages_table VALUES (1, {at}, {at + 3 * HOUR}, 4),"
        f" (1, {at + 3 * HOUR}, {at + 4 * HOUR}, 1), (1, {at + 4 * HOUR}, {at + 7 * HOUR}, 5)",
    )
    records = read_records([path])
    assert len(values(records, "asleep")) == 2
    assert records.parts[0].summary.accounted
    assert any("finer ones of the same time" in n for n in records.timeline.summary.notes)


def test_an_offset_of_no_clock_is_refused(tmp_path):
    path = health_connect(
        tmp_path,
        f"INSERT INTO resting_heart_rate_record_table VALUES (1, 1, {MIDNIGHT}, 3600000, 60)",
    )
    with pytest.raises(InputError, match="an invalid offset from UTC, such as '60000 min'"):
        read_records([path])


BUDDY = '"#","Started","Lasted","Start UTC Offset (min)","Pain Level"\n'
TWO = '"1","16/11/24 13:12","01h 00m","60","5"\n"2","03/12/24 13:12","01h 00m","60","5"\n'


@pytest.mark.parametrize("separator", ",;\t")
def test_attacks_whose_dates_are_day_first_or_separated_otherwise(tmp_path, separator):
    records = imported(tmp_path, m_dot_csv=(BUDDY + TWO).replace(",", separator))
    frame = records.timeline.frame
    assert frame["time"][frame["channel"] == "attack"].dt.strftime("%m-%d").tolist() == [
        "11-16",
        "12-03",
    ]
    assert any("read day-first" in note for note in records.timeline.summary.notes)


def test_of_two_attacks_in_one_slot_the_worst_pain_counts(tmp_path):
    head = BUDDY.replace("\n", ',"Medication"\n')
    rows = (
        '"1","11/16/24 13:12","01h 00m","60","8","Sumatriptan"\n'
        '"2","11/16/24 15:12","01h 00m","60","3","No medication"\n'
        '"3","11/16/24 16:30","00h 30m","60","9","No medication"\n'
    )
    timeline = imported(tmp_path, m_dot_csv=head + rows).timeline
    for hour, pain in ((15, 8.0), (17, 9.0)):
        history = day_history(timeline, datetime(2024, 11, 16, hour, 30), 1)
        assert history.column("pain_2").tolist() == [pain]
        assert history.column("medication_2").tolist() == [1.0]


def test_of_two_symptoms_at_one_time_of_day_the_worst_counts(tmp_path):
    rows = ["Migraine (Severe)", "Headache (Mild)", "Headache (Moderate)"]
    text = "date formatted,time of day,category,rating/amount,detail\n" + "".join(
        f"2025-03-03,am,Symptom,,{row}\n" for row in rows
    )
    timeline = imported(tmp_path, b_dot_csv=text).timeline
    history = day_history(timeline, datetime(2025, 3, 3, 20), 1)
    assert history.column("pain_1").tolist() == [8.0]
    # Mild and moderate are two answers for one place, mild and severe are not.
    assert [note for note in timeline.summary.notes if note.endswith("taken: 1")]


def test_nights_of_hardly_any_sleep_are_of_another_unit(tmp_path):
    minutes = NIGHT | {"deepSleepSeconds": 90, "lightSleepSeconds": 270, "remSleepSeconds": 90}
    records = imported(tmp_path, a_sleepData_dot_json=[minutes, GARMIN_SLEEP[0] | {"x": 1}])
    assert values(records, "sleep_hours") == [7.5]
    assert records.parts[0].summary.skipped == {"sleep_hours: hardly any of the time in bed": 1}


def test_a_trend_of_minutes_is_no_night_of_seconds(tmp_path):
    rows = "2025-03-03,450,90,41,52\n2025-03-04,27000,90,41,52\n"
    records = imported(tmp_path, oura_dot_csv=TRENDS + rows)
    assert values(records, "sleep_hours") == [7.5]
    assert records.parts[0].summary.skipped == {"sleep_hours: another unit than s": 1}


@pytest.mark.parametrize(("asleep", "read"), [(6.5, 1), (9.5, 0), (0.1, 0)])
def test_a_night_of_health_auto_export_fits_into_the_bed(tmp_path, asleep, read):
    night = {
        "date": "2025-03-03",
        "totalSleep": asleep,
        "sleepStart": "2025-03-02 23:00:00 +0100",
        "sleepEnd": "2025-03-03 06:00:00 +0100",
    }
    metrics = [
        {"name": "sleep_analysis", "units": "hr", "data": [night]},
        {
            "name": "resting_heart_rate",
            "units": "bpm",
            "data": [{"date": "2025-03-03 00:00:00 +0100", "qty": 58}],
        },
    ]
    symptom = {"name": "No headache", "severity": "Mild", "start": "2025-03-03 15:00:00 +0100"}
    content = {"data": {"metrics": metrics, "symptoms": [symptom]}}
    records = imported(tmp_path, h_dot_json=content)
    assert len(values(records, "sleep_hours")) == read and not values(records, "pain")
    assert records.parts[0].summary.accounted


def test_a_night_of_fhir_fits_into_its_period(tmp_path):
    def night(day, value, unit):
        return {
            "resource": {
                "resourceType": "Observation",
                "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": "93832-4"}]},
                "effectivePeriod": {
                    "start": f"2025-03-{day:02d}T23:00:00+01:00",
                    "end": f"2025-03-{day + 1:02d}T07:00:00+01:00",
                },
                "valueQuantity": {"value": value, "code": unit},
            }
        }

    bundle = {
        "resourceType": "Bundle",
        "entry": [night(3, 9.5, "h"), night(4, 7, "min"), night(5, 420, "min")],
    }
    records = imported(tmp_path, f_dot_json=bundle)
    assert values(records, "sleep_hours") == [7.0]
    assert len(records.parts[0].summary.skipped) == 2


def test_a_nap_of_the_fitbit_api_is_no_night(tmp_path):
    nap = {
        "startTime": "2025-03-04T13:00:00.000",
        "endTime": "2025-03-04T14:00:00.000",
        "dateOfSleep": "2025-03-04",
        "duration": 3_600_000,
        "minutesAsleep": 50,
        "timeInBed": 60,
        "isMainSleep": False,
    }
    night = nap | {"startTime": "2025-03-04T00:00:00.000", "isMainSleep": True}
    night |= {"duration": 28_800_000, "minutesAsleep": 420, "timeInBed": 480}
    empty = night | {"startTime": "2025-03-05T00:00:00.000", "minutesAsleep": 0}
    records = imported(tmp_path, s_dot_json={"sleep": [nap, night, empty]})
    assert values(records, "sleep_hours") == [7.0]
    assert records.parts[0].summary.skipped == {"sleep: hardly any of the time in bed": 1}


def test_a_stage_outside_of_its_sleep_and_steps_of_no_walk_are_refused(tmp_path):
    at = MIDNIGHT
    path = health_connect(
        tmp_path,
        "CREATE TABLE steps_record_table"
        "(row_id, app_info_id, start_time, start_zone_offset, end_time, end_zone_offset, count)",
        f"INSERT INTO sleep_session_record_table VALUES (1, 1, {at}, 3600, {at + 7 * HOUR}, 3600)",
        f"INSERT INTO sleep_stages_table VALUES (1, {at - HOUR}, {at + 9 * HOUR}, 4)",
        f"INSERT INTO steps_record_table VALUES (1, 1, {at}, 3600, {at + HOUR}, 3600, 90000),"
        f" (2, 1, {at + 10 * HOUR}, 3600, {at + 11 * HOUR}, 3600, 9000)",
    )
    records = read_records([path])
    frame = records.timeline.frame
    asleep = frame[frame["channel"] == "asleep"]
    assert (asleep["end"] - asleep["time"]).dt.total_seconds().tolist() == [7 * 3600.0]
    assert values(records, "steps") == [9000.0]
    assert records.parts[0].summary.skipped == {
        "sleep: a stage outside of its sleep": 1,
        "steps: more than anybody walks in that time": 1,
    }


DAYLIO = "full_date,date,weekday,time,mood,activities,note_title,note\n"


@pytest.mark.parametrize(
    ("activity", "attack"),
    [
        ("migraine (mild)", [1.0]),
        ("severe migraine", [1.0]),
        ("no migraine", [0.0]),
        ("walk", [0.0]),
        ("migraine diary", []),
        ("migraine free", []),
        ("walk | migraine? | migraine", [1.0]),
    ],
)
def test_a_migraine_of_daylio_with_more_words(tmp_path, activity, attack):
    first = "2025-03-03,March 3,Monday,21:00,meh,migraine,,\n"
    row = f"2025-03-04,March 4,Tuesday,21:00,meh,{activity},,\n"
    records = imported(tmp_path, d_dot_csv=DAYLIO + first + row)
    assert values(records, "attack_report")[1:] == attack
    assert records.parts[0].summary.accounted


def test_medicines_of_apps_that_may_not_have_been_taken_are_counted(tmp_path):
    rows = (
        "x,2025-03-03,x,am,Medication,0,Sumatriptan,\nx,2025-03-04,x,am,Medication,2,Sumatriptan,\n"
        "x,2025-03-05,x,am,Medication,1,Sumatriptan 50mg (skipped),\n"
        "x,2025-03-06,x,am,Symptom,2.5,Migraine,\n"
    )
    records = imported(tmp_path, b_dot_csv=BEARABLE + rows)
    assert values(records, "medication") == [0.0, 1.0] and not values(records, "pain")
    assert records.parts[0].summary.skipped == {
        "medication: it may not have been taken": 1,
        "symptom: a rating that is none of 0 to 4": 1,
    }
    head = BUDDY.replace("\n", ',"Medication"\n')
    taken = ("Sumatriptan", "No medication", "didn\u2019t take aspirin", "Skipped sumatriptan")
    rows = "".join(
        f'"{day}","11/{day}/24 13:12","01h 00m","60","8","{text}"\n'
        for day, text in enumerate(taken, 15)
    )
    (tmp_path / "m").mkdir()
    records = imported(tmp_path / "m", m_dot_csv=head + rows)
    assert values(records, "medication") == [1.0, 0.0, 0.0]
    assert records.parts[0].summary.skipped == {"Medication: it may not have been taken": 1}
