"""Days as known at one moment: nothing from later, nothing filled in, sources resolved."""

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aline_tf.errors import InputError
from aline_tf.migraine.records.attack_slots import attack_days
from aline_tf.migraine.records.days import day_history, recent
from aline_tf.migraine.records.timeline import KINDS, Timeline
from aline_tf.migraine.schema.channels import FIELD_INDEX, FIELD_NAMES, places

NOW = datetime(2025, 3, 10, 20, tzinfo=UTC)


def at(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def row(channel, start, end=None, value=1.0, known=None, offset=0, status=1, source="a"):
    begin, stop = at(start), at(end or start)
    seen = at(known) if known else stop
    return (begin, stop, seen, offset, offset, channel, value, KINDS[channel].unit, status, source)


def days(*rows, now=NOW, count=3):
    return day_history(Timeline.from_rows(rows), now, count)


def column(history, field):
    """Values of a field, with None where missing and "refused" where not answered."""
    index = FIELD_INDEX[field]
    pairs = zip(history.status[:, index], history.values[:, index], strict=True)
    return [None if s == 0 else "refused" if s == 2 else round(float(v), 4) for s, v in pairs]


def test_shapes_dates_and_types():
    history = day_history(Timeline.empty(), NOW, 4)
    assert history.values.shape == history.status.shape == (4, len(FIELD_NAMES))
    assert history.values.dtype == np.float32 and history.status.dtype == np.int32
    assert history.dates[0] == date(2025, 3, 7) and history.dates[-1] == date(2025, 3, 10)
    assert not history.status.any() and not history.values.any()


@pytest.mark.parametrize("count", [0, -1, 5000, 2.0])
def test_an_impossible_number_of_days_is_refused(count):
    with pytest.raises(InputError, match="expected from 1 to"):
        day_history(Timeline.empty(), NOW, count)


def test_an_answer_lands_in_its_slot_and_the_rest_stays_missing():
    history = days(row("stress", "2025-03-09T13:00", value=6))
    assert column(history, "stress_2") == [None, 6.0, None]
    assert history.status.sum() == 1


def test_a_pain_is_in_every_slot_of_its_span_and_the_worst_of_several_counts():
    long = row("pain", "2025-03-09T10:00", "2025-03-09T19:00", value=5)
    worse = row("pain", "2025-03-09T13:00", "2025-03-09T14:00", value=8)
    milder = row("pain", "2025-03-09T18:30", "2025-03-09T20:00", value=2)
    for rows in ((long, worse, milder), (milder, worse, long)):
        history = days(*rows)
        pains = [column(history, f"pain_{slot}")[1] for slot in range(4)]
        assert pains == [None, 5.0, 8.0, 5.0]
    # Of one span the newest word counts.
    corrected = row(
        "pain", "2025-03-09T13:00", "2025-03-09T14:00", value=3, known="2025-03-10T09:00"
    )
    assert column(days(worse, corrected), "pain_2")[1] == 3.0


def test_a_refusal_is_its_own_status_and_an_answer_wins_over_it():
    refused = row("stress", "2025-03-09T13:00", value=0, status=2, known="2025-03-09T15:00")
    answered = row("stress", "2025-03-09T14:00", value=6, known="2025-03-09T14:10")
    assert column(days(refused), "stress_2") == [None, "refused", None]
    assert column(days(refused, answered), "stress_2") == [None, 6.0, None]


def test_the_last_answer_wins():
    first = row("caffeine", "2025-03-09T00:00", value=1, known="2025-03-09T12:00")
    last = row("caffeine", "2025-03-09T00:00", value=3, known="2025-03-09T20:00")
    assert column(days(last, first), "caffeine") == [None, 3.0, None]


def test_what_was_written_down_later_is_not_known_yet():
    late = row("sdnn", "2025-03-09T03:00", value=50, known="2025-03-10T21:00")
    assert column(days(late), "ln_sdnn") == [None, None, None]
    assert column(days(late, now=NOW + timedelta(hours=2)), "ln_sdnn")[1] == round(np.log(50), 4)


def test_totals_of_today_are_missing_until_tomorrow():
    rows = [
        row("alcohol", "2025-03-10T00:00", value=2),
        row("steps", "2025-03-10T10:00", value=5000),
        row("screen_time", "2025-03-10T00:00", value=4),
        row("caffeine", "2025-03-10T00:00", value=2),
    ]
    today = {name: column(days(*rows), name)[-1] for name in ("alcohol", "ln_steps", "caffeine")}
    assert today == {"alcohol": None, "ln_steps": None, "caffeine": 2.0}
    tomorrow = days(*rows, now=NOW + timedelta(days=1))
    assert column(tomorrow, "alcohol")[1] == 2.0
    assert column(tomorrow, "ln_screen_time")[1] == round(np.log(4), 4)


def test_counts_above_eight_become_eight():
    assert column(days(row("alcohol", "2025-03-09T00:00", value=11)), "alcohol")[1] == 8.0


def test_steps_of_two_devices_count_once_an_hour():
    history = days(
        row("steps", "2025-03-09T10:00", value=1000, source="watch"),
        row("steps", "2025-03-09T10:00", value=800, source="phone"),
        row("steps", "2025-03-09T12:00", value=500, source="phone"),
    )
    assert column(history, "ln_steps")[1] == round(float(np.float32(np.log(1500))), 4)


def test_a_total_of_the_day_stands_beside_the_hours_and_the_larger_counts():
    hours = [
        row("steps", f"2025-03-09T{hour}:00", f"2025-03-09T{hour + 1}:00", value=2000)
        for hour in (10, 15)
    ]
    stated = [
        row("steps", f"2025-03-{day}T00:00", f"2025-03-{after}T00:00", value=3000, source="clinic")
        for day, after in (("08", "09"), ("09", "10"))
    ]
    found = column(days(*hours, *stated), "ln_steps")
    assert found[:2] == [round(float(np.log(3000)), 4), round(float(np.log(4000)), 4)]


def test_sleep_is_the_union_of_sources_and_belongs_to_the_day_of_waking():
    history = days(
        row("asleep", "2025-03-08T23:00", "2025-03-09T03:00", source="watch"),
        row("asleep", "2025-03-09T03:30", "2025-03-09T07:00", source="watch"),
        row("asleep", "2025-03-08T23:30", "2025-03-09T07:00", source="ring"),
        row("in_bed", "2025-03-08T22:30", "2025-03-09T07:30", source="phone"),
    )
    assert column(history, "sleep_hours") == [None, 8.0, None]
    assert column(history, "sleep_efficiency")[1] == round(8 / 9, 4)


def test_efficiency_needs_time_in_bed_or_awake():
    asleep = row("asleep", "2025-03-08T23:00", "2025-03-09T07:00")
    assert column(days(asleep), "sleep_efficiency")[1] is None
    awake = row("awake", "2025-03-09T07:00", "2025-03-09T08:00")
    inside = row("awake", "2025-03-09T06:30", "2025-03-09T08:30")
    assert column(days(asleep, inside), "sleep_efficiency")[1] == round(8 / 9.5, 4)
    assert column(days(asleep, awake), "sleep_efficiency")[1] is None


def test_a_nap_is_not_the_night():
    history = days(row("asleep", "2025-03-09T14:00", "2025-03-09T15:30"))
    assert column(history, "sleep_hours") == [None, None, None]


def test_the_night_of_a_clock_change_has_its_true_length():
    """From 23:00 at +01:00 to 07:00 at +02:00 the hands move eight hours and a person sleeps 7."""
    begin, end = at("2025-03-29T23:00+01:00"), at("2025-03-30T07:00+02:00")
    night = (begin, end, end, 60, 120, "asleep", 1.0, "", 1, "a")
    now = datetime(2025, 3, 30, 20, tzinfo=timezone(timedelta(hours=2)))
    assert column(days(night, now=now), "sleep_hours") == [None, None, 7.0]


def test_days_and_slots_are_those_of_the_wall_clock():
    """23:30 UTC is 01:30 of the next day at +02:00: slot 0."""
    late = row("stress", "2025-03-08T23:30", value=4, offset=120)
    assert column(days(late), "stress_0") == [None, 4.0, None]


def test_now_without_a_zone_takes_the_offset_of_the_nearest_row():
    timeline = Timeline.from_rows([row("stress", "2025-03-10T17:00", value=4, offset=120)])
    history = day_history(timeline, datetime(2025, 3, 10, 19, 30), 1)
    assert history.now.utcoffset() == timedelta(hours=2)
    assert column(history, "stress_3") == [4.0]
    assert column(day_history(timeline, datetime(2025, 3, 10, 18, 59), 1), "stress_3") == [None]


def attack_slots(history, day):
    return [column(history, f"attack_{slot}")[day] for slot in range(4)]


def report(day, known=None):
    return row(
        "attack_report", f"{day}T00:00", f"{day}T23:59", value=0, known=known or f"{day}T20:00"
    )


def test_attacks_mark_the_slots_they_overlap_and_reports_make_the_others_zero():
    history = days(
        row("attack", "2025-03-08T10:00", "2025-03-09T06:00", known="2025-03-08T10:00"),
        report("2025-03-08"),
    )
    assert attack_slots(history, 0) == [0.0, 1.0, 1.0, 1.0]
    # It ended as the second slot of the next day began; nobody reported on the rest of that day.
    assert attack_slots(history, 1) == [1.0, None, None, None]
    assert attack_slots(history, 2) == [None, None, None, None]


def test_an_attack_without_an_end_leaves_the_later_slots_missing():
    begin = at("2025-03-09T07:00")
    attack = (begin, None, begin, 0, 0, "attack", 1.0, "", 1, "diary")
    assert attack_slots(days(attack, report("2025-03-09")), 1) == [0.0, 1.0, None, None]


def test_a_report_on_a_part_of_a_day_speaks_for_its_slots_only():
    morning = row("attack_report", "2025-03-09T06:00", "2025-03-09T12:00", value=0)
    assert attack_slots(days(morning), 1) == [None, 0.0, None, None]
    attack = row("attack", "2025-03-09T07:00", "2025-03-09T09:00")
    assert attack_slots(days(morning, attack), 1) == [None, 1.0, None, None]


def test_a_refused_report_is_asked_and_not_answered_unless_something_is_known():
    span = ("2025-03-09T06:00", "2025-03-09T18:00")
    refused = row("attack_report", *span, value=0, status=2)
    assert attack_slots(days(refused), 1) == [None, "refused", "refused", None]
    part = row("attack_report", "2025-03-09T06:00", "2025-03-09T12:00", value=0)
    assert attack_slots(days(part, refused), 1) == [None, 0.0, "refused", None]
    assert attack_slots(days(report("2025-03-09"), refused), 1) == [0.0] * 4


def test_what_was_reported_by_itself_holds_after_an_attack_without_an_end():
    begin = at("2025-03-09T07:00")
    attack = (begin, None, begin, 0, 0, "attack", 1.0, "", 1, "diary")
    evening = row("attack_report", "2025-03-09T18:00", "2025-03-10T00:00", value=0)
    found = days(attack, report("2025-03-09"), evening)
    assert attack_slots(found, 1) == [0.0, 1.0, None, 0.0]


def test_an_attack_under_way_reaches_up_to_now_and_no_further():
    attack = row("attack", "2025-03-10T13:00", "2025-03-11T13:00", known="2025-03-10T13:00")
    noon = days(attack, report("2025-03-10"), now=NOW.replace(hour=14))
    assert attack_slots(noon, 2) == [None, None, 1.0, None]
    evening = days(attack, report("2025-03-10"))
    assert attack_slots(evening, 2) == [0.0, 0.0, 1.0, 1.0]


def test_an_attack_after_now_is_not_seen():
    attack = row("attack", "2025-03-10T21:00", "2025-03-10T23:00", known="2025-03-10T21:00")
    assert attack_slots(days(attack, report("2025-03-10")), 2) == [0.0, 0.0, 0.0, 0.0]


def flow(day, value=1.0):
    return row("menstrual_flow", f"{day}T00:00", value=value, known=f"{day}T08:00")


def test_the_menstrual_window_is_two_days_around_a_known_start():
    rows = [flow("2025-02-10"), flow("2025-02-11"), flow("2025-03-08"), flow("2025-03-09")]
    history = days(*rows, count=32)
    window = dict(zip(history.dates, column(history, "menstrual_window"), strict=True))
    assert [day.isoformat() for day, inside in window.items() if inside == 1.0] == [
        f"2025-{month}-{day:02d}"
        for month, days_of in (("02", range(8, 13)), ("03", range(6, 11)))
        for day in days_of
    ]
    assert all(
        inside == 0.0
        for day, inside in window.items()
        if date(2025, 2, 12) < day < date(2025, 3, 6)
    )


def test_the_window_before_a_start_is_unknown_until_the_start():
    rows = [flow("2025-02-10"), flow("2025-03-11")]
    history = days(*rows, count=5)
    assert column(history, "menstrual_window") == [0.0, 0.0, None, None, None]
    later = days(*rows, now=NOW + timedelta(days=1), count=5)
    assert column(later, "menstrual_window") == [0.0, 0.0, 1.0, 1.0, 1.0]


def test_without_records_the_window_is_missing():
    history = days(flow("2024-11-01"), count=5)
    assert column(history, "menstrual_window") == [None] * 5


def test_skin_temperature_is_against_the_nights_before():
    rows = [
        row("wrist_temperature", f"2025-03-0{day}T02:00", f"2025-03-0{day}T06:00", value=35.0)
        for day in range(1, 9)
    ] + [row("wrist_temperature", "2025-03-09T02:00", "2025-03-09T06:00", value=35.4)]
    history = days(*rows, count=10)
    values = column(history, "skin_temperature")
    assert values[:5] == [None] * 5
    assert values[5:] == [0.0, 0.0, 0.0, pytest.approx(0.4, abs=1e-3), None]


SAMPLE = st.sampled_from(
    (
        *("stress", "pain", "prodrome", "medication", "caffeine", "attack", "attack_report"),
        *("sdnn", "resting_hr", "steps", "asleep", "in_bed"),
        *("menstrual_flow", "wrist_temperature"),
    )
)


@st.composite
def rows_of(draw):
    channel = draw(SAMPLE)
    kind = KINDS[channel]
    begin = draw(st.integers(at("2025-02-20T00:00"), at("2025-03-20T00:00")))
    end = begin + draw(st.integers(0, 86_400))
    known = begin + draw(st.integers(0, 3 * 86_400))
    offset = draw(st.sampled_from([-600, -60, 0, 60, 345, 840]))
    value = draw(st.floats(kind.low, kind.high))
    if kind.high == 1:
        value = round(value) if kind.low == 0 else 1.0
    status = draw(st.sampled_from([1, 1, 1, 2]))
    return (begin, end, known, offset, offset, channel, value, kind.unit, status, "s")


@settings(max_examples=60, deadline=None)
@given(st.lists(rows_of(), max_size=25))
def test_rows_known_after_now_change_nothing(rows):
    """The context at `now` is a function of what was known at `now`: no leak from the future."""
    now = datetime(2025, 3, 6, 20, tzinfo=UTC)
    known = [r for r in rows if r[2] <= now.timestamp()]
    everything = day_history(Timeline.from_rows(rows), now, 12)
    past = day_history(Timeline.from_rows(known), now, 12)
    np.testing.assert_array_equal(everything.values, past.values)
    np.testing.assert_array_equal(everything.status, past.status)


@settings(max_examples=60, deadline=None)
@given(st.lists(rows_of(), max_size=25), st.randoms())
def test_fields_are_finite_typed_and_zero_where_not_observed(rows, random):
    now = datetime(2025, 3, 6, 20, tzinfo=UTC)
    history = day_history(Timeline.from_rows(rows), now, 12)
    assert np.isfinite(history.values).all()
    assert set(np.unique(history.status)) <= {0, 1, 2}
    assert (history.values[history.status != 1] == 0).all()
    for name in ("attack_0", "prodrome_3", "menstrual_window"):
        assert set(np.unique(history.values[:, FIELD_INDEX[name]])) <= {0.0, 1.0}
    efficiency = history.values[:, FIELD_INDEX["sleep_efficiency"]]
    assert ((efficiency >= 0) & (efficiency <= 1)).all()


def test_a_day_is_reported_when_each_of_its_slots_is():
    """Nothing, all free, one attack alone, an attack among all slots, a refusal among free ones."""
    values, status = np.zeros([2, 5, len(FIELD_NAMES)])
    slots = list(places("attack"))
    status[1, slots] = status[3, slots] = status[4, slots] = 1
    values[2, slots[1]] = status[2, slots[1]] = values[3, slots[0]] = 1
    status[4, slots[2]] = 2
    attack, reported = attack_days(values, status)
    assert attack.tolist() == [False, False, True, True, False]
    assert reported.tolist() == [False, True, False, True, False]


@settings(max_examples=60, deadline=None)
@given(st.lists(rows_of(), max_size=25), st.integers(1, 12))
def test_recent_rows_alone_give_the_same_days(rows, count):
    now = datetime(2025, 3, 18, 20, tzinfo=UTC)
    timeline = Timeline.from_rows(rows)
    whole, part = (day_history(t, now, count) for t in (timeline, recent(timeline, now, count)))
    np.testing.assert_array_equal(whole.values, part.values)
    np.testing.assert_array_equal(whole.status, part.status)
    np.testing.assert_array_equal(whole.hourless, part.hourless)
