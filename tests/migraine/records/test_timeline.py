"""The timeline: what it accepts, how it merges, whose clock it shows."""

from datetime import UTC, datetime, timedelta, timezone

import pandas as pd
import pytest

from aline_tf.errors import InputError
from aline_tf.migraine.records.timeline import COLUMNS, KINDS, ImportSummary, Timeline


def at(text: str) -> int:
    """Seconds since 1970 of an ISO time; without an offset it is UTC."""
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def row(channel, start, end=None, value=1.0, known=None, offset=0, status=1, source="a"):
    begin, stop = at(start), at(end or start)
    seen = at(known) if known else stop
    return (begin, stop, seen, offset, offset, channel, value, KINDS[channel].unit, status, source)


def test_rows_are_sorted_by_time_and_typed():
    timeline = Timeline.from_rows(
        [row("stress", "2025-03-02T10:00", value=3), row("stress", "2025-03-01T10:00", value=4)]
    )
    assert timeline.frame["value"].tolist() == [4.0, 3.0]
    assert str(timeline.frame["time"].dtype) == "datetime64[s, UTC]"
    assert tuple(timeline.frame.columns) == COLUMNS


def test_empty_timeline_is_valid_and_merges():
    timeline = Timeline.from_rows([row("pain", "2025-03-01T10:00")])
    assert len(Timeline.empty()) == 0
    assert len(Timeline.empty().merge(timeline)) == len(timeline.merge(Timeline.empty())) == 1


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        (row("stress", "2025-03-01T10:00", value=11), "within 0 to 10"),
        (row("stress", "2025-03-01T10:00", "2025-03-01T09:00"), "at or after time"),
        (row("stress", "2025-03-01T10:00", known="2025-03-01T09:00"), "at or after time"),
        (row("stress", "2025-03-01T10:00", status=7), "status 1"),
        (row("sdnn", "2025-03-01T10:00", value=float("nan")), "within 1 to 500"),
        ((*row("stress", "2025-03-01T10:00")[:7], "kg", 1, "a"), "expected stress in '0-10'"),
        ((*row("stress", "2025-03-01T10:00")[:5], "mood", 1.0, "", 1, "a"), "received mood"),
        ((0, None, 0, 0, 0, "asleep", 1.0, "", 1, "a"), "an end in every row"),
    ],
)
def test_rows_that_break_a_rule_are_refused(bad, expected):
    with pytest.raises(InputError, match=expected):
        Timeline.from_rows([bad])


def test_times_without_a_zone_are_refused():
    frame = Timeline.from_rows([row("stress", "2025-03-01T10:00")]).frame
    with pytest.raises(InputError, match="time zone"):
        Timeline(frame.assign(time=frame["time"].dt.tz_localize(None)))
    with pytest.raises(InputError, match="columns time, end"):
        Timeline(frame.drop(columns="unit"))


def test_equal_rows_are_merged_into_the_one_known_first():
    early = row("stress", "2025-03-01T10:00", known="2025-03-01T11:00")
    late = row("stress", "2025-03-01T10:00", known="2025-03-05T11:00")
    other = row("stress", "2025-03-01T10:00", source="b")
    merged = Timeline.from_rows([late]).merge(Timeline.from_rows([early, other]))
    assert len(merged) == 2
    known = merged.frame["known"][merged.frame["source"] == "a"]
    assert known.tolist() == [pd.Timestamp("2025-03-01T11:00", tz="UTC")]


def test_merging_is_the_same_in_any_order():
    parts = [
        Timeline.from_rows([row("steps", f"2025-03-0{day}T10:00", value=day, source=source)])
        for day, source in ((1, "a"), (2, "b"), (1, "b"))
    ]
    forward = parts[0].merge(*parts[1:]).frame
    backward = parts[2].merge(parts[1], parts[0]).frame
    key = ["time", "source"]
    pd.testing.assert_frame_equal(
        forward.sort_values(key, ignore_index=True), backward.sort_values(key, ignore_index=True)
    )


def test_summaries_add_up():
    one = ImportSummary({"steps": 2}, {"steps: not a number": 1}, ("a note",))
    two = ImportSummary({"steps": 3, "pain": 1}, {}, ("a note",))
    both = one + two
    assert both.read == {"steps": 5, "pain": 1}
    assert both.skipped == {"steps: not a number": 1}
    assert both.notes == ("a note",)
    assert "steps: 5" in str(both)


def test_a_diary_takes_the_offset_that_the_phone_shows_nearby():
    phone = Timeline.from_rows(
        [
            row("steps", "2025-03-29T12:00+01:00", offset=60),
            row("steps", "2025-03-31T12:00+02:00", offset=120),
        ]
    )
    diary = Timeline.from_rows(
        [row("stress", "2025-03-29T08:00"), row("stress", "2025-04-02T08:00")]
    )
    anchored = diary.anchored_to(phone)
    assert anchored.frame["offset"].tolist() == [60, 120]
    assert [moment.isoformat() for moment in anchored.frame["time"]] == [
        "2025-03-29T07:00:00+00:00",
        "2025-04-02T06:00:00+00:00",
    ]
    assert diary.anchored_to(Timeline.empty()) is diary


def test_anchoring_keeps_an_end_that_nobody_noted():
    begin = at("2025-03-29T08:00")
    attack = Timeline.from_rows([(begin, None, begin, 0, 0, "attack", 1.0, "", 1, "diary")])
    phone = Timeline.from_rows([row("steps", "2025-03-29T12:00+01:00", offset=60)])
    assert attack.anchored_to(phone).frame["end"].isna().all()


def test_attacks_are_local_and_joined_where_sources_overlap():
    timeline = Timeline.from_rows(
        [
            row("attack", "2025-03-01T10:00", "2025-03-01T14:00", offset=60),
            row("attack", "2025-03-01T12:00", "2025-03-01T16:00", offset=60, source="b"),
            row("attack", "2025-03-05T10:00", "2025-03-05T14:00", offset=60),
        ]
    )
    attacks = timeline.attacks()
    assert attacks["start"].tolist() == [
        pd.Timestamp("2025-03-01T11:00"),
        pd.Timestamp("2025-03-05T11:00"),
    ]
    assert attacks["end"][0] == pd.Timestamp("2025-03-01T17:00")
    assert len(Timeline.empty().attacks()) == 0


@pytest.mark.parametrize(
    ("known", "evening"),
    [
        ("2025-03-02T19:05", "2025-03-02T20:00"),
        ("2025-03-02T22:30", "2025-03-02T20:00"),
        # Shortly after midnight, and in the morning, the last evening is yesterday's.
        ("2025-03-02T23:30", "2025-03-02T20:00"),
        ("2025-03-03T08:00", "2025-03-02T20:00"),
    ],
)
def test_the_default_evening_is_the_last_one_reached(known, evening):
    timeline = Timeline.from_rows([row("pain", "2025-03-02T12:00", known=known, offset=60)])
    zone = timezone(timedelta(hours=1))
    assert timeline.evening() == datetime.fromisoformat(evening).replace(tzinfo=zone)


def test_an_empty_timeline_has_no_evening():
    with pytest.raises(InputError, match="empty"):
        Timeline.empty().evening()
