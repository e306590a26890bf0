"""The outlook: which evening it is for, and what it counts."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from aline_tf.errors import InputError
from aline_tf.migraine.forecast.outlook import evening_of
from aline_tf.migraine.schema.channels import FIELD_INDEX, places


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


def test_days_are_counted_by_what_was_recorded(example_outlook):
    history = example_outlook.history
    status = np.zeros_like(history.status)
    bare = replace(example_outlook, history=replace(history, status=status))
    assert (bare.days_recorded, bare.silent_days) == (0, len(history.dates))
    assert bare.attack_days == (0, 0)
    status[:, FIELD_INDEX["menstrual_window"]] = 1
    assert bare.days_recorded == 0
    status[-4, FIELD_INDEX["stress_1"]] = 1
    assert (bare.days_recorded, bare.silent_days) == (1, 3)


def test_attack_of_today_is_seen(example_outlook):
    history = example_outlook.history
    values = history.values.copy()
    values[-1, places("attack")[2]] = 1.0
    during = replace(example_outlook, history=replace(history, values=values))
    assert any(during.attacks_today)
    assert not any(example_outlook.attacks_today)


def test_shown_questions_are_among_all_of_them(example_outlook):
    assert len(example_outlook.next_candidates) == 3
    assert set(example_outlook.next_candidates) <= set(example_outlook.valued_candidates)
