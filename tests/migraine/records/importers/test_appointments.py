"""Calendars: busy hours by the local day, what repeats, and rules that are not laid out."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers import appointments
from aline_tf.migraine.records.importers.appointments import read_calendar
from aline_tf.migraine.records.importers.documents import open_documents
from aline_tf.migraine.records.wall_clock import WallClock

pytest.importorskip("recurring_ical_events")
BERLIN = WallClock(ZoneInfo("Europe/Berlin"))
TZ = "TZID=Europe/Berlin"


def event(*lines, uid="a", stamp="20250401T120000Z"):
    return [f"BEGIN:VEVENT\nUID:{uid}\nDTSTAMP:{stamp}", *lines, "END:VEVENT"]


def read(tmp_path, *events, clock=BERLIN, until=None, head="BEGIN:VCALENDAR\nVERSION:2.0"):
    path = tmp_path / "calendar.ics"
    path.write_text("\n".join([head, *(line for e in events for line in e), "END:VCALENDAR\n"]))
    with open_documents(path) as (document,):
        return read_calendar(document, clock, until)


def by_day(timeline, channel="busy_hours"):
    frame = timeline.frame[timeline.frame["channel"] == channel]
    local = frame["time"].dt.tz_convert("Europe/Berlin").dt.strftime("%m-%d")
    return {day: value for day, value in zip(local, frame["value"], strict=True) if value}


def at(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_busy_hours_are_the_union_of_appointments(tmp_path):
    timeline = read(
        tmp_path,
        event(f"DTSTART;{TZ}:20250324T090000\nDTEND;{TZ}:20250324T110000"),
        event("DTSTART:20250324T093000Z\nDTEND:20250324T120000Z", uid="b"),
        event("DTSTART:20250326T093000Z\nDURATION:PT45M", uid="c"),
    )
    # 09:00 to 11:00 and, in UTC, 10:30 to 13:00 on the wall.
    assert by_day(timeline) == {"03-24": 4.0, "03-26": 0.75}
    assert by_day(timeline, "appointments") == {"03-24": 2, "03-26": 1}
    # Days without appointments, up to the last change of the calendar, are 0 and not missing.
    assert (timeline.frame["channel"] == "busy_hours").sum() == 9


def test_a_series_keeps_its_wall_time_when_the_clocks_change(tmp_path):
    timeline = read(
        tmp_path,
        event(
            f"DTSTART;{TZ}:20250328T233000\nDTEND;{TZ}:20250329T003000\nRRULE:FREQ=DAILY;COUNT=3"
        ),
    )
    # Half an hour on each side of midnight.
    assert by_day(timeline) == {"03-28": 0.5, "03-29": 1.0, "03-30": 1.0, "03-31": 0.5}


def test_an_appointment_across_the_missing_hour_is_as_long_as_it_was(tmp_path):
    made = event(f"DTSTART;{TZ}:20250330T000000\nDTEND;{TZ}:20250330T060000")
    assert by_day(read(tmp_path, made)) == {"03-30": 5.0}


def test_exceptions_of_a_series(tmp_path):
    series = event(
        f"DTSTART;{TZ}:20250324T090000\nDTEND;{TZ}:20250324T100000",
        f"RRULE:FREQ=WEEKLY;BYDAY=MO,WE\nEXDATE;{TZ}:20250326T090000",
    )
    moved = event(
        f"RECURRENCE-ID;{TZ}:20250331T090000",
        f"DTSTART;{TZ}:20250401T090000\nDTEND;{TZ}:20250401T120000",
    )
    assert by_day(read(tmp_path, series, moved)) == {"03-24": 1.0, "04-01": 3.0}


def test_what_takes_no_time(tmp_path):
    timeline = read(
        tmp_path,
        event("DTSTART;VALUE=DATE:20250324\nDTEND;VALUE=DATE:20250326\nCATEGORIES:Holiday"),
        event("DTSTART:20250325T090000Z\nDTEND:20250325T100000Z\nTRANSP:TRANSPARENT", uid="b"),
        event("DTSTART:20250325T090000Z\nDTEND:20250325T100000Z\nSTATUS:CANCELLED", uid="c"),
    )
    assert by_day(timeline) == {}
    assert by_day(timeline, "appointments") == {"03-24": 1, "03-25": 1}
    assert by_day(timeline, "appointments_travel") == {"03-24": 1}
    assert timeline.summary.skipped == {"appointments: cancelled": 1}


def test_titles_go_no_further(tmp_path):
    made = event(
        "DTSTART:20250325T090000Z\nDTEND:20250325T100000Z\nSUMMARY:Secret\nLOCATION:Secret",
        "CATEGORIES:Secret,Business",
    )
    timeline = read(tmp_path, made)
    assert "Secret" not in timeline.frame.to_csv() + str(timeline.summary)
    assert by_day(timeline, "appointments_work") == {"03-25": 1}


def test_a_day_is_known_when_it_begins_or_when_its_last_entry_was_made(tmp_path):
    timeline = read(
        tmp_path,
        event("DTSTART:20250324T090000Z\nDTEND:20250324T100000Z\nCREATED:20250101T000000Z"),
        event(
            "DTSTART:20250325T140000Z\nDTEND:20250325T150000Z\nCREATED:20250325T110000Z", uid="b"
        ),
    )
    known = timeline.frame[timeline.frame["channel"] == "busy_hours"]["known"]
    assert known.iloc[0].isoformat() == "2025-03-23T23:00:00+00:00"
    assert known.iloc[1].isoformat() == "2025-03-25T11:00:00+00:00"


def test_days_are_those_of_the_wall_clock_also_abroad(tmp_path):
    """23:30 in New York is the next day in Berlin, and that evening in New York."""
    made = event("DTSTART;TZID=America/New_York:20250324T233000\nDURATION:PT30M")
    assert by_day(read(tmp_path, made)) == {"03-25": 0.5}
    abroad = BERLIN.extended(BERLIN.zone, [at("2025-03-25T00:00")], [-240])
    frame = read(tmp_path, made, clock=abroad).frame
    busy = frame[(frame["channel"] == "busy_hours") & (frame["value"] > 0)]
    assert busy["time"].iloc[0].isoformat() == "2025-03-24T04:00:00+00:00"
    assert busy["offset"].iloc[0] == -240


def test_a_time_without_a_zone_is_one_of_the_wall(tmp_path):
    made = event("DTSTART:20250324T233000\nDURATION:PT1H")
    assert by_day(read(tmp_path, made)) == {"03-24": 0.5, "03-25": 0.5}


def test_it_ends_where_it_is_told_to(tmp_path):
    made = event("DTSTART:20250324T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY")
    timeline = read(tmp_path, made, until=at("2025-03-26T20:00"))
    assert by_day(timeline) == {"03-24": 1.0, "03-25": 1.0, "03-26": 1.0}


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;BYMONTH=13",
        "FREQ=DAILY;INTERVAL=7;BYDAY=TU",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYMONTHDAY=1;BYSETPOS=200",
        "FREQ=YEARLY;BYYEARDAY=366;BYMONTH=1",
        "FREQ=MONTHLY;BYDAY=6MO",
        "BYDAY=MO",
        "FREQ=SOMETIMES",
    ],
)
def test_rules_that_calendars_do_not_write_are_not_laid_out(tmp_path, rule):
    good = event("DTSTART:20250324T090000Z\nDURATION:PT1H", uid="good")
    timeline = read(tmp_path, event(f"DTSTART:20250324T090000Z\nRRULE:{rule}"), good)
    assert by_day(timeline) == {"03-24": 1.0}
    assert sum(timeline.summary.skipped.values()) == 1


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1", ["03-24", "03-31"]),
        ("FREQ=MONTHLY;BYDAY=-1FR", ["03-24", "03-28"]),
        ("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=26", ["03-24", "03-26"]),
        ("FREQ=WEEKLY;INTERVAL=1;UNTIL=20250331T235959Z;WKST=SU", ["03-24", "03-31"]),
    ],
)
def test_rules_that_calendars_do_write(tmp_path, rule, expected):
    timeline = read(tmp_path, event(f"DTSTART:20250324T090000Z\nDURATION:PT1H\nRRULE:{rule}"))
    found = list(by_day(timeline))
    # Whether the start counts when it is no day of the rule is left to the library.
    assert found in (expected, expected[1:])


def test_the_steps_of_repeating_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(appointments, "MAX_STEPS", 20)
    rule = "DTSTART:20250324T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY"
    timeline = read(tmp_path, *(event(rule, uid=str(n)) for n in range(5)))
    assert timeline.summary.skipped == {"appointments: repeating, beyond what is laid out": 3}


@pytest.mark.parametrize(
    "made",
    [
        event("DTSTART:yesterday\nDURATION:PT1H"),
        event("DURATION:PT1H"),
        event("DTSTART:20250324T090000Z\nDTEND:20250323T090000Z"),
        event("DTSTART:20250324T090000Z\nDTEND:20260324T090000Z"),
        event("DTSTART:00010101T090000Z\nDTEND:00010101T100000Z"),
    ],
)
def test_an_entry_that_cannot_be_used_is_counted(tmp_path, made):
    good = event("DTSTART:20250324T090000Z\nDURATION:PT1H", uid="good")
    timeline = read(tmp_path, made, good)
    assert by_day(timeline) == {"03-24": 1.0}
    assert sum(timeline.summary.skipped.values()) == 1


def test_what_is_no_whole_calendar_is_refused(tmp_path):
    path = tmp_path / "calendar.ics"
    for text in (
        "",
        "hello",
        "BEGIN:VCALENDAR\nVERSION:2.0\n",
        "BEGIN:VCALENDAR\nEND:VEVENT\nEND:VCALENDAR",
    ):
        path.write_text(text)
        with open_documents(path) as (document,), pytest.raises(InputError, match="iCalendar"):
            read_calendar(document)


def test_a_calendar_without_appointments_is_an_empty_timeline(tmp_path):
    assert len(read(tmp_path)) == 0
