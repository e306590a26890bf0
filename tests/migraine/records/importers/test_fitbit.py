"""Fitbit: each file, the three ways it writes time, and what repeats between old and new files."""

import json
import shutil
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers import read_records
from aline_tf.migraine.records.importers.documents import open_documents
from aline_tf.migraine.records.importers.fitbit import read_fitbit
from aline_tf.migraine.records.importers.fitbit_files import fitbit_family
from aline_tf.migraine.records.wall_clock import WallClock

EXAMPLES = Path(__file__).resolve().parents[4] / "examples"
BERLIN = WallClock(ZoneInfo("Europe/Berlin"))
SLEEPS = (
    "sleep_id,sleep_type,minutes_in_sleep_period,minutes_asleep,start_utc_offset,sleep_start,"
    "end_utc_offset,sleep_end\n"
)


def read(tmp_path, clock=BERLIN, **files):
    """Keyword names stand for file names: the key of `NAMES`."""
    for name, content in files.items():
        path = tmp_path / "Takeout" / "Fitbit" / NAMES[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    with open_documents(tmp_path) as documents:
        return read_fitbit(documents, clock)


NAMES = {
    "sleep": "sleep-2025-03-01.json",
    "sleep2": "sleep-2025-04-01.json",
    "heart": "heart_rate-2025-03-09.json",
    "heart_csv": "heart_rate_2025-03-09.csv",
    "steps": "steps-2025-03-01.json",
    "steps_csv": "steps_2025-03-01.csv",
    "resting": "resting_heart_rate-2025-03-01.json",
    "resting_csv": "daily_resting_heart_rate.csv",
    "hrv": "Daily Heart Rate Variability Summary - 2025-03-(09).csv",
    "hrv_csv": "daily_heart_rate_variability.csv",
    "temperature": "Computed Temperature - 2025-03-01.csv",
    "sleeps": "UserSleeps_2025-03-01.csv",
    "stages": "UserSleepStages_2025-03-01.csv",
    "cycles": "menstrual_health_cycles.csv",
    "profile": "Profile.csv",
}


def log(start, stages, end=None, short=(), log_id=1, **more):
    """A sleep log of stages (level, minutes), one after the other on the wall clock."""
    moment = seconds = 0
    data = []
    for level, minutes in stages:
        data.append({"dateTime": wall(start, moment), "level": level, "seconds": 60 * minutes})
        moment += 60 * minutes
        seconds += 60 * minutes
    asleep = sum(m for level, m in stages if level not in ("wake", "awake", "restless"))
    return {
        "logId": log_id,
        "startTime": start + ".000",
        "endTime": (end or wall(start, seconds)[:19]) + ".000",
        "duration": 1000 * seconds,
        "minutesAsleep": asleep - sum(s["seconds"] // 60 for s in short),
        "timeInBed": seconds // 60,
        "mainSleep": True,
        "levels": {"data": data, "shortData": list(short)},
        **more,
    }


def wall(start, seconds):
    return (datetime.fromisoformat(start) + timedelta(seconds=seconds)).isoformat() + ".000"


def rows(timeline, channel):
    frame = timeline.frame
    return frame[frame["channel"] == channel].reset_index(drop=True)


def hours(timeline, channel):
    found = rows(timeline, channel)
    return float((found["end"] - found["time"]).dt.total_seconds().sum()) / 3600


NIGHT = log("2025-03-08T23:00:00", [("wake", 10), ("light", 200), ("deep", 100), ("rem", 50)])


def test_a_night_is_intervals_in_wall_time(tmp_path):
    timeline = read(tmp_path, sleep=[NIGHT])
    (bed,) = rows(timeline, "in_bed").to_dict("records")
    assert bed["time"].isoformat() == "2025-03-08T22:00:00+00:00" and bed["offset"] == 60
    assert hours(timeline, "in_bed") == 6.0
    assert hours(timeline, "asleep") == pytest.approx(350 / 60)
    assert hours(timeline, "awake") == pytest.approx(10 / 60)
    assert set(timeline.frame["known"]) == {bed["end"]}


def test_short_wakings_are_taken_out_of_sleep(tmp_path):
    short = [{"dateTime": "2025-03-09T01:00:00.000", "level": "wake", "seconds": 120}]
    made = log("2025-03-08T23:00:00", [("light", 300)], short=short)
    timeline = read(tmp_path, sleep=[made])
    assert hours(timeline, "asleep") == pytest.approx(made["minutesAsleep"] / 60)
    assert len(rows(timeline, "asleep")) == 2 and hours(timeline, "awake") == pytest.approx(2 / 60)


@pytest.mark.parametrize(
    ("start", "end", "offsets"),
    [
        ("2025-03-29T23:00:00", "2025-03-30T08:00:00", (60, 120)),
        ("2025-10-25T23:00:00", "2025-10-26T06:00:00", (120, 60)),
    ],
)
def test_a_night_on_which_the_clocks_change_is_as_long_as_it_was(tmp_path, start, end, offsets):
    """Eight hours pass; the wall clock shows nine in spring and seven in autumn."""
    made = log(start, [("light", 240), ("wake", 30), ("deep", 210)], end=end)
    # Stages after the change carry the wall time of after the change.
    shift = 3600 if offsets[0] == 60 else -3600
    for entry in made["levels"]["data"][1:]:
        entry["dateTime"] = wall(entry["dateTime"][:19], shift)
    timeline = read(tmp_path, sleep=[made])
    (bed,) = rows(timeline, "in_bed").to_dict("records")
    assert (bed["offset"], bed["end_offset"]) == offsets
    assert hours(timeline, "in_bed") == 8.0
    assert hours(timeline, "asleep") == 7.5 and hours(timeline, "awake") == 0.5


def test_a_night_in_two_files_counts_once(tmp_path):
    timeline = read(tmp_path, sleep=[NIGHT], sleep2=[NIGHT])
    assert hours(timeline, "in_bed") == 6.0
    assert timeline.summary.skipped == {"sleep: the same log again": 1}


def test_a_night_without_stages_still_has_its_hours(tmp_path):
    made = {**NIGHT, "levels": {}}
    timeline = read(tmp_path, sleep=[made, {**made, "logId": 2, "mainSleep": False}])
    assert rows(timeline, "sleep_hours")["value"].tolist() == [pytest.approx(350 / 60)]
    assert rows(timeline, "sleep_efficiency")["value"].tolist() == [pytest.approx(350 / 360)]


def test_offsets_of_usersleeps_beat_the_zone_one_lives_in(tmp_path):
    """A night in New York: sleep in wall time, a pulse in UTC, both on New York's clock."""
    table = (
        SLEEPS
        + "9,STAGES,360,350,-04:00,2025-04-09 03:00:00+0000,-04:00,2025-04-09 09:00:00+0000\n"
    )
    night = {**NIGHT, "startTime": "2025-04-08T23:00:00.000", "endTime": "2025-04-09T05:00:00.000"}
    night["levels"] = {}
    pulse = [{"dateTime": "04/09/25 12:10:00", "value": {"bpm": 60, "confidence": 2}}]
    timeline = read(tmp_path, sleep=[night], sleeps=table, heart=pulse)
    (bed,) = rows(timeline, "in_bed").to_dict("records")
    assert bed["time"].isoformat() == "2025-04-09T03:00:00+00:00" and bed["offset"] == -240
    (heart,) = rows(timeline, "heart_rate").to_dict("records")
    assert heart["time"].isoformat() == "2025-04-09T12:00:00+00:00" and heart["offset"] == -240
    assert timeline.summary.skipped == {"sleep: also in the older files": 1}


def test_plus_zero_also_stands_for_not_recorded(tmp_path):
    table = SLEEPS + "9,STAGES,360,350,+00:00,2025-04-08T21:00:00Z,+00:00,2025-04-09T03:00:00Z\n"
    timeline = read(tmp_path, sleeps=table)
    assert set(timeline.frame["offset"]) == {120}


def test_newer_exports_have_nights_and_stages_as_tables(tmp_path):
    table = SLEEPS + "9,STAGES,360,300,+01:00,2025-03-08T22:00:00Z,+01:00,2025-03-09T04:00:00Z\n"
    stages = (
        "sleep_id,sleep_stage_type,sleep_stage_start,sleep_stage_end\n"
        "9,LIGHT,2025-03-08T22:30:00Z,2025-03-09T01:00:00Z\n"
        "9,REM,2025-03-09T01:00:00Z,2025-03-09T03:30:00Z\n"
        "9,AWAKE,2025-03-09T03:30:00Z,2025-03-09T04:00:00Z\n"
        "9,DREAM,2025-03-09T03:30:00Z,2025-03-09T04:00:00Z\n"
    )
    timeline = read(tmp_path, sleeps=table, stages=stages)
    assert hours(timeline, "asleep") == 5.0 and hours(timeline, "awake") == 0.5
    assert timeline.summary.skipped == {"sleep: an unknown stage": 1}


def test_pulse_is_the_mean_of_an_hour_in_utc_and_of_no_confidence_is_none(tmp_path):
    entries = [
        {"dateTime": f"03/09/25 {time}", "value": {"bpm": bpm, "confidence": sure}}
        for time, bpm, sure in (("09:00:05", 60, 3), ("09:59:55", 80, 1), ("09:30:00", 70, 0))
    ]
    timeline = read(tmp_path, heart=entries)
    (row,) = rows(timeline, "heart_rate").to_dict("records")
    assert row["value"] == 70 and row["time"].isoformat() == "2025-03-09T09:00:00+00:00"
    assert row["offset"] == 60
    assert timeline.summary.skipped == {"heart_rate: of no confidence": 1}


def test_minutes_are_read_as_wall_time_when_utc_would_put_steps_into_sleep(tmp_path):
    """From 23:00 to 05:00 wall time is asleep; steps at 22:10 as written."""
    steps = [{"dateTime": f"03/08/25 22:{m}:00", "value": "400"} for m in (10, 40)]
    steps += [{"dateTime": f"03/09/25 12:{m}:00", "value": "500"} for m in (10, 40)]
    timeline = read(tmp_path, sleep=[{**NIGHT, "levels": {}}], steps=steps)
    # As UTC, 22:40 is 23:40 on the wall, in the middle of sleep.
    assert rows(timeline, "steps")["time"].dt.hour.tolist() == [21, 11]
    assert any("wall time" in note for note in timeline.summary.notes)
    walking = [{"dateTime": "03/09/25 12:10:00", "value": "500"}]
    timeline = read(tmp_path, sleep=[{**NIGHT, "levels": {}}], steps=walking)
    assert rows(timeline, "steps")["time"].dt.hour.tolist() == [12]


def test_on_a_day_with_newer_files_the_older_ones_do_not_count(tmp_path):
    older = [
        {"dateTime": "03/09/25 10:00:00", "value": "100"},
        {"dateTime": "03/10/25 10:00:00", "value": "200"},
    ]
    newer = (
        "timestamp,steps,data source\n"
        "2025-03-09T10:00:00Z,90,Charge 6\n2025-03-09T10:05:00.5Z,10,Charge 6\n"
        "2025-03-09T10:05:00Z,70,Phone Health Kit\n"
    )
    timeline = read(tmp_path, steps=older, steps_csv=newer)
    found = rows(timeline, "steps").set_index("source")["value"].to_dict()
    assert found == {"fitbit/tracker-1": 100, "fitbit/phone-1": 70, "fitbit": 200}
    assert timeline.summary.skipped == {"steps: also in the newer files": 1}


def test_a_resting_pulse_is_known_when_its_day_is_over(tmp_path):
    entries = [
        {"dateTime": "03/09/25 00:00:00", "value": {"date": "03/09/25", "value": 58.4, "error": 6}},
        {"dateTime": "03/10/25 00:00:00", "value": {"date": None, "value": 0.0, "error": 0.0}},
    ]
    timeline = read(tmp_path, resting=entries)
    (row,) = rows(timeline, "resting_hr").to_dict("records")
    assert row["value"] == 58.4
    assert row["time"].isoformat() == "2025-03-08T23:00:00+00:00"
    assert row["known"].isoformat() == "2025-03-09T23:00:00+00:00"
    assert timeline.summary.skipped == {"resting_hr: days without a value": 1}


def test_nightly_variability_is_known_at_waking_and_newer_files_win(tmp_path):
    summary = "timestamp,rmssd,nremhr,entropy\n2025-03-09T00:00:00,31.5,55,2.9\n"
    summary += "2025-03-10T00:00:00,33.0,55,2.9\n2025-03-11T00:00:00,NaN,55,2.9\n"
    newer = (
        "timestamp,average heart rate variability milliseconds,data source\n"
        "2025-03-09T00:00:00Z,32.0,Charge 6\n2025-03-12T00:00:00Z,50,Apple Health Health Kit\n"
    )
    timeline = read(tmp_path, sleep=[NIGHT], hrv=summary, hrv_csv=newer)
    found = rows(timeline, "rmssd")
    assert found["value"].tolist() == [32.0, 33.0]
    # The night ended at 05:00; of the other day no sleep is known: noon.
    assert found["time"].dt.strftime("%d %H").tolist() == ["09 04", "10 11"]
    assert timeline.summary.skipped == {
        "rmssd: days without a value": 1,
        "rmssd: the same day again": 1,
        "rmssd: from a source that measures SDNN": 1,
    }


def test_skin_temperature_is_that_of_its_night(tmp_path):
    table = (
        "type,sleep_start,sleep_end,temperature_samples,nightly_temperature\n"
        "SKIN,2025-03-08T23:00,2025-03-09T05:00:30,300,33.71\nSKIN,?,?,1,33\nSKIN,,,1,\n"
        "SKIN,2025-03-08T23:00,2025-03-09T05:00:30,300,330\n"
    )
    timeline = read(tmp_path, temperature=table)
    (row,) = rows(timeline, "wrist_temperature").to_dict("records")
    assert row["end"].isoformat() == "2025-03-09T04:00:30+00:00" and row["value"] == 33.71
    assert sum(timeline.summary.skipped.values()) == 3


def test_bleeding_that_was_noted_counts_and_predicted_does_not(tmp_path):
    table = "id,period_start_date,period_end_date,period_source\n"
    table += "1,2025-03-29,2025-03-31,Manual\n2,2025-04-26,2025-04-30,Computed\n3,x,y,Manual\n"
    timeline = read(tmp_path, cycles=table)
    assert rows(timeline, "menstrual_flow")["offset"].tolist() == [60, 60, 120]
    assert rows(timeline, "cycle_start")["value"].tolist() == [1, 0, 0]
    assert sum(timeline.summary.skipped.values()) == 2


def test_the_profile_says_the_time_zone_when_nobody_else_does(tmp_path):
    timeline = read(
        tmp_path, WallClock(), sleep=[NIGHT], profile="full_name,timezone\nSecret,Europe/Berlin\n"
    )
    assert set(timeline.frame["offset"]) == {60}
    assert "Secret" not in str(timeline.summary) + str(timeline.frame)


def test_without_any_time_zone_it_says_so(tmp_path):
    timeline = read(tmp_path, WallClock(), sleep=[NIGHT])
    assert any("no time zone is known" in note for note in timeline.summary.notes)
    assert rows(timeline, "in_bed")["time"][0].isoformat() == "2025-03-08T23:00:00+00:00"


@pytest.mark.parametrize("content", ["no data", "", "timestamp,rmssd\n"])
def test_files_without_data_are_no_error(tmp_path, content):
    assert len(read(tmp_path, hrv=content)) == 0


@pytest.mark.parametrize("content", ["[", "{}", "nul", '[{"a": 1}', "[" * 100_000])
def test_damaged_json_is_refused_and_named(tmp_path, content):
    with pytest.raises(InputError, match=r"sleep-2025-03-01\.json"):
        read(tmp_path, sleep=content)


@pytest.mark.parametrize(
    "entry",
    [
        7,
        {},
        {**NIGHT, "startTime": "yesterday"},
        {**NIGHT, "startTime": 5},
        {**NIGHT, "duration": 1e300},
        {**NIGHT, "duration": -1},
        {**NIGHT, "minutesAsleep": None},
        {**NIGHT, "minutesAsleep": 900, "timeInBed": 800},
        {**NIGHT, "levels": {"data": [{"dateTime": "x", "seconds": 5, "level": "deep"}]}},
        {**NIGHT, "startTime": "9999-12-31T23:00:00.000"},
    ],
)
def test_a_log_that_cannot_be_used_is_counted(tmp_path, entry):
    timeline = read(tmp_path, sleep=[entry, {**NIGHT, "logId": 3}])
    assert sum(timeline.summary.skipped.values()) == 1
    assert timeline.summary.read["sleep"] == 1


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("sleep-2025-03-01.json", "sleep_json"),
        ("heart_rate-2025-03-09.json", "heart_json"),
        ("resting_heart_rate-2025-03-01.json", "resting_json"),
        ("Daily Heart Rate Variability Summary - 2020-11-(15).csv", "hrv_summary"),
        ("daily_heart_rate_variability_2026-01-01.csv", "hrv_csv"),
        ("heart_rate_2024-10-27.csv", "heart_csv"),
        ("heart_rate_notification_2024-10-27.csv", None),
        ("time_in_heart_rate_zones-2025-03-01.json", None),
        ("UserSleepStages_2025.csv", "stages_csv"),
        ("UserSleepScores_2025.csv", None),
        ("sleep_score.csv", None),
        ("diary.csv", None),
    ],
)
def test_files_are_known_by_their_names(name, family):
    assert fitbit_family(name) == family


def test_other_files_are_no_fitbit_export(tmp_path):
    (tmp_path / "diary.csv").write_text("date\n")
    with (
        open_documents(tmp_path) as documents,
        pytest.raises(InputError, match="none that is read"),
    ):
        read_fitbit(documents)


def test_translated_tables_are_known_by_their_columns(tmp_path):
    name = "Zusammenfassung der t\u00e4glichen Herzfrequenzvariabilit\u00e4t - 2025-03-(4).csv"
    (tmp_path / name).write_text("timestamp,rmssd,nremhr,entropy\n2025-03-04T00:00:00,35.1,55,2\n")
    (tmp_path / "Notizen.csv").write_text("timestamp,rmssd\n2025-03-04T00:00:00,35.1\n")
    records = read_records([tmp_path])
    assert records.timeline.frame["value"].tolist() == [35.1]
    assert list(records.passed_over) == ["Notizen.csv"]


def test_readings_of_heart_rate_variability_become_a_value_a_night(tmp_path):
    rows = ["2025-03-03T22:30:00Z,30", "2025-03-04T01:00:00Z,40", "2025-03-04T02:00:00Z,50"]
    head = "timestamp,root mean square of successive differences milliseconds"
    (tmp_path / "heart_rate_variability_2025-03-01.csv").write_text("\n".join([head, *rows]))
    timeline = read_records([tmp_path], zone="Europe/Berlin").timeline
    assert timeline.frame["value"].tolist() == [40.0]
    assert timeline.summary.read == {"rmssd": 3} and timeline.summary.accounted
    daily = "timestamp,average heart rate variability milliseconds\n2025-03-04T00:00:00Z,44\n"
    (tmp_path / "daily_heart_rate_variability.csv").write_text(daily)
    timeline = read_records([tmp_path], zone="Europe/Berlin").timeline
    assert timeline.frame["value"].tolist() == [44.0]
    assert timeline.summary.skipped == {"rmssd: also in the daily files": 3}


def test_variability_is_read_in_the_folders_of_any_language_and_of_the_newer_form(tmp_path):
    """Takeout names folders and files in the language of the account."""
    night = {
        "logId": 1,
        "dateOfSleep": "2025-03-04",
        "startTime": "2025-03-03T23:00:00.000",
        "endTime": "2025-03-04T07:00:00.000",
        "minutesAsleep": 450,
        "timeInBed": 480,
        "type": "stages",
        "mainSleep": True,
        "levels": {
            "data": [{"dateTime": "2025-03-03T23:00:00.000", "level": "light", "seconds": 27000}],
            "shortData": [],
        },
    }
    translated = (
        "Herzfrequenzvariabilit\u00e4t/Zusammenfassung der t\u00e4glichen"
        " Herzfrequenzvariabilit\u00e4t - 2025-03-(4).csv"
    )
    newer = "Physical Activity_GoogleData/heart_rate_variability_2025-03-01.csv"
    head = "timestamp,root mean square of successive differences milliseconds,data source"
    files = {
        "a.zip": {
            "Globale Exportdaten/sleep-2025-03-04.json": json.dumps([night]),
            translated: "timestamp,rmssd,nremhr,entropy\n2025-03-04T00:00:00,35.1,55,2.5\n",
        },
        "b.zip": {newer: f"{head}\n2025-03-05T01:00:00Z,33,Watch\n2025-03-05T02:00:00Z,35,Watch\n"},
    }
    for name, members in files.items():
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for member, text in members.items():
                archive.writestr(f"Takeout/Fitbit/{member}", text)
    records = read_records([tmp_path], zone="Europe/Berlin")
    assert records.passed_over == {} and records.timeline.summary.unused == {}
    frame = records.timeline.frame
    variability = frame[frame["channel"] == "rmssd"]
    local = variability["time"].dt.tz_convert("Europe/Berlin").dt.strftime("%m-%d")
    assert dict(zip(local, variability["value"], strict=True)) == {"03-04": 35.1, "03-05": 34.0}


def test_only_the_damaged_file_of_an_archive_is_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        for day, text in (
            ("01", '[{"dateTime": "03/01/25 08:00:00", "value": "5"}]'),
            ("02", "[{"),
        ):
            archive.writestr(f"Fitbit/steps-2025-03-{day}.json", text)
    with pytest.raises(InputError, match=r"in Fitbit/steps-2025-03-02\.json$"):
        read_records([tmp_path / "t.zip"])


def test_every_entry_of_every_file_is_accounted_for():
    """The examples hold every family of files but those of readings of variability."""
    summary = next(p for p in read_records([EXAMPLES / "more"]).parts if p.kind == "fitbit").summary
    assert summary.cells > 3000 and summary.accounted


def test_a_row_of_more_cells_than_columns_is_left_out_and_shown(tmp_path):
    (tmp_path / "steps_2025-03-03.csv").write_text(
        "timestamp,steps,data source\n2025-03-03T10:00:00Z,1,200,Watch\n2025-03-03T11:00:00Z,7,W\n"
    )
    summary = read_records([tmp_path]).timeline.summary
    assert summary.read == {"steps": 1} and summary.accounted
    assert summary.examples == {"steps: an invalid date or number": "more cells than columns"}


def test_a_takeout_in_pieces_is_one_and_a_later_one_is_another(tmp_path):
    night = "a,NIGHT,480,450,+01:00,2025-03-03T22:00:00Z,+01:00,2025-03-04T06:00:00Z\n"
    stage = (
        "sleep_id,sleep_stage_id,sleep_stage_type,start_utc_offset,sleep_stage_start,"
        "end_utc_offset,sleep_stage_end\n"
        "a,1,LIGHT,+01:00,2025-03-03T22:00:00Z,+01:00,2025-03-04T05:30:00Z\n"
    )
    for piece, name, text in (
        ("1", "UserSleeps_2025-03-01.csv", SLEEPS + night),
        ("2", "UserSleepStages_2025-03-01.csv", stage),
    ):
        with zipfile.ZipFile(tmp_path / f"takeout-00{piece}.zip", "w") as archive:
            archive.writestr(f"Takeout/Fitbit/{name}", text)
    paths = sorted(tmp_path.iterdir())
    records = read_records(paths)
    assert len(records.parts) == 1
    assert records.timeline.summary.read == {"sleep": 1, "sleep stages": 1}
    assert set(records.timeline.frame["channel"]) == {"in_bed", "asleep"}
    for number in "12":
        shutil.copy(tmp_path / f"takeout-00{number}.zip", tmp_path / f"old-00{number}.zip")
    again = read_records(sorted(tmp_path.iterdir()))
    assert [part.name for part in again.parts] == [
        "old-001.zip, old-002.zip",
        "takeout-001.zip, takeout-002.zip",
    ]
    assert len(again.timeline) == len(records.timeline)


def test_stages_of_no_sleep_are_not_called_read(tmp_path):
    (tmp_path / "UserSleepStages_2025.csv").write_text(
        "sleep_id,sleep_stage_type,sleep_stage_start,sleep_stage_end\n"
        "z,LIGHT,2025-03-03T22:00:00Z,2025-03-03T23:00:00Z\n"
    )
    with pytest.raises(InputError, match="1 sleep stages: of no sleep in these files"):
        read_records([tmp_path])
