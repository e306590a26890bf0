"""A diary beside a device, two devices, two diaries: one counts by a rule, and it is told."""

import json
from datetime import datetime
from itertools import permutations

import numpy as np
import pytest

from aline_tf.migraine.records.days import day_history
from aline_tf.migraine.records.importers import read_records
from tests.migraine.records.importers.app_files import GARMIN_SLEEP, ZONE

OURA = "date,Total Sleep Duration,Sleep Efficiency,Average HRV,Lowest Resting Heart Rate\n"
FILES = {
    "diary.csv": "date,answered_at,sleep_hours,resting_hr,busy_hours,stress\n"
    "2025-03-04,2025-03-05 21:00,9,70,1,4\n2025-03-05,21:00,9.5,71,2,5\n",
    "oura.csv": f"{OURA}2025-03-04,25200,90,40,58\n",
    "c.ics": "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:a\nDTSTAMP:20250304T080000Z\n"
    "DTSTART:20250304T080000Z\nDTEND:20250304T110000Z\nEND:VEVENT\nEND:VCALENDAR\n",
}


def told(folder, names, files=FILES):
    for name in names:
        (folder / name).write_text(files[name])
    timeline = read_records([folder / name for name in names], zone=ZONE).timeline
    history = day_history(timeline, datetime(2025, 3, 5, 23), 2)
    fields = ("sleep_hours", "resting_hr", "busy_hours", "stress_3")
    return {field: history.column(field).tolist() for field in fields}, timeline.summary.notes


@pytest.mark.parametrize("names", list(permutations(FILES)))
def test_what_a_device_measured_goes_before_a_diary_in_any_order_of_files(tmp_path, names):
    values, notes = told(tmp_path, names)
    assert values == {
        "sleep_hours": [7.0, 9.5],
        "resting_hr": [58.0, 71.0],
        "busy_hours": [3.0, 0.0],
        "stress_3": [4.0, 5.0],
    }
    (note,) = (note for note in notes if "the latter counts" in note)
    assert note.endswith("counts: busy_hours on 2 days, resting_hr on 1 day, sleep_hours on 1 day")


def test_a_diary_alone_or_that_agrees_is_not_spoken_of(tmp_path):
    values, notes = told(tmp_path, ["diary.csv"])
    assert values["sleep_hours"] == [9.0, 9.5] and values["resting_hr"] == [70.0, 71.0]
    assert not any("counts" in note for note in notes)
    same = FILES | {"diary.csv": "date,sleep_hours,resting_hr\n2025-03-04,7,58\n"}
    _, notes = told(tmp_path, ["diary.csv", "oura.csv"], same)
    assert not any("counts" in note for note in notes)


def test_of_the_nights_of_two_devices_the_one_known_last_counts(tmp_path):
    day = str(GARMIN_SLEEP[0]["calendarDate"])
    files = {
        "garmin-sleep.json": json.dumps(GARMIN_SLEEP[:1]),
        "oura.csv": f"{OURA}{day},25200,90,40,58\n",
    }
    found = []
    for names in permutations(files):
        _, notes = told(tmp_path, names, files)
        assert any("differently by devices, for 1 of them" in note for note in notes)
        found.append(read_records([tmp_path / name for name in names], zone=ZONE).timeline)
    history, other = (day_history(each, each.evening(), 2) for each in found)
    last = history.column("sleep_hours")[-1]
    assert last == other.column("sleep_hours")[-1] == 7.0
    frame = found[0].frame[found[0].frame["channel"] == "sleep_hours"].sort_values("known")
    assert frame["value"].tolist() == [7.5, 7.0]


HEAD = "date,answered_at,attack,attack_start,attack_end,pain\n"
OLD = "2025-03-03,2025-03-03 21:00,yes,08:00,10:00,6\n"


@pytest.mark.parametrize(
    ("newer", "attack", "pain", "note"),
    [
        ("2025-03-03,2025-03-05 09:00,no,,,1\n", 0.0, None, "takes back later"),
        ("2025-03-03,2025-03-03 22:00,no,,,1\n", 1.0, 6.0, "the attack is kept"),
        ("2025-03-03,,no,,,1\n", 1.0, 6.0, "the attack is kept"),
        ("2025-03-03,2025-03-05 09:00,yes,08:00,09:00,7\n", 1.0, 7.0, "answers"),
    ],
)
@pytest.mark.parametrize("names", [("a.csv", "b.csv"), ("b.csv", "a.csv")])
def test_an_attack_is_taken_back_by_a_word_of_a_later_day(
    tmp_path, newer, attack, pain, note, names
):
    for name, row in zip(names, (OLD, newer), strict=True):
        (tmp_path / name).write_text(HEAD + row + "2025-03-05,21:00,no,,,0\n")
    timeline = read_records([tmp_path]).timeline
    told = [told for told in timeline.summary.notes if "disagree" in told]
    assert note in told[0] and timeline.summary.accounted
    # Another end of the attack is told beside another pain.
    assert [("the hours" in other) for other in told[1:]] == [True] * (note == "answers")
    history = day_history(timeline, datetime(2025, 3, 5, 23), 3)
    assert history.column("attack_1")[0] == attack
    # What was said of the attack goes with it; what was not stays.
    assert (history.column("pain_1")[0] == pain) if pain else np.isnan(history.column("pain_1")[0])


def test_a_diary_takes_back_no_attack_that_an_app_was_told(tmp_path):
    (tmp_path / "a.csv").write_text(HEAD + "2024-11-16,2024-11-17 09:00,no,,,1\n")
    (tmp_path / "buddy.csv").write_text(
        '"#","Started","Lasted","Start UTC Offset (min)","Pain Level"\n'
        '"1","11/16/24 13:12","01h 00m","0","5"\n'
    )
    timeline = read_records([tmp_path]).timeline
    assert any("the attack is kept" in note for note in timeline.summary.notes)
    assert day_history(timeline, datetime(2024, 11, 17, 20), 2).column("attack_2")[0] == 1.0


def test_an_end_that_another_diary_noted_is_one(tmp_path):
    for name, end in (("a.csv", ""), ("b.csv", "10:00")):
        (tmp_path / name).write_text(HEAD + f"2025-03-03,,yes,08:00,{end},6\n")
    timeline = read_records([tmp_path]).timeline
    history = day_history(timeline, datetime(2025, 3, 4, 20), 2)
    assert [history.column(f"attack_{slot}")[0] for slot in range(4)] == [0.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize(("severity", "is_told"), [("Mild", True), ("Severe", False)])
def test_a_headache_of_an_app_beside_another_pain_of_a_diary_is_told(tmp_path, severity, is_told):
    start, end = "2025-03-03 15:00:00 +0100", "2025-03-03 16:00:00 +0100"
    symptom = {"name": "Headache", "severity": severity, "start": start, "end": end}
    (tmp_path / "h.json").write_text(json.dumps({"data": {"symptoms": [symptom]}}))
    (tmp_path / "d.csv").write_text("date,pain_afternoon,pain_evening\n2025-03-03,7,2\n")
    timeline = read_records([tmp_path], zone=ZONE).timeline
    notes = [note for note in timeline.summary.notes if note.startswith("pain is told")]
    assert [("in 1 parts" in note) for note in notes] == [True] * is_told
    history = day_history(timeline, datetime(2025, 3, 3, 23), 1)
    assert history.column("pain_2").tolist() == [7.0 if is_told else 8.0]
