"""Calendar files: zones, versions, Outlook's ways, and calendars of one person put together."""

import subprocess
import sys
import warnings
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers import read_records
from aline_tf.migraine.records.importers.calendar_file import calendar_zone
from aline_tf.migraine.records.importers.documents import open_documents
from aline_tf.migraine.records.timeline_file import read_timeline
from tests.migraine.records.importers.composed_diaries import COMPOSITIONS

pytest.importorskip("recurring_ical_events")
TZ = "TZID=Europe/Berlin"
STAMP = "DTSTAMP:20250401T120000Z"


def event(*lines, uid="a"):
    return "\n".join(["BEGIN:VEVENT", f"UID:{uid}", STAMP, *lines, "END:VEVENT"])


def calendar(*parts, head=""):
    return "\n".join(
        ["BEGIN:VCALENDAR\nVERSION:2.0", *filter(None, [head]), *parts, "END:VCALENDAR\n"]
    )


def at(begin, end, zone=TZ):
    return f"DTSTART;{zone}:202503{begin}0000\nDTEND;{zone}:202503{end}0000"


def imported(tmp_path, *texts, zone="Europe/Berlin", name="c{}.ics"):
    for number, text in enumerate(texts):
        data = text if isinstance(text, bytes) else text.encode()
        (tmp_path / name.format(number)).write_bytes(data)
    return read_records(sorted(tmp_path.glob("*.ics")), zone=zone)


def days(records, channel="busy_hours"):
    frame = records.timeline.frame
    frame = frame[frame["channel"] == channel]
    local = frame["time"].dt.tz_localize(None) + frame["offset"].astype(int).map(
        lambda minutes: timedelta(minutes=minutes)
    )
    pairs = zip(local.dt.strftime("%m-%d"), frame["value"], strict=True)
    return {day: value for day, value in pairs if value}


def test_calendars_of_one_person_are_one(tmp_path):
    work = calendar(event(at("03T09", "03T17")), event(at("04T09", "04T17"), uid="b"))
    private = calendar(event(at("03T16", "03T18"), uid="c"), event(at("05T19", "05T20"), uid="d"))
    found = imported(tmp_path, work, private)
    assert days(found) == {"03-03": 9.0, "03-04": 8.0, "03-05": 1.0}
    assert days(found, "appointments") == {"03-03": 2, "03-04": 1, "03-05": 1}
    assert [part.summary.read for part in found.parts] == [{"appointments": 2}] * 2


def test_a_meeting_that_is_in_two_calendars_is_one(tmp_path):
    meeting = calendar(event(at("03T09", "03T10")))
    found = imported(tmp_path, meeting, meeting)
    assert days(found, "appointments") == {"03-03": 1}
    assert found.timeline.summary.skipped == {"appointments: the same entry again": 1}


def test_of_a_meeting_that_was_moved_the_later_version_counts(tmp_path):
    old = calendar(event(at("03T09", "03T10"), "SEQUENCE:0"))
    new = calendar(event(at("04T09", "04T12"), "SEQUENCE:1"))
    for texts in ((old, new), (new, old)):
        assert days(imported(tmp_path, *texts)) == {"03-04": 3.0}


def test_a_meeting_that_was_called_off_later_takes_no_time(tmp_path):
    old = calendar(event(at("03T09", "03T10")), event(at("05T09", "05T10"), uid="b"))
    new = calendar(event(at("03T09", "03T10"), "SEQUENCE:1\nSTATUS:CANCELLED"))
    assert days(imported(tmp_path, old, new)) == {"03-05": 1.0}


SERIES = event(at("03T09", "03T10"), "RRULE:FREQ=DAILY;COUNT=4")
INSTANCE = f"RECURRENCE-ID;{TZ}:20250304T090000"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (event(INSTANCE, at("04T09", "04T10"), "STATUS:CANCELLED"), {3: 1, 5: 1, 6: 1}),
        (event(INSTANCE, at("07T09", "07T12")), {3: 1, 5: 1, 6: 1, 7: 3}),
        (event("RECURRENCE-ID:20250304T080000Z", at("07T09", "07T12")), {3: 1, 5: 1, 6: 1, 7: 3}),
        (event(at("03T09", "03T10"), "STATUS:CANCELLED\nSEQUENCE:2"), {}),
    ],
)
def test_instances_of_a_series_are_moved_and_called_off(tmp_path, change, expected):
    other = event(at("10T09", "10T10"), uid="other")
    wanted = {f"03-{day:02d}": float(hours) for day, hours in (expected | {10: 1}).items()}
    for parts in ((SERIES, change), (change, SERIES)):
        found = imported(tmp_path, calendar(*parts, other))
        assert days(found) == wanted
        assert found.parts[0].summary.accounted


@pytest.mark.parametrize("excluded", [f"EXDATE;{TZ}:20250304T090000", "EXDATE;VALUE=DATE:20250304"])
def test_days_that_a_series_leaves_out(tmp_path, excluded):
    made = event(at("03T09", "03T10"), f"RRULE:FREQ=DAILY;COUNT=3\n{excluded}")
    assert days(imported(tmp_path, calendar(made))) == {"03-03": 1.0, "03-05": 1.0}


@pytest.mark.parametrize(
    ("rule", "last"),
    [
        ("UNTIL=20250305", 5),
        ("UNTIL=20250305T080000Z", 5),
        ("UNTIL=20250305T075959Z", 4),
        ("COUNT=2;BYHOUR=9;BYMINUTE=0", 4),
    ],
)
def test_how_long_a_series_goes_on(tmp_path, rule, last):
    made = calendar(event(at("03T09", "03T10"), f"RRULE:FREQ=DAILY;{rule}"))
    assert list(days(imported(tmp_path, made))) == [f"03-{d:02d}" for d in range(3, last + 1)]


def test_a_message_that_calls_off_what_it_holds(tmp_path):
    plan = calendar(event(at("03T09", "03T10")), event(at("04T09", "04T10"), uid="b"))
    message = calendar(event(at("03T09", "03T10"), "SEQUENCE:1"), head="METHOD:CANCEL")
    assert days(imported(tmp_path, plan, message)) == {"03-04": 1.0}


def test_a_later_part_of_a_series_is_moved(tmp_path):
    change = event(f"RECURRENCE-ID;RANGE=THISANDFUTURE;{TZ}:20250305T090000", at("05T11", "05T13"))
    found = days(imported(tmp_path, calendar(SERIES, change)))
    assert found == {"03-03": 1.0, "03-04": 1.0, "03-05": 2.0, "03-06": 2.0}


ME, BOB = "ATTENDEE;PARTSTAT={}:mailto:me@x.org", "ATTENDEE;PARTSTAT={}:mailto:bob@x.org"


@pytest.mark.parametrize(
    ("name", "head"),
    [("me@x.org.ics", ""), ("c.ics", "X-WR-CALNAME:me@x.org"), ("c.ics", "")],
)
def test_a_meeting_that_the_owner_declined_takes_no_time(tmp_path, name, head):
    answers = (("ACCEPTED", "DECLINED"), ("DECLINED", "ACCEPTED"))
    made = [
        event(at(f"0{day}T09", f"0{day}T10"), ME.format(mine), BOB.format(his), uid=str(day))
        for day, (mine, his) in enumerate(answers, 3)
    ]
    # Who is a guest of every meeting is the owner.
    made.append(
        event(at("05T09", "05T10"), ME.format("TENTATIVE"), ME.format("x").replace("me", "c"))
    )
    found = imported(tmp_path, calendar(*made, head=head), name=name)
    assert days(found) == {"03-03": 1.0, "03-05": 1.0}
    assert found.timeline.summary.skipped == {"appointments: declined": 1}
    assert "@" not in str(found.timeline.summary) + found.timeline.frame.to_csv()


def test_outlook_marks_days_and_free_time_in_its_own_way(tmp_path):
    all_day = "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE"
    made = [
        event(at("04T00", "07T00"), all_day, uid="a"),
        event("DTSTART:20250309T230000Z\nDTEND:20250310T230000Z", all_day, uid="b"),
        event(at("05T09", "05T10"), uid="c"),
        event(at("06T09", "06T10"), "X-MICROSOFT-CDO-BUSYSTATUS:FREE", uid="d"),
        event(at("06T12", "06T14"), "X-MICROSOFT-CDO-BUSYSTATUS:OOF", uid="e"),
    ]
    found = imported(tmp_path, calendar(*made))
    assert days(found) == {"03-05": 1.0, "03-06": 2.0}
    assert days(found, "appointments") == {"03-04": 1, "03-05": 1, "03-06": 2, "03-10": 1}


LA = "America/Los_Angeles"


@pytest.mark.parametrize(
    "text",
    [
        calendar(
            event("DTSTART:20250304T040000Z\nDTEND:20250304T060000Z"), head=f"X-WR-TIMEZONE:{LA}"
        ),
        calendar(event(at("03T20", "03T22", f"TZID={LA}"))),
        calendar(event(at("03T20", "03T22", 'TZID="Pacific Standard Time"'))),
        calendar(event(at("03T20", "03T22", f"TZID=/mozilla.org/20070129_1/{LA}"))),
    ],
)
def test_a_calendar_names_its_zone_when_nothing_else_does(tmp_path, text):
    found = imported(tmp_path, text, zone=None)
    assert days(found) == {"03-03": 2.0}
    notes = found.timeline.summary.notes
    assert any(LA in note for note in notes) and not any("UTC" in note for note in notes)
    (tmp_path / "d.csv").write_text("date,stress\n2025-03-03,4\n")
    both = read_records([tmp_path]).timeline
    assert set(both.frame["offset"]) == {-480}


def test_a_calendar_of_utc_alone_names_no_zone(tmp_path):
    (tmp_path / "c.ics").write_text(
        calendar(event("DTSTART:20250304T040000Z"), head="X-WR-TIMEZONE:UTC")
    )
    with open_documents(tmp_path) as documents:
        assert calendar_zone(documents) is None


def test_zones_that_nobody_defines_are_named(tmp_path):
    made = [
        event(at("10T01", "10T02", 'TZID="(UTC+01:00) Amsterdam, Berlin"'), uid="a"),
        event(at("14T01", "14T02", "TZID=GMT+0100"), uid="b"),
        event(at("05T01", "05T02", "TZID=W. Europe Standard Time"), uid="c"),
        event(at("07T01", "07T02", "TZID=/freeassociation.sourceforge.net/Europe/Berlin"), uid="d"),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = imported(tmp_path, calendar(*made), zone="America/New_York")
    assert days(found) == {"03-04": 1.0, "03-06": 1.0, "03-10": 1.0, "03-13": 1.0}
    (unknown, fixed) = found.timeline.summary.notes
    assert "(UTC+01:00) Amsterdam, Berlin" in unknown and "not understood" in unknown
    assert "GMT+0100" in fixed and "W. Europe" not in unknown


def test_no_library_speaks_to_the_person_of_zones(tmp_path):
    """An import as a program of its own: what warns in a library does so once a process."""
    names = ('"(UTC+01:00) Amsterdam, Berlin"', "Pacific Time", "GMT+0100", "Romance Standard Time")
    made = [
        event(at(f"1{day}T01", f"1{day}T02", f"TZID={name}"), uid=str(day))
        for day, name in enumerate(names)
    ]
    (tmp_path / "c.ics").write_text(calendar(*made))
    args = ["migraine", "import", "c.ics", "--zone", "America/New_York", "--out", "t.jsonl"]
    done = subprocess.run(
        [sys.executable, "-m", "aline_tf.cli", *args], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stderr == ""
    assert "time zones that are not understood: (UTC+01:00) Amsterdam, Berlin; Pacific Time" in (
        done.stdout
    )
    assert "time zones read as a fixed offset: GMT+0100" in done.stdout
    frame = read_timeline(tmp_path / "t.jsonl").frame
    busy = frame[(frame["channel"] == "busy_hours") & (frame["value"] > 0)]
    local = busy["time"].dt.tz_convert("America/New_York")
    assert local.dt.strftime("%m-%d").tolist() == ["03-10", "03-11", "03-12"]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: ("\ufeff\n" + text + "\x1a\n").encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("SUMMARY:x", "SUMMARY:\u00e9").encode("cp1252"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: ("Mail header\n" + text + "-- \nSent from my phone\n").encode(),
    ],
)
def test_what_stands_around_a_calendar_and_its_encoding(tmp_path, wrap):
    found = imported(tmp_path, wrap(calendar(event(at("04T09", "04T10"), "SUMMARY:x"))))
    assert days(found) == {"03-04": 1.0}
    told = any("no part of the calendar" in note for note in found.parts[0].summary.notes)
    assert told == (b"Mail" in wrap("x"))


def test_why_nothing_of_a_calendar_was_used(tmp_path):
    path = tmp_path / "c.ics"
    path.write_text(calendar(event(at("03T09", "03T10"))).replace(STAMP, "CLASS:PUBLIC"))
    with pytest.raises(InputError, match="no DTSTAMP"):
        read_records([path])
    path.write_text(calendar(event(at("20T09", "20T10"))).replace("202504", "202503"))
    with pytest.raises(InputError, match=r"after 2025-03-01, when the calendar was last changed"):
        read_records([path])


def test_the_last_day_is_read_as_a_whole(tmp_path):
    """A calendar that was exported at noon is not the calendar of a free afternoon."""
    made = [event(at(b, e), uid=b) for b, e in (("04T09", "04T10"), ("04T15", "04T17"))]
    text = calendar(*made, event(at("05T09", "05T10"), uid="c"))
    found = imported(tmp_path, text.replace("20250401T", "20250304T"))
    assert days(found) == {"03-04": 3.0}
    assert found.timeline.evening().date().isoformat() == "2025-03-04"
    assert list(found.timeline.summary.skipped.values()) == [1]


def test_a_change_after_today_is_not_believed(tmp_path):
    """One stamp of a wrong clock would lay out years, and leave out those with appointments."""
    (tmp_path / "c.ics").write_text(
        calendar(
            event(at("04T09", "04T10")).replace("20250401T", "20990401T"),
            event(at("03T09", "03T11"), uid="b").replace("20250401T", "20250305T"),
        )
    )
    today = datetime(2026, 1, 1, tzinfo=UTC)
    found = read_records([tmp_path / "c.ics"], zone="Europe/Berlin", today=today)
    assert days(found) == {"03-03": 2.0, "03-04": 1.0}
    assert found.timeline.evening().date().isoformat() == "2025-03-05"
    assert any("2099-04-01, after today" in note for note in found.timeline.summary.notes)


def test_from_midnight_to_midnight_is_an_all_day_entry(tmp_path):
    made = [
        event(at("03T00", "06T00"), "X-MICROSOFT-CDO-BUSYSTATUS:OOF"),
        event("DTSTART:20250307T000000\nDTEND:20250308T000000", uid="b"),
        event(at("10T00", "10T02"), uid="c"),
        event(at("11T22", "12T00"), uid="d"),
        # A night in UTC is no day of anybody here.
        event("DTSTART:20250313T000000Z\nDTEND:20250314T000000Z", uid="e"),
    ]
    found = imported(tmp_path, calendar(*made))
    assert days(found) == {"03-10": 2.0, "03-11": 2.0, "03-13": 23.0, "03-14": 1.0}


def test_what_is_no_appointment_is_counted_by_its_name(tmp_path):
    task = "BEGIN:VTODO\nUID:t\nEND:VTODO"
    summary = imported(tmp_path, calendar(event(at("03T09", "03T10")), task)).parts[0].summary
    assert summary.unused == {"VTODO": 1} and summary.cells == 2 and summary.accounted


ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata")


@st.composite
def calendars(draw):
    """Calendars whose truth is known: (texts, minutes busy of each day in Berlin, entries)."""
    busy, entries, texts = set(), 0, []
    for name in range(draw(st.integers(1, 3))):
        parts = []
        for number in range(draw(st.integers(0, 3))):
            zone = ZoneInfo(draw(st.sampled_from(ZONES)))
            begin = datetime(
                2025, 3, draw(st.integers(3, 14)), draw(st.integers(8, 14)), tzinfo=zone
            )
            minutes = draw(st.integers(1, 8)) * 15
            fate = draw(st.sampled_from(("busy", "free", "cancelled", "weekly", "copied")))
            lines = [
                f"DTSTART;TZID={zone.key}:{begin:%Y%m%dT%H%M%S}",
                f"DURATION:PT{minutes}M",
                *{"free": ["TRANSP:TRANSPARENT"], "cancelled": ["STATUS:CANCELLED"]}.get(fate, ()),
                *(["RRULE:FREQ=WEEKLY;COUNT=2"] if fate == "weekly" else ()),
            ]
            one = event(*lines, uid=f"{name}-{number}")
            parts += [one] * (2 if fate == "copied" else 1)
            entries += 2 if fate == "copied" else 1
            for week in range(2 if fate == "weekly" else fate in ("busy", "copied")):
                start = int((begin + timedelta(days=7 * week)).astimezone(UTC).timestamp())
                busy |= {start + 60 * minute for minute in range(minutes)}
        texts.append(calendar(*parts, event(at("02T09", "02T10"), uid=f"first-{name}")))
        entries += 1
    busy |= {int(datetime(2025, 3, 2, 8, minute, tzinfo=UTC).timestamp()) for minute in range(60)}
    hours: dict[str, float] = {}
    for second in busy:
        day = datetime.fromtimestamp(second, ZoneInfo("Europe/Berlin")).strftime("%m-%d")
        hours[day] = hours.get(day, 0.0) + 1 / 60
    return texts, hours, entries


@settings(
    max_examples=40 * COMPOSITIONS // 2000,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(calendars())
def test_the_truth_comes_out_and_every_entry_is_accounted_for(tmp_path, made):
    texts, hours, entries = made
    for path in tmp_path.glob("*.ics"):
        path.unlink()
    found = imported(tmp_path, *texts)
    assert days(found) == pytest.approx(hours)
    assert found.timeline.summary.accounted and found.timeline.summary.cells == entries
