"""Attacks and reports as slots: what is known by the hour, and what only by the day."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from aline_tf.migraine.records.attack_slots import Reports, attack_days, attack_slots
from aline_tf.migraine.records.timeline import DAY_S, SLOT_S
from aline_tf.migraine.schema.channels import FIELD_NAMES, places

DAYS = 4
NOW = DAYS * DAY_S - 4 * 3600


def slots(*rows, now=NOW):
    """(value, status, hourless) of rows (kind, begin hour, end hour or None, value, status)."""
    rows = sorted(rows, key=lambda r: r[1])
    begin = np.array([3600 * r[1] for r in rows], np.int64)
    end = np.array([3600 * (r[1] if r[2] is None else r[2]) for r in rows], np.int64)
    table = Reports(
        begin,
        end,
        np.array([r[2] is None for r in rows], bool),
        np.array([r[0] == "attack" for r in rows], bool),
        np.array([r[3] for r in rows], float),
        np.array([r[4] for r in rows], int),
    )
    return attack_slots(table, 0, DAYS, now)


def yes(day, begin=0, end=24):
    return ("report", 24 * day + begin, 24 * day + end, 1.0, 1)


def no(day, begin=0, end=24):
    return ("report", 24 * day + begin, 24 * day + end, 0.0, 1)


def test_an_attack_at_an_hour_nobody_noted_is_one_slot_and_the_others_are_missing():
    value, status, hourless = slots(yes(1), no(2))
    assert status[1].tolist() == [0, 1, 0, 0] and value[1].tolist() == [0, 1, 0, 0]
    assert status[2].tolist() == [1, 1, 1, 1] and not value[2].any()
    assert hourless.tolist() == [False, True, False, False]


def test_an_attack_with_its_hours_says_more():
    value, status, hourless = slots(yes(1), no(1), ("attack", 32, 35, 1.0, 1))
    assert value[1].tolist() == [0, 1, 0, 0] and status[1].tolist() == [1, 1, 1, 1]
    assert not hourless.any()


def test_parts_of_the_day_reported_free_of_attacks_leave_the_others():
    value, status, _ = slots(yes(0), no(0, 6, 18))
    assert status[0].tolist() == [0, 1, 1, 1]
    assert value[0].tolist() == [0, 0, 0, 1]


def test_yes_for_a_part_of_the_day_is_that_part_and_no_report_on_the_day():
    value, status, hourless = slots(yes(0, 6, 12))
    assert value[0].tolist() == [0, 1, 0, 0] and status[0].tolist() == [0, 1, 0, 0]
    assert not hourless.any()


def test_an_attack_today_at_an_hour_nobody_noted_is_not_put_into_the_future():
    value, _, hourless = slots(yes(3), now=3 * DAY_S + 7 * 3600)
    assert value[3].tolist() == [0, 1, 0, 0] and hourless[3]


@settings(max_examples=150)
@given(
    st.lists(
        st.builds(
            lambda make, day, span: make(day, *span),
            st.sampled_from((yes, no)),
            st.integers(0, DAYS - 1),
            st.sampled_from(((0, 24), (0, 6), (6, 12), (12, 18), (6, 18), (18, 24))),
        ),
        max_size=8,
    )
)
def test_every_day_with_a_yes_has_an_attack_and_no_other_has(rows):
    value, status, hourless = slots(*rows)
    said = {row[1] // 24 for row in rows if row[3]}
    assert set(np.flatnonzero(value.any(axis=1)).tolist()) == said
    assert (value[status != 1] == 0).all()
    whole = {row[1] // 24 for row in rows if row[2] - row[1] == 24}
    assert set(np.flatnonzero(hourless).tolist()) <= said & whole
    assert not (hourless & (status == 1).all(axis=1) & (value.sum(axis=1) == 0)).any()


def test_days_with_a_plain_yes_are_days_of_which_the_diary_tells():
    value, status, hourless = slots(yes(0), no(1), ("attack", 2 * 24 + 9, None, 1.0, 1))
    fields = np.zeros([2, DAYS, len(FIELD_NAMES)])
    fields[0][:, list(places("attack"))] = value
    fields[1][:, list(places("attack"))] = status
    attack, reported = attack_days(*fields, hourless)
    assert attack.tolist() == [True, False, True, False]
    assert reported.tolist() == [True, True, False, False]


def test_an_attack_whose_end_nobody_noted_leaves_its_day_reported():
    """Were such days left out and those without attacks kept, attacks would seem rarer."""
    begun = ("attack", 24 + 9, None, 1.0, 1)
    value, status, hourless = slots(no(1), begun, no(2))
    assert status[1].tolist() == [1, 1, 0, 0] and value[1].tolist() == [0, 1, 0, 0]
    assert hourless.tolist() == [False, True, False, False]
    _, _, hourless = slots(begun, no(2))
    assert not hourless.any()


def test_slot_length_divides_the_day():
    assert 4 * SLOT_S == DAY_S
