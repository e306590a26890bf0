"""Anything handed over becomes one timeline: told apart, in the right order, on one clock."""

import json
import runpy
import shutil
import zipfile
from datetime import date, datetime, timedelta
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from aline_tf.errors import InputError
from aline_tf.migraine.records.days import day_history
from aline_tf.migraine.records.importers import import_timeline, read_records
from aline_tf.migraine.records.importers.documents import open_documents
from aline_tf.migraine.records.importers.kinds import kind_of
from aline_tf.migraine.records.timeline_file import timeline_lines, write_timeline

EXAMPLES = Path(__file__).resolve().parents[4] / "examples"
MORE = EXAMPLES / "more"
GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def more():
    return read_records([MORE])


def test_the_examples_become_these_observations(more):
    """The golden file changes with an importer or with the examples: read the difference then."""
    made = "".join(f"{line}\n" for line in timeline_lines(more.timeline))
    assert made == (GOLDEN / "more.jsonl").read_text(encoding="utf-8")


def test_the_examples_can_be_made_again_byte_for_byte():
    script = runpy.run_path(str(EXAMPLES / "make_more_examples.py"))
    for name, content in script["files"](script["SEED"]).items():
        assert content == (MORE / name).read_bytes(), name


def test_every_kind_is_read_and_what_is_not_is_counted(more):
    kinds = {part.name: part.kind for part in more.parts}
    assert kinds == {
        "more": "fitbit",
        "observations.json": "fhir",
        "diary.jsonl": "diary",
        "calendar.ics": "calendar",
    }
    assert more.left_out == {".csv files that hold nothing known": 2}


def test_sleep_is_what_the_export_itself_says(more):
    """Minutes asleep of every night, against `minutesAsleep` of the log, abroad and at home."""
    with zipfile.ZipFile(MORE / "takeout.zip") as archive:
        logs = json.loads(archive.read("Takeout/Fitbit/Global Export Data/sleep-2025-03-24.json"))
    stated = {
        date.fromisoformat(log["dateOfSleep"]): log["minutesAsleep"] / 60
        for log in logs
        if log["mainSleep"]
    }
    only = read_records([MORE / "takeout.zip"]).timeline
    history = day_history(only, datetime(2025, 4, 20, 20), 28)
    read = dict(zip(history.dates, history.column("sleep_hours"), strict=True))
    assert len(stated) > 20
    for day, hours in stated.items():
        assert read[day] == pytest.approx(hours, abs=0.02), day
    assert sum(~np.isnan(history.column("sleep_hours"))) == len(stated)


def test_a_week_abroad_is_on_the_clock_of_abroad(more):
    frame = more.timeline.frame
    # On the days of the journey itself the nearest night decides.
    there = (frame["time"] > "2025-04-08T06:00Z") & (frame["time"] < "2025-04-10T20:00Z")
    assert set(frame["offset"][there]) == {-240}
    assert set(frame["offset"][frame["time"] < "2025-03-29T12:00Z"]) == {60}
    assert set(frame["offset"][frame["time"] > "2025-04-13T12:00Z"]) == {120}
    history = day_history(more.timeline, more.timeline.evening(), 28)
    busy = dict(zip(history.dates, history.column("busy_hours"), strict=True))
    assert busy[date(2025, 4, 8)] == 8.5 and busy[date(2025, 4, 2)] == 3.0
    assert busy[date(2025, 4, 7)] == 0.0 and busy[date(2025, 4, 18)] == 1.5


def test_the_order_of_the_files_does_not_matter(more):
    paths = sorted(MORE.iterdir())
    first = list(timeline_lines(read_records(paths).timeline))
    for order in list(permutations(paths))[1::5]:
        assert list(timeline_lines(read_records(order).timeline)) == first
    assert len(first) - 1 == len(more.timeline)


def test_every_file_is_accounted_for(more):
    for part in more.parts:
        if part.kind != "diary":
            assert part.summary.cells is not None, part.name
        assert part.summary.accounted, part.name


def test_files_passed_over_are_named(more):
    assert all(name.endswith(".csv") for name in more.passed_over)


def test_files_of_one_name_in_two_archives_are_both_passed_over(tmp_path):
    (tmp_path / "diary.csv").write_text("date,stress\n2025-03-29,3\n")
    for name in ("a.zip", "b.zip"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("readme.txt", "hello")
    records = read_records([tmp_path / name for name in ("a.zip", "b.zip", "diary.csv")])
    assert records.left_out == {".txt files": 2}
    assert list(records.passed_over) == ["readme.txt", "readme.txt, again in b.zip"]


def test_one_date_far_from_all_others_is_noted_and_moves_neither_evening_nor_calendar(tmp_path):
    rows = [f"2025-03-{day:02d},3" for day in range(1, 21)]
    (tmp_path / "d.csv").write_text("\n".join(["date,stress", *rows, "2052-03-30,4"]))
    (tmp_path / "c.ics").write_text(
        "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:a\nDTSTAMP:20250401T120000Z\n"
        "DTSTART:20250303T090000Z\nDTEND:20250303T100000Z\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    timeline = read_records([tmp_path]).timeline
    assert timeline.evening().date() == date(2025, 3, 20)
    assert any("2052-03-30" in note for note in timeline.summary.notes)
    busy = timeline.frame[timeline.frame["channel"] == "busy_hours"]
    assert len(busy) in (18, 19) and busy["value"].sum() == 1.0


def test_an_earlier_import_and_the_calendar_anew_state_each_day_once(tmp_path):
    calendar = (
        "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:{0}\nDTSTAMP:20250401T120000Z\n"
        "DTSTART:20250303T{0}0000Z\nDTEND:20250303T{0}3000Z\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    (tmp_path / "a.ics").write_text(calendar.format("09"))
    write_timeline(read_records([tmp_path / "a.ics"]).timeline, tmp_path / "t.jsonl")
    (tmp_path / "b.ics").write_text(calendar.format("10"))
    frame = read_records([tmp_path]).timeline.frame
    assert not frame.duplicated(["time", "channel"]).any()
    assert frame["value"][frame["channel"] == "busy_hours"].sum() == 1.0


@pytest.mark.parametrize(
    ("noted", "day"), [("2100-12-31", "2199-12-31"), ("1990-01-01", "1990-01-01")]
)
def test_what_import_writes_is_read_back_at_the_ends_of_time(tmp_path, noted, day):
    (tmp_path / "d.csv").write_text(f"date,attack,stress\n{noted},no,3\n")
    (tmp_path / "export.xml").write_text(
        '<HealthData><Record type="HKQuantityTypeIdentifierStepCount" unit="count" value="5"'
        f' startDate="{day} 23:50:00 +0000" endDate="{day} 23:59:59 +0000"/></HealthData>'
    )
    timeline = read_records([tmp_path]).timeline
    write_timeline(timeline, tmp_path / "t.jsonl")
    assert len(read_records([tmp_path / "t.jsonl"]).timeline) == len(timeline)


def test_a_file_that_is_given_twice_is_read_once(tmp_path):
    path = tmp_path / "diary.csv"
    path.write_text("date,stress\n2025-03-29,3\n")
    assert len(read_records([path, tmp_path / "." / "diary.csv"]).parts) == 1


def test_when_nothing_can_be_used_the_error_says_what_was_found_and_why(tmp_path):
    (tmp_path / "a.xml").write_text(
        '<HealthData><Record type="HKQuantityTypeIdentifierHeartRate" unit="furlong" value="5"'
        ' startDate="2025-03-09 10:00:00 +0100" endDate="2025-03-09 10:00:00 +0100"/>'
        '<Record type="HKQuantityTypeIdentifierBodyMass"/></HealthData>'
    )
    with pytest.raises(InputError, match=r"a\.xml .*unit furlong.*such as '5'.*BodyMass"):
        read_records([tmp_path])


def test_reading_twice_what_was_read_adds_nothing(more, tmp_path):
    write_timeline(more.timeline, tmp_path / "before.jsonl.gz")
    again = read_records([tmp_path / "before.jsonl.gz", MORE]).timeline
    assert len(again) == len(more.timeline)
    notes = again.summary.notes
    assert len(notes) == len(set(notes)) and set(more.timeline.summary.notes) <= set(notes)


def test_a_later_export_completes_the_hour_in_which_an_earlier_one_ended(tmp_path):
    def export(name, *steps):
        record = (
            '<Record type="HKQuantityTypeIdentifierStepCount" sourceName="Watch" unit="count"'
            ' creationDate="{0}" startDate="{0}" endDate="{0}" value="{1}"/>'
        )
        body = "".join(record.format(f"2025-03-09 10:{m}:00 +0100", n) for m, n in steps)
        (tmp_path / name).write_text(f"<HealthData>{body}</HealthData>")
        return tmp_path / name

    early = export("a.xml", ("05", 100))
    late = export("b.xml", ("05", 100), ("50", 30))
    for paths in ([early, late], [late, early]):
        frame = read_records(paths).timeline.frame
        assert frame["value"].tolist() == [130]


def test_a_diary_takes_the_zone_that_is_named(tmp_path):
    path = tmp_path / "diary.csv"
    path.write_text("date,stress\n2025-03-29,3\n2025-03-31,4\n")
    assert read_records([path], zone="Europe/Berlin").timeline.frame["offset"].tolist() == [60, 120]
    unset = read_records([path]).timeline
    assert unset.frame["offset"].tolist() == [0, 0]
    assert any("no time zone is known" in note for note in unset.summary.notes)
    with pytest.raises(InputError, match="time zone"):
        read_records([path], zone="Nowhere")


def test_a_fitbit_export_without_a_zone_waits_for_what_others_say(tmp_path):
    (tmp_path / "steps_2025-03-01.csv").write_text("timestamp,steps\n2025-03-09T10:00:00Z,90\n")
    (tmp_path / "z.json").write_text(
        json.dumps(
            {
                "resourceType": "Observation",
                "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
                "valueQuantity": {"value": 70, "code": "/min"},
                "effectiveDateTime": "2025-03-09T12:00:00+01:00",
            }
        )
    )
    assert set(read_records([tmp_path]).timeline.frame["offset"]) == {60}


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("export.xml", "<?xml version='1.0'?><HealthData>", "apple_health"),
        ("exportación.xml", "<!DOCTYPE HealthData [", "apple_health"),
        ("export_cda.xml", "<ClinicalDocument/>", None),
        ("sleep-2025-01-01.json", "[]", "fitbit"),
        ("a.json", '{"resourceType": "Bundle"}', "fhir"),
        ("a.json", "{}", None),
        ("a.ics", "", "calendar"),
        ("a.jsonl", '{"format": "aline-tf timeline", "version": 1}', "timeline"),
        ("a.jsonl", '{"resourceType": "Observation"}\n', "fhir"),
        ("a.ndjson", '{"date": "2025-01-01", "pain": 3}\n', "diary"),
        ("a.jsonl", '{"when": "2025-01-01"}\n', None),
        ("a.csv", "date;stress\n2025-01-01;3\n", "diary"),
        ("electrocardiogram.csv", "Name,X\nDate of Birth,Y\n", None),
        ("a.gpx", "<gpx/>", None),
        ("README", "", None),
    ],
)
def test_files_are_told_apart_by_name_and_content(tmp_path, name, content, kind):
    (tmp_path / name).write_text(content)
    with open_documents(tmp_path) as (document,):
        assert kind_of(document, None) == kind


def test_a_damaged_file_of_a_known_kind_is_an_error_wherever_it_lies(tmp_path):
    shutil.copy(EXAMPLES / "diary.csv", tmp_path / "diary.csv")
    (tmp_path / "sub").mkdir()
    for name, content in (
        ("export.xml", "<HealthData><Record"),
        ("calendar.ics", "BEGIN:VCALENDAR\n"),
        ("bundle.json", '{"resourceType": "Bundle", "entry": [{'),
        ("sleep-2025-01-01.json", "[{"),
        ("before.jsonl", '{"format": "aline-tf timeline", "version": 1, "rows": 5}\n'),
    ):
        bad = tmp_path / "sub" / name
        bad.write_text(content)
        with pytest.raises(InputError, match=name.replace(".", r"\.")):
            read_records([tmp_path])
        bad.unlink()
    assert len(read_records([tmp_path]).timeline)


def test_a_named_file_of_no_known_kind_is_an_error(tmp_path):
    (tmp_path / "a.gpx").write_text("<gpx/>")
    with pytest.raises(InputError, match=r"received a\.gpx, which is none"):
        read_records([tmp_path / "a.gpx"])
    with pytest.raises(InputError, match="received 1 files of other kinds"):
        read_records([tmp_path])
    with pytest.raises(InputError, match="at least one"):
        read_records([])


def test_files_without_any_observation_are_an_error(tmp_path):
    (tmp_path / "a.ics").write_text("BEGIN:VCALENDAR\nVERSION:2.0\nEND:VCALENDAR\n")
    with pytest.raises(InputError, match=r"received none: a.ics .calendar.: empty"):
        read_records([tmp_path / "a.ics"])


def test_import_timeline_takes_any_records_beside_a_diary(more):
    together = import_timeline(diary=EXAMPLES / "diary.csv", records=[MORE / "takeout.zip"])
    diary = together.frame[together.frame["source"] == "diary"]
    after = diary["time"] > "2025-04-14T00:00:00Z"
    assert set(diary["offset"][after]) == {120}
    assert timedelta(0) <= together.frame["known"].max() - diary["known"].max()


def test_nothing_that_names_a_person_or_a_place_is_kept(more):
    text = "".join(timeline_lines(more.timeline))
    assert not any(word in text for word in ("Nobody", "nobody", "Team", "Somewhere", "Berlin"))
