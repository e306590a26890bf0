"""Timelines of simulated people give their days back, each evening what it would have known."""

from datetime import timedelta

import numpy as np
import pytest

from aline_tf import draws
from aline_tf.batch import OBSERVED
from aline_tf.errors import InputError
from aline_tf.migraine.records.days import day_history
from aline_tf.migraine.schema.channels import FIELD_INDEX, FIELD_NAMES
from aline_tf.migraine.simulation.simulated_timeline import (
    cycle_starts,
    last_evening,
    person_timeline,
)

PEOPLE, DAYS, SEED = 6, 60, 3
WINDOW = FIELD_INDEX["menstrual_window"]
OTHERS = np.delete(np.arange(len(FIELD_NAMES)), WINDOW)


@pytest.fixture(scope="module")
def world(simulated):
    return simulated(PEOPLE, DAYS, draws.as_seed(SEED))


def person(world, index):
    return (world[name][index] for name in ("value", "status_if_tried", "weekday"))


def test_an_earlier_evening_knows_the_days_before_it_and_no_more(world):
    """Rows are known when a real person would know them: a backtest sees the same days."""
    value, status, weekday = person(world, 0)
    timeline = person_timeline(value, status, weekday)
    now = last_evening(weekday) - timedelta(days=20)
    early = person_timeline(value[:-20], status[:-20], weekday[:-20])
    for days in (day_history(timeline, now, DAYS), day_history(early, now, DAYS)):
        np.testing.assert_array_equal(days.status[20:, OTHERS][:-1], status[:-21][:, OTHERS])
    np.testing.assert_array_equal(
        day_history(timeline, now, DAYS).values[:, OTHERS],
        day_history(early, now, DAYS).values[:, OTHERS],
    )
    assert timeline.evening() == last_evening(weekday)


def test_the_menstrual_window_comes_back_nearly(world):
    same, observed = 0, 0
    for index in np.flatnonzero(world["cycling"]):
        value, status, weekday = person(world, index)
        history = day_history(person_timeline(value, status, weekday), last_evening(weekday), DAYS)
        known = history.status[:, WINDOW] == OBSERVED
        same += (history.values[known, WINDOW] == value[known, WINDOW]).sum()
        observed += known.sum()
    assert observed > DAYS
    assert same / observed > 0.9


@pytest.mark.parametrize(
    ("window", "starts"),
    [
        ("000" + "11111" + 23 * "0" + "11111" + "00", [5, 33]),
        ("1110000000000000000000", [0]),
        ("1000000000000000000000", []),
        ("0000000000000000011100", [18]),
        ("0000000000000000000111", [21]),
        ("0000000000000000000011", []),
        ("0011011100", [4]),
        ("0000", []),
    ],
)
def test_first_days_of_cycles_are_the_middle_of_the_window(window, starts):
    assert cycle_starts(np.array([day == "1" for day in window])) == starts


def test_people_without_a_cycle_and_days_without_records_leave_no_rows(world):
    value, status, weekday = person(world, 0)
    assert not len(person_timeline(value, np.zeros_like(status), weekday))
    with pytest.raises(InputError, match="consecutive days"):
        person_timeline(value, status, weekday[::-1])
    with pytest.raises(InputError, match="of shape"):
        person_timeline(value[:5], status, weekday)


def test_a_value_beyond_its_range_becomes_the_end_of_the_range(world):
    value, status, weekday = (table.copy() for table in person(world, 0))
    value[0, FIELD_INDEX["ln_screen_time"]] = 9.0
    status[0, FIELD_INDEX["ln_screen_time"]] = OBSERVED
    history = day_history(person_timeline(value, status, weekday), last_evening(weekday), DAYS)
    assert history.values[0, FIELD_INDEX["ln_screen_time"]] == pytest.approx(np.log(24))
