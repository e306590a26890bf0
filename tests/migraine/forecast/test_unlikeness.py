"""How far records are from simulated ones: near for simulated people, far for others."""

from dataclasses import replace

import numpy as np
import pytest

from aline_tf.migraine.forecast import unlikeness as measured
from aline_tf.migraine.forecast import wording
from aline_tf.migraine.forecast.unlikeness import LIMIT, REFERENCE, deviations, unlikeness
from aline_tf.migraine.records.days import DayHistory
from aline_tf.migraine.schema.channels import FIELD_INDEX, FIELD_NAMES

DAYS = 40


def history(**fields):
    from datetime import date, datetime, timedelta

    values = np.zeros([DAYS, len(FIELD_NAMES)], np.float32)
    status = np.zeros([DAYS, len(FIELD_NAMES)], np.int32)
    for name, column in fields.items():
        index = FIELD_INDEX[name]
        values[:, index], status[:, index] = column, np.isfinite(column)
    values = np.where(status == 1, values, 0.0)
    dates = tuple(date(2025, 3, 1) + timedelta(days=day) for day in range(DAYS))
    return DayHistory(values, status, dates, datetime(2025, 4, 9, 20))


def usual(low: float, high: float):
    return np.linspace(low, high, DAYS)


def test_simulated_people_are_near():
    from aline_tf.migraine.evaluation.studies.unlikeness import (
        cohort_features,
        distances,
        simulated_people,
    )

    far = distances(cohort_features(simulated_people(11, 60)))
    assert (far <= LIMIT).mean() > 0.94


def test_ends_are_one_from_the_median():
    for name, (low, middle, high) in REFERENCE.items():
        ends = deviations(name, np.array([low, middle, high]))
        assert ends[1] == 0.0 and (ends <= 1.0 + 1e-9).all()


@pytest.mark.parametrize(("rate", "unlike"), [(62.0, False), (75.0, False), (118.0, True)])
def test_a_level_nobody_simulated_has_is_far(rate, unlike):
    found = unlikeness(history(resting_hr=usual(rate - 4, rate + 4)))
    assert found.is_unlike == unlike
    if unlike:
        assert found.feature == "resting_hr, level"
        assert found.value == pytest.approx(rate)


def test_too_few_days_cannot_be_compared():
    column = np.full(DAYS, np.nan)
    column[:13] = 118.0
    assert unlikeness(history(resting_hr=column)).features == 0
    assert not unlikeness(history()).is_unlike


def test_a_share_of_days_needs_days_without_attacks_or_all_of_them():
    attacks = {f"attack_{slot}": np.ones(DAYS) for slot in range(4)}
    assert unlikeness(history(**attacks)).feature in ("attack, share", "attack, run")
    some = {name: np.where(np.arange(DAYS) % 2, 1.0, np.nan) for name in attacks}
    assert unlikeness(history(**some)).features == 0


def test_every_feature_can_be_told():
    for name, (low, _, high) in REFERENCE.items():
        found = measured.Unlikeness(9.0, name, high, low, high, 1)
        text = wording.unlike(found)
        assert wording.feature_text(name, high) in text and measured.describe(name) in text
        assert "ln " not in wording.feature_text(name, high) or "spread" in name
    assert "3.2" in wording.unlike(replace(found, distance=3.21))
