"""Where a forecast stands: which evening, and what is known then."""

from datetime import UTC, datetime, timedelta

import pytest

from aline_tf.errors import InputError
from aline_tf.migraine.forecast.moment import evening_of, standpoint
from aline_tf.migraine.records.timeline import Timeline


def test_default_evening_is_the_last_recorded_one(example):
    now = evening_of(example, None)
    assert now == example.evening()
    assert (now.hour, now.minute) == (20, 0)


def test_date_means_eight_in_the_evening_of_that_season(example):
    winter, summer = evening_of(example, "2025-03-29"), evening_of(example, "2025-03-31")
    assert (winter.hour, summer.hour) == (20, 20)
    assert winter.utcoffset() == timedelta(hours=1)
    assert summer.utcoffset() == timedelta(hours=2)


def test_time_zone_given_is_kept(example):
    now = evening_of(example, "2025-04-17T21:30:00+02:00")
    assert now.isoformat() == "2025-04-17T21:30:00+02:00"


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2025-13-01", "2025-04-17T12:00", "2024-01-01", "2031-01-01"]
)
def test_moment_that_cannot_be_forecast_is_refused(example, text):
    with pytest.raises(InputError, match=r"expected --now .* received"):
        evening_of(example, text)


def row(day: str, known: str | None = None, channel="stress", source="diary"):
    """A record about 20:00 of a day, written then or at another time."""
    time = int(datetime.fromisoformat(f"{day}T20:00+00:00").timestamp())
    written = int(datetime.fromisoformat(f"{known}+00:00").timestamp()) if known else time
    return (time, time, max(time, written), 0, 0, channel, 4.0, "0-10", 1, source)


MARCH = [row(f"2025-03-{day:02d}") for day in range(1, 31)]


def test_a_record_dated_in_the_future_is_set_aside_and_said():
    timeline = Timeline.from_rows([*MARCH, row("2052-03-30")])
    for today in (datetime(2025, 3, 31, tzinfo=UTC), None):
        stand = standpoint(timeline, today=today)
        assert stand.now.date().isoformat() == "2025-03-30"
        (remark,) = stand.remarks
        assert "1 record is set aside: it is dated 2052-03-30" in remark
    with pytest.raises(InputError, match=r"within the records \(2025-03-01 to 2025-03-30\)"):
        standpoint(timeline, "2052-03-30", datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("today", "said"), [("03-30", 0), ("03-31", 0), ("04-01", 2), ("12-25", 270)]
)
def test_an_evening_long_ago_is_said_to_be_one(today, said):
    stand = standpoint(
        Timeline.from_rows(MARCH), today=datetime.fromisoformat(f"2025-{today}T12:00Z")
    )
    assert stand.now.date().isoformat() == "2025-03-30"
    told = [f"was {said} days ago: the risks are those of that evening" in r for r in stand.remarks]
    assert told == [True] * bool(said)


def test_records_after_years_are_used_when_their_day_is_named():
    timeline = Timeline.from_rows([*MARCH, row("2028-06-01")])
    assert standpoint(timeline, "2028-06-02").now.date().isoformat() == "2028-06-02"


def test_last_evening_has_what_was_written_down_months_later():
    late = [row(f"2025-03-{day:02d}", known="2025-06-01T09:00") for day in range(1, 31)]
    stand = standpoint(Timeline.from_rows(late))
    assert stand.now.date().isoformat() == "2025-03-30"
    assert (stand.timeline.frame["known"] <= stand.now).all()
    assert stand.remarks == ()


def test_an_evening_of_the_past_does_not_know_what_was_written_down_later():
    rows = [*MARCH[:20], *(row(f"2025-03-{d}", known="2025-06-01T09:00") for d in (21, 22))]
    stand = standpoint(Timeline.from_rows(rows), "2025-03-22")
    assert "2 records about the time before this evening, written down after it" in stand.remarks[0]
    assert len(stand.timeline) == 22


def test_a_timeline_without_records_has_nowhere_to_stand():
    with pytest.raises(InputError, match="received an empty one"):
        standpoint(Timeline.empty())
