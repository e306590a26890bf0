"""Exports of other apps: Health Auto Export, Health Connect, Oura, Garmin, the Fitbit Web API."""

import json
import random
import zipfile
from datetime import datetime
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aline_tf.errors import InputError
from aline_tf.migraine.records.days import day_history
from aline_tf.migraine.records.importers import read_records
from aline_tf.migraine.records.timeline_file import timeline_lines
from tests.migraine.records.importers.app_files import FILES, ZONE, write, write_health_connect
from tests.migraine.records.importers.test_bad_input import damage

GOLDEN = Path(__file__).parent / "golden" / "apps"
KINDS = {
    "HealthAutoExport-2025-03.json": "health_auto_export",
    "oura.json": "oura",
    "oura_trends.csv": "oura",
    "2025-03-01_2025-04-01_1_sleepData.json": "garmin",
    "UDSFile_2025-03-01_2025-04-01.json": "garmin",
    "sleep.json": "fitbit_api",
    "heart.json": "fitbit_api",
    "steps.json": "fitbit_api",
    "hrv.json": "fitbit_api",
}


def imported(tmp_path, name):
    if name == "health_connect_export.db":
        write_health_connect(tmp_path / name)
    else:
        write(tmp_path, name)
    return read_records([tmp_path], zone=ZONE, accept_losses=True)


@pytest.mark.parametrize("name", [*FILES, "health_connect_export.db"])
def test_a_file_becomes_these_observations(tmp_path, name):
    """The golden file changes with an importer: read the difference then."""
    records = imported(tmp_path, name)
    (part,) = records.parts
    assert part.kind == KINDS.get(name, "health_connect") and not records.passed_over
    made = "".join(f"{line}\n" for line in timeline_lines(records.timeline))
    assert made == (GOLDEN / f"{name}.jsonl").read_text(encoding="utf-8")
    assert part.summary.accounted and part.summary.cells


def days(records):
    history = day_history(records.timeline, datetime(2025, 3, 4, 20), 2)
    return {name: history.column(name) for name in ("sleep_hours", "sleep_efficiency", "ln_steps")}


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        ("HealthAutoExport-2025-03.json", [6.5, 6.0]),
        ("oura.json", [6.5, 7.0]),
        ("oura_trends.csv", [7.5, 7.0]),
        ("2025-03-01_2025-04-01_1_sleepData.json", [7.5, None]),
        ("sleep.json", [7.5, None]),
        ("health_connect_export.db", [7.0, None]),
    ],
)
def test_nights_are_as_long_as_the_app_says(tmp_path, name, hours):
    found = days(imported(tmp_path, name))["sleep_hours"]
    expected = [float("nan") if hour is None else hour for hour in hours]
    assert found.tolist() == pytest.approx(expected, nan_ok=True)


def test_names_of_people_go_no_further(tmp_path):
    for name in FILES:
        write(tmp_path, name)
    write_health_connect(tmp_path / "health_connect_export.db")
    records = read_records([tmp_path], zone=ZONE, accept_losses=True)
    assert len(records.parts) == len(FILES) + 1
    assert "Ada" not in "".join(timeline_lines(records.timeline))


def test_a_database_inside_an_archive_is_read(tmp_path):
    write_health_connect(tmp_path / "x.db")
    with zipfile.ZipFile(tmp_path / "Health Connect.zip", "w") as archive:
        archive.write(tmp_path / "x.db", "health_connect_export.db")
    (part,) = read_records([tmp_path / "Health Connect.zip"]).parts
    assert part.summary.unused == {"weight": 1}


def test_wall_times_without_a_zone_are_noted(tmp_path):
    for name in ("heart.json", "sleep.json"):
        path = write(tmp_path, name)
        notes = read_records([path]).timeline.summary.notes
        assert any("no time zone is known" in note for note in notes), name


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", '{"data": {"metrics": [{"name"'),
        ("a.json", '{"data": {"metrics": []}} x'),
        ("a.json", '[{"sleepStartTimestampGMT": '),
        ("a.json", '{"sleepStartTimestampGMT": 1}'),
        ("a.json", '{"activities-heart": ['),
        ("a.json", '{"sleep": [{"bedtime_start": 1}'),
        ("a.db", "SQLite format 3\0 and nothing more"),
    ],
)
def test_damaged_files_are_refused_by_name(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=rf"expected .*{name}"):
        read_records([tmp_path])


@pytest.mark.parametrize("name", [n for n in FILES if n.endswith(".json")])
def test_odd_values_are_counted_and_never_believed(tmp_path, name):
    """Dates, values and whole entries of a file replaced by something else."""
    text = json.dumps(FILES[name])
    for old, new in (("2025-", "20x5-"), (": ", ': null, "x": '), ("[{", "[7, {")):
        (tmp_path / name).write_text(text.replace(old, new))
        try:
            records = read_records([tmp_path], zone=ZONE, accept_losses=True)
        except InputError as error:
            assert "expected" in str(error) and "received" in str(error)
        else:
            assert all(part.summary.accounted for part in records.parts)


def test_a_day_that_is_posted_twice_counts_once_as_it_was_in_the_end(tmp_path):
    for name, steps in (("noon.json", 4000), ("night.json", 8000)):
        metric = {"name": "step_count", "units": "count"}
        metric["data"] = [{"date": "2025-03-03 00:00:00 +0100", "qty": steps}]
        (tmp_path / name).write_text(json.dumps({"data": {"metrics": [metric]}}))
    assert read_records([tmp_path]).timeline.frame["value"].tolist() == [8000]


def test_the_order_of_the_files_does_not_matter(tmp_path):
    names = ["oura.json", "sleep.json", "steps.json", "HealthAutoExport-2025-03.json"]
    paths = [write(tmp_path, name) for name in names]
    lines = {
        tuple(timeline_lines(read_records(order, accept_losses=True).timeline))
        for order in permutations(paths)
    }
    assert len(lines) == 1


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from([*FILES, "health_connect_export.db"]), st.integers(0, 1 << 30))
def test_damaged_copies_are_read_or_refused_and_always_accounted_for(tmp_path, name, seed):
    path = tmp_path / name
    if name in FILES:
        write(tmp_path, name)
    elif not path.exists():
        write_health_connect(path)
    whole = path.read_bytes()
    path.write_bytes(damage(whole, random.Random(seed)))
    try:
        timeline = read_records([path], zone=ZONE, accept_losses=True).timeline
    except InputError as error:
        assert "expected" in str(error) and "received" in str(error)
    else:
        assert timeline.summary.accounted
    path.write_bytes(whole)
