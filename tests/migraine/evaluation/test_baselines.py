"""Baselines: blind to the future, with probabilities for everybody."""

from __future__ import annotations

import numpy as np
import pytest

from aline_tf.batch import OBSERVED
from aline_tf.migraine.evaluation import baselines
from aline_tf.migraine.schema.channels import FIELD_INDEX, FIELD_NAMES
from aline_tf.migraine.simulation import cohort

PEOPLE, DAYS, HISTORY = 40, 16, 8


@pytest.fixture(scope="module")
def people():
    return cohort.sample_cohort(seed=3, people=PEOPLE, days=DAYS, first_evening=HISTORY)


def test_a_value_and_no_value_are_told_apart():
    outcome = np.zeros([2, 4, len(FIELD_NAMES)], np.float32)
    status = np.zeros(outcome.shape, np.int32)
    sleep = FIELD_INDEX["sleep_hours"]
    outcome[0, -1, sleep] = 7.2  # the mean of the population
    status[0, -1, sleep] = OBSERVED
    features = baselines.lag_features(outcome, status, np.zeros(2, int))
    # Known today, known of late, known at all.
    assert (features[0] != features[1]).sum() == 3


def test_persistence_knows_three_kinds_of_today():
    outcome = np.zeros([3, 3, len(FIELD_NAMES)], np.float32)
    status = np.zeros(outcome.shape, np.int32)
    noon = FIELD_INDEX["attack_2"]
    status[1:, -1, noon] = OBSERVED
    outcome[2, -1, noon] = 1.0
    status[0, -2, noon], outcome[0, -2, noon] = OBSERVED, 1.0  # yesterday is not today
    assert baselines.attack_today(outcome, status).tolist() == [0, 1, 2]


def test_baselines_forecast_probabilities_and_know_the_base_rate(people):
    fitted = baselines.Baselines(people, [8, 10, 12])
    followed = np.concatenate([people.followed(evening) for evening in (8, 10, 12)])
    made = fitted.forecast(*people.records(9), people.weekday(9))
    assert set(made) == set(baselines.Baselines.NAMES)
    np.testing.assert_allclose(made["base rate"], np.tile(followed.mean(axis=0), [PEOPLE, 1]))
    for probability in made.values():
        assert probability.shape == (PEOPLE, 2)
        assert (probability >= 0).all() and (probability <= 1).all()
