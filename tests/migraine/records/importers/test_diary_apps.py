"""Exports of Migraine Buddy, Daylio and Bearable, from golden files in their published forms."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aline_tf.errors import InputError
from aline_tf.migraine.records.days import day_history
from aline_tf.migraine.records.importers import read_records
from aline_tf.migraine.records.importers.diary_documents import DiaryOptions
from aline_tf.migraine.records.importers.diary_words import read_words
from aline_tf.migraine.records.importers.explain import explain
from aline_tf.migraine.records.importers.migraine_buddy import migraine_buddy_rows
from aline_tf.migraine.records.wall_clock import WallClock, time_zone

GOLDEN = Path(__file__).parent / "golden"
BERLIN = WallClock(time_zone("Europe/Berlin"))


def attacks(timeline):
    """Attacks of known hours: local start and end as text."""
    table = timeline.attacks()
    return [
        tuple(str(moment)[5:16] for moment in row) for row in table.astype(str).to_numpy().tolist()
    ]


def reports(timeline):
    """Day of a report on attacks -> what it says."""
    rows = timeline.frame[timeline.frame["channel"] == "attack_report"]
    walls = rows["time"].dt.tz_convert("Europe/Berlin")
    return {f"{wall:%m-%d}": value for wall, value in zip(walls, rows["value"], strict=True)}


def field(timeline, name, day):
    history = day_history(timeline, datetime.fromisoformat(f"{day}T12:00") + timedelta(1), 3)
    values = dict(zip(map(str, history.dates), history.column(name).tolist(), strict=True))
    value = values[day]
    return None if value != value else value


@pytest.fixture(scope="module")
def buddy():
    return read_records([GOLDEN / "migraine_buddy.csv"]).timeline


def test_attacks_of_migraine_buddy_stand_at_the_clock_of_their_place(buddy):
    assert attacks(buddy) == [("11-16 13:12", "11-16 14:12"), ("11-23 22:30", "11-25 00:45")]
    assert set(buddy.frame["offset"]) == {60, -300}
    assert reports(buddy) == {}, "other days are unknown, not free"


def test_what_migraine_buddy_says_beside_an_attack(buddy):
    said = {
        ("pain_2", "2024-11-16"): 7.0,
        ("medication_2", "2024-11-16"): 1.0,
        ("prodrome_1", "2024-11-16"): 1.0,
        ("missed_meal", "2024-11-16"): 1.0,
        ("medication_3", "2024-11-23"): 0.0,
        ("pain_3", "2024-11-23"): None,
        ("pain_1", "2024-12-02"): 3.0,
        ("prodrome_0", "2024-12-02"): 0.0,
        ("medication_1", "2024-12-02"): 1.0,
        ("attack_1", "2024-12-02"): None,
    }
    assert {place: field(buddy, *place) for place in said} == said


def test_what_migraine_buddy_keeps_private_is_counted_and_not_shown(buddy):
    summary = buddy.summary
    assert summary.accounted and summary.unused["Geohash"] == 3 and summary.unused["Notes"] == 1
    assert summary.skipped == {"Attack Types: another headache than migraine": 1}
    assert "u33d" not in str(summary) and "bad" not in str(summary)


def test_what_was_not_known_yet_is_not_told_of_an_attack(buddy):
    frame = buddy.frame.set_index("channel")
    assert (frame.loc["prodrome", "known"] > frame.loc["prodrome", "time"]).all()
    assert (frame.loc["pain", "known"] >= frame.loc["pain", "time"]).all()


def test_dates_of_migraine_buddy_are_month_first_where_they_leave_it_open():
    data = (GOLDEN / "migraine_buddy.csv").read_bytes()
    data = data.replace(b"11/16/24", b"11/06/24").replace(b"11/23/24", b"11/08/24")
    timeline = DiaryOptions().read(data, "m.csv", BERLIN)
    assert attacks(timeline)[0] == ("11-06 13:12", "11-06 14:12")
    assert any("month-first" in note for note in timeline.summary.notes)
    said = DiaryOptions(dates="day-first").read(data, "m.csv", BERLIN)
    assert attacks(said)[0] == ("06-11 13:12", "06-11 14:12")


def test_daylio_tells_of_days_from_the_first_migraine_on():
    timeline = read_records([GOLDEN / "daylio.csv"], zone="Europe/Berlin").timeline
    assert reports(timeline) == {"03-04": 1.0, "03-05": 0.0, "03-06": 0.0, "03-07": 1.0}
    assert field(timeline, "attack_2", "2025-03-05") is None, "the entry was written at nine"
    assert field(timeline, "missed_meal", "2025-03-04") == 1.0
    assert field(timeline, "medication_3", "2025-03-07") == 1.0
    assert timeline.summary.accounted and "ill" not in str(timeline.summary)


def test_daylio_without_migraine_tells_nothing_of_attacks():
    table = b"full_date,time,mood,activities\n2025-03-03,20:00,good,coffee | period\n"
    timeline = DiaryOptions().read(table, "d.csv", BERLIN)
    assert reports(timeline) == {} and len(timeline) == 1
    assert "nothing is known" in timeline.summary.notes[0]


def test_bearable_tells_of_days_with_a_row_about_migraine():
    timeline = read_records([GOLDEN / "bearable.csv"], zone="Europe/Berlin").timeline
    assert reports(timeline) == {"03-03": 1.0, "03-04": 0.0}
    said = {"pain_1": 8.0, "pain_3": 2.0, "medication_1": 1.0, "attack_1": 1.0}
    assert {name: field(timeline, name, "2025-03-03") for name in said} == said
    assert field(timeline, "medication_2", "2025-03-05") is None
    assert timeline.summary.accounted
    assert timeline.summary.unused["Mood"] == timeline.summary.unused["Sleep"] == 1


def test_an_app_is_named_and_a_column_map_goes_before_it():
    assert "as Daylio exports it" in explain(GOLDEN / "daylio.csv")
    mapped = {"date": "date formatted", "pain": "rating/amount"}
    timeline = read_records([GOLDEN / "bearable.csv"], mapped).timeline
    assert set(timeline.frame["channel"]) == {"pain"}
    assert any("two answers" in note for note in timeline.summary.notes)


def test_most_rows_lost_are_refused():
    table = "full_date,time,mood,activities\n" + "?,20:00,good,migraine\n" * 3
    table += "2025-03-03,20:00,good,migraine\n"
    with pytest.raises(InputError, match=r"'\?'.*--accept-losses"):
        DiaryOptions().read(table.encode(), "d.csv", BERLIN)
    accepted = DiaryOptions(accept_losses=True).read(table.encode(), "d.csv", BERLIN)
    assert reports(accepted) == {"03-03": 1.0}


LETTERS = st.text('ab1 ",|:-', max_size=6)
EXPORTS = {path: (GOLDEN / path).read_bytes() for path in ("migraine_buddy.csv", "daylio.csv")}
EXPORTS["bearable.csv"] = (GOLDEN / "bearable.csv").read_bytes()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(EXPORTS)), st.integers(0, 3000), LETTERS)
def test_a_damaged_export_is_accounted_for_or_refused(name, place, letters):
    data = EXPORTS[name]
    place %= len(data)
    damaged = data[:place] + letters.encode() + data[place + len(letters) // 2 :]
    try:
        timeline = DiaryOptions(accept_losses=True).read(damaged, name, BERLIN)
    except InputError as error:
        assert "expected" in str(error)
    else:
        assert timeline.summary.accounted, timeline.summary


def test_a_table_without_attacks_is_refused_by_its_reader():
    with pytest.raises(InputError, match=r"a column Started; received table\.csv without one"):
        migraine_buddy_rows("day,pain\n2025-01-31,3\n", "table.csv", read_words(None))
