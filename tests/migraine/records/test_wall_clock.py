"""Offsets of the wall clock: changes of the clock, journeys, and what is known of neither."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aline_tf.errors import InputError
from aline_tf.migraine.records.wall_clock import WallClock, time_zone

BERLIN = ZoneInfo("Europe/Berlin")


def second(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_nothing_known_is_utc():
    clock = WallClock()
    assert not clock.is_known
    assert clock.utc_of_wall(second("2025-07-01T12:00")) == (second("2025-07-01T12:00"), 0)


@pytest.mark.parametrize(
    ("wall", "utc", "offset"),
    [
        ("2025-03-30T01:59", "2025-03-30T00:59", 60),
        # 02:30 does not exist that night: read with the offset before the change.
        ("2025-03-30T02:30", "2025-03-30T01:30", 60),
        ("2025-03-30T03:00", "2025-03-30T01:00", 120),
        # 02:30 comes twice in October: the first.
        ("2025-10-26T02:30", "2025-10-26T00:30", 120),
        ("2025-10-26T03:00", "2025-10-26T02:00", 60),
    ],
)
def test_a_zone_knows_when_the_clocks_change(wall, utc, offset):
    assert WallClock(BERLIN).utc_of_wall(second(wall)) == (second(utc), offset)


def test_a_sighting_speaks_for_the_day_and_a_half_around_it():
    clock = WallClock(BERLIN, [second("2025-06-10T12:00")], [-240])
    assert clock.offset_at(second("2025-06-11T20:00")) == -240
    assert clock.offset_at(second("2025-06-12T20:00")) == 120
    assert clock.offset_of_wall(second("2025-06-10T08:00")) == -240


def test_a_sighting_at_home_leaves_the_change_of_the_clock_to_the_zone():
    clock = WallClock(BERLIN, [second("2025-03-29T22:00")], [60])
    assert clock.offset_at(second("2025-03-30T00:45")) == 60
    assert clock.offset_at(second("2025-03-30T01:00")) == 120


def test_without_a_zone_the_nearest_sighting_decides_however_far():
    clock = WallClock(None, [second("2025-01-01T00:00"), second("2025-07-01T00:00")], [60, 120])
    assert clock.offset_at(second("2024-01-01T00:00")) == 60
    assert clock.offset_at(second("2025-06-01T00:00")) == 120
    assert (
        clock.extended(None, [second("2025-06-02T00:00")], [-300]).offset_at(
            second("2025-06-01T00:00")
        )
        == -300
    )


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    moment=st.datetimes(datetime(1990, 1, 1), datetime(2035, 1, 1)),
    zone=st.sampled_from(
        ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]
    ),
)
def test_a_moment_and_its_wall_time_agree(moment, zone):
    """Except in the hour that comes twice, UTC to wall time and back is where it began."""
    clock = WallClock(ZoneInfo(zone))
    utc = int(moment.replace(tzinfo=UTC).timestamp())
    offset = clock.offset_at(utc)
    local = (moment.replace(tzinfo=UTC) + timedelta(minutes=offset)).replace(tzinfo=None)
    expected = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    # Before 1900 offsets had seconds; none of these zones has any since.
    assert local == expected
    back, _ = clock.utc_of_wall(utc + 60 * offset)
    assert back == utc or utc - back in (3600, 1800)


@pytest.mark.parametrize(
    "name", ["Mars/Olympus", "../../etc/passwd", "", "Europe", "\0", "a" * 999]
)
def test_an_unknown_time_zone_is_an_input_error(name):
    with pytest.raises(InputError, match="expected the name of a time zone"):
        time_zone(name)
