"""Several files at once: archives of tables in several encodings, and files that contradict."""

import zipfile

import pytest

from aline_tf.errors import InputError
from aline_tf.migraine.records.days import day_history
from aline_tf.migraine.records.importers import read_records

GERMAN = (
    "date,attack,attack_start,attack_end,pain,notes\n"
    "2025-03-03,yes,08:00,12:00,7,Kopfschmerz gr\u00f6\u00dfer\n2025-03-04,no,,,0,sch\u00f6n\n"
)


def test_a_table_in_another_encoding_is_read_inside_an_archive(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("calendar/readme.txt", "x")
        archive.writestr("diary.csv", GERMAN.encode("cp1252"))
        archive.writestr("other.csv", "a,b\n1,2\n")
        archive.writestr("diary2.jsonl", '{"date":"2025-03-05","stress":4}\n')
    records = read_records([path])
    assert [part.name for part in records.parts] == ["diary.csv", "diary2.jsonl"]
    assert any("diary.csv was read as cp1252" in n for n in records.timeline.summary.notes)
    assert set(records.passed_over) == {"calendar/readme.txt", "other.csv"}
    told = set(zip(records.timeline.frame["channel"], records.timeline.frame["value"], strict=True))
    assert {("attack", 1.0), ("attack_report", 0.0), ("pain", 7.0), ("stress", 4.0)} <= told


@pytest.mark.parametrize("damage", [b"\x00\x01\x02\x03" * 40, b'"'])
def test_a_damaged_diary_is_named_inside_an_archive(tmp_path, damage):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("diary.csv", GERMAN.encode("cp1252") + damage)
    with pytest.raises(InputError, match=r"diary\.csv"):
        read_records([path])


@pytest.mark.parametrize("names", [("old.csv", "new.csv"), ("new.csv", "old.csv")])
def test_two_files_that_contradict_each_other_are_told(tmp_path, names):
    rows = {"old.csv": "2025-03-03,yes,08:00,6", "new.csv": "2025-03-03,no,,0"}
    for name, row in rows.items():
        (tmp_path / name).write_text(f"date,attack,attack_start,pain\n{row}\n2025-03-04,no,,1\n")
    timeline = read_records([tmp_path / name for name in names]).timeline
    (told,) = (note for note in timeline.summary.notes if "disagree" in note)
    assert told == "diaries disagree on 1 days with or without attack: the attack is kept"
    attacks = day_history(timeline, timeline.evening(), 2).column("attack_1")
    assert attacks.tolist() == [1.0, 0.0]


def test_two_rows_of_one_place_are_told(tmp_path):
    """A table of measures in which a rating of sleep stands in the column that is called pain."""
    (tmp_path / "d.csv").write_text(
        "date,date formatted,weekday,time of day,category,rating/amount,detail,notes\n"
        "3rd Mar 2025,2025-03-03,Monday,am,Symptom,3,Headache (Severe),\n"
        "3rd Mar 2025,2025-03-03,Monday,pm,Sleep,4,,\n"
    )
    columns = {"date": "date formatted", "pain": "rating/amount"}
    notes = read_records([tmp_path / "d.csv"], columns).timeline.summary.notes
    assert "two answers for one place, of which the newest was taken: 1" in notes
