"""The evening that records support: the last they reach, whatever a wrong date says."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aline_tf.errors import InputError
from aline_tf.migraine.records.evening import in_hand, support, written_later
from aline_tf.migraine.records.timeline import Timeline

TODAY = datetime(2026, 5, 1, 12, tzinfo=UTC)


def at(text: str) -> int:
    return int(datetime.fromisoformat(f"{text}+00:00").timestamp())


def reading(begin: str, end: str | None = None, known: str | None = None, **changes):
    time, stop = at(begin), at(end or begin)
    written = at(known) if known else stop
    fields = {"channel": "resting_hr", "value": 60.0, "unit": "bpm", "source": "watch", **changes}
    channel, value, unit, source = fields.values()
    return (time, stop, max(written, time), 0, 0, channel, value, unit, 1, source)


def evening(*rows, today=TODAY) -> str:
    return support(Timeline.from_rows(rows), today).evening.date().isoformat()


def test_a_first_reading_this_morning_is_for_this_evening():
    assert evening(reading("2025-03-03T08:00")) == "2025-03-03"


def test_a_reading_this_morning_after_others_is_for_the_last_evening_reached():
    assert evening(reading("2025-03-02T08:00"), reading("2025-03-03T08:00")) == "2025-03-02"
    assert evening(reading("2025-03-02T08:00"), reading("2025-03-03T18:30")) == "2025-03-03"


def test_a_reading_this_morning_after_a_pause_is_for_this_evening():
    assert evening(reading("2025-02-20T21:00"), reading("2025-03-03T08:00")) == "2025-03-03"


def test_a_night_is_about_the_day_of_waking():
    night = reading("2025-03-02T23:00", "2025-03-03T07:00", channel="asleep", value=1.0, unit="")
    assert evening(night) == "2025-03-03"
    assert evening(reading("2025-03-02T19:00"), night) == "2025-03-02"


def test_the_time_of_filling_in_is_not_the_time_meant():
    rows = [
        reading(f"2025-03-0{day}T00:00", f"2025-03-0{day}T23:59", known="2025-09-01T10:00")
        for day in range(1, 6)
    ]
    assert evening(*rows) == "2025-03-05"


def test_a_calendar_says_nothing_of_how_far_a_person_recorded():
    plan = {"channel": "busy_hours", "value": 3.0, "unit": "h", "source": "calendar"}
    planned = [reading(f"2025-04-0{d}T00:00", f"2025-04-0{d}T23:59", **plan) for d in (1, 2, 3)]
    assert evening(reading("2025-03-03T21:00"), *planned) == "2025-03-03"
    assert evening(*planned) == "2025-04-03"


def test_of_plans_alone_the_last_planned_day_has_its_evening():
    """A day of a calendar is known as it begins; a last working day is no less planned at night."""
    plan = {"channel": "busy_hours", "value": 3.0, "unit": "h", "source": "calendar"}
    days = [
        reading(f"2025-04-0{d}T00:00", f"2025-04-0{d + 1}T00:00", f"2025-04-0{d}T00:00", **plan)
        for d in (2, 3, 4)
    ]
    assert evening(*days) == "2025-04-04"
    assert evening(reading("2025-04-03T21:00"), *days) == "2025-04-03"


def test_a_wrong_clock_of_the_machine_sets_nothing_aside():
    rows = [reading(f"2025-03-0{day}T21:00") for day in range(1, 6)]
    found = support(Timeline.from_rows(rows), datetime(1980, 1, 1, tzinfo=UTC))
    assert found.evening.date() == date(2025, 3, 5)
    assert found.sentences() == ()


def test_somebody_who_begins_again_after_years_is_believed():
    old = [reading(f"2022-03-{day:02d}T21:00") for day in range(1, 31)]
    new = [reading(f"2025-03-{day:02d}T21:00") for day in range(1, 5)]
    assert evening(*old, *new) == "2025-03-04"


def test_two_days_years_apart_are_both_believed():
    found = support(Timeline.from_rows([reading("2020-01-01T21:00"), reading("2025-03-03T21:00")]))
    assert found.evening.date() == date(2025, 3, 3)
    assert found.sentences() == ()


def test_a_clock_that_stood_at_its_beginning_is_set_aside():
    rows = [reading("1970-01-01T00:00"), *(reading(f"2025-03-0{d}T21:00") for d in range(1, 8))]
    found = support(Timeline.from_rows(rows), TODAY)
    assert found.first == date(2025, 3, 1)
    assert found.sentences() == (
        "1 record is set aside: it is dated 1970-01-01, years from all others.",
    )


def test_nothing_is_no_evening():
    with pytest.raises(InputError, match="received an empty one"):
        support(Timeline.empty(), TODAY)


@settings(max_examples=80)
@given(
    st.lists(st.integers(0, 200), min_size=15, unique=True),
    st.dates(date(2027, 1, 1), date(2199, 1, 1)),
    st.integers(1, 4),
)
def test_records_after_today_never_move_the_evening(days, wrong, count):
    first = datetime(2025, 3, 1, 21, tzinfo=UTC)
    rows = [reading((first + timedelta(days=d)).strftime("%Y-%m-%dT%H:%M")) for d in days]
    bad = [reading(f"{wrong}T0{hour}:00") for hour in range(count)]
    found = support(Timeline.from_rows([*rows, *bad]), TODAY)
    assert found.evening == support(Timeline.from_rows(rows), TODAY).evening
    assert sum(found.future.values()) == count
    assert len(found.sentences()) == 1 and str(wrong) in found.sentences()[0]


def test_records_in_hand_are_known_by_the_evening_and_no_others_change():
    rows = [
        reading("2025-03-03T10:00"),
        reading("2025-03-03T11:00", known="2025-03-09T10:00"),
        reading("2025-03-04T11:00", known="2025-03-09T10:00"),
    ]
    timeline, now = Timeline.from_rows(rows), datetime(2025, 3, 3, 20, tzinfo=UTC)
    assert written_later(timeline, now) == 1
    known = in_hand(timeline, now)
    assert known.seconds("known").tolist() == [rows[0][2], int(now.timestamp()), rows[2][2]]
    assert in_hand(known, now) is known
